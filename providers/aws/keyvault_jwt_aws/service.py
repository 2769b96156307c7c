"""Service: requests to one of AWS's services under a total deadline, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]
from botocore.parsers import ResponseParserError  # type: ignore[import-untyped]

from keyvault_jwt.clock import Clock, Milliseconds, SystemClock
from keyvault_jwt.per_process import PerProcess

from .address import Address
from .broken_off import broken_off, may_have_been_sent, unreadable
from .connection import connect
from .quiet import quiet
from .refusals import refusal
from .request import Refused, Request, Tries

_TRIES: Final[ContextVar[Tries | None]] = ContextVar("keyvault_jwt_aws_tries", default=None)
_LONGEST_PAUSE: Final = 20_000
"""Before try n + 1 botocore's standard mode pauses at most 2ⁿ⁻¹ s, and never longer than this."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service said: a body, or the code and text of a refusal that the asker can deal with.

    `repeated` tells that an earlier try of the same request may have been carried out, unheard.
    """

    body: Mapping[str, Any] = field(default_factory=dict, repr=False)
    code: str = ""
    message: str = ""
    repeated: bool = False


class Service:
    """The address's service in one region; thread-safe and fork-safe.

    botocore repeats what failed for the moment; no try begins that could end after `Address.deadline`.
    """

    def __init__(self, address: Address, *, clock: Clock | None = None) -> None:
        self.address = address
        self._clock = SystemClock() if clock is None else clock
        self._clients: PerProcess[Any] = PerProcess(lambda: connect(address, self._may_repeat))

    def __repr__(self) -> str:
        return f"Service({self.address.service!r}, {self.address.region!r})"

    def request(
        self,
        operation: str,
        parameters: Mapping[str, Any],
        *,
        safe: bool = True,
        expecting: frozenset[str] = frozenset(),
    ) -> Answer:
        """Return the answer; a refusal is one only if its code is in `expecting`, and else is raised.

        `operation` and `parameters` are named as in botocore's client.  Raises this package's
        errors, and `StoreTimeout` for a request that is not `safe` of which no answer came.
        """
        asked = Request(operation, parameters, safe)
        tries = Tries(self._clock, self._clock.monotonic())
        token = _TRIES.set(tries)
        try:
            client = self._clients.get()
            with quiet():
                body = getattr(client, operation)(**parameters)
            if body.keys() - {"ResponseMetadata"}:
                return Answer(body, repeated=tries.in_doubt)
            # botocore reads a page that is no JSON as an answer without members.
            error = unreadable(asked, self.address)
        except ClientError as failure:
            said = failure.response.get("Error", {})
            status = int(failure.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
            code, message = str(said.get("Code", "")), str(said.get("Message", ""))
            if code in expecting:
                return Answer(code=code, message=message, repeated=tries.in_doubt)
            error = refusal(Refused(code, message, status), asked, tries, self.address)
        except ResponseParserError:
            error = unreadable(asked, self.address)
        except BotoCoreError as failure:
            error = broken_off(failure, asked, tries, self.address)
        finally:
            _TRIES.reset(token)
        raise error  # outside of the handlers: botocore's exceptions may quote the request

    def close(self) -> None:
        """Close the connections."""
        client = self._clients.here
        if client is not None:
            client.close()

    def _may_repeat(
        self, *, attempts: int, response: Any = None, caught_exception: Any = None, **_: Any
    ) -> bool | None:
        """Note what became of a try, and say False if another one might end too late."""
        tries = _TRIES.get()
        if tries is None:
            return None
        status = response[0].status_code if response is not None else 0
        if status >= 500 or (caught_exception is not None and may_have_been_sent(caught_exception)):
            tries.in_doubt = True
        pause: Milliseconds = min(_LONGEST_PAUSE, 1000 << (attempts - 1))
        one_try = self.address.connect_timeout + self.address.read_timeout
        late = tries.elapsed() + pause + one_try > self.address.deadline
        return False if late else None

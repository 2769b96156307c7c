"""Session: requests to one server with a token, bounded in time, repeated only where that is safe."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import TracebackType
from typing import Any, Final, Self

from hvac.adapters import RawAdapter

from keyvault_jwt.clock import Clock, Milliseconds, SystemClock
from keyvault_jwt.errors import KeyvaultJWTError, StoreError
from keyvault_jwt.per_process import PerProcess

from .address import Address
from .answer import NO_ANSWER, Answer
from .connection import connect
from .credentials import Credentials, KnowsIndex
from .errors import Denied, Unreachable
from .exchange import Bounds, exchange
from .request import Request
from .statuses import refusal, worth_repeating
from .storage_index import from_on

MAX_TRIES: Final = 6
"""How often one request is sent at most."""

_FIRST_PAUSE: Final[Milliseconds] = 100
_LONGEST_PAUSE: Final[Milliseconds] = 2_000


class Session:
    """A server with a way in; thread-safe and fork-safe.

    A read is repeated, with jitter and within `Address.deadline`, while the server is merely
    not able to answer now.  A write is repeated only when it surely was not carried out.
    """

    def __init__(
        self,
        address: Address,
        credentials: Credentials,
        *,
        clock: Clock | None = None,
        wait: Callable[[float], object] | None = None,
    ) -> None:
        self.address = address
        self._credentials = credentials
        self._clock = SystemClock() if clock is None else clock
        self._wait = threading.Event().wait if wait is None else wait
        self._adapters: PerProcess[RawAdapter] = PerProcess(lambda: connect(address))

    def __repr__(self) -> str:
        return f"Session({self.address.server!r})"

    def request(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        unauthenticated: bool = False,
        repeatable: bool = False,
    ) -> Answer:
        """Return the server's answer if its status is 200, 204, 400 or 404; anything else is raised.

        `method` is GET, LIST, POST, PATCH or DELETE; `path` follows `/v1/`.  `repeatable` says that a
        write does no harm when it is carried out twice.  Raises `Denied`, `StoreUnavailable`s
        with nothing written, `DocumentTooLarge`, and `StoreTimeout` for a write whose outcome is not known.
        """
        safe = repeatable or method in {"GET", "LIST"}
        asked = Request(method, path, body, safe, headers or {})
        deadline = self._clock.monotonic() + self.address.deadline
        tried, renewed = 0, False
        told: KeyvaultJWTError | None = None
        while True:
            token = "" if unauthenticated else self._credentials.token()
            answer, failure = self._try(self._at_once(asked, token), token, deadline)
            if failure is None:
                return answer
            if isinstance(failure, Denied) and not (unauthenticated or renewed):
                renewed = self._credentials.refused(token)
                if renewed:
                    continue
            tried += 1
            pause = max(answer.retry_after * 1000, _jittered(tried))
            late = self._clock.monotonic() + pause >= deadline
            if tried == MAX_TRIES or late or not worth_repeating(failure):
                # A last try that the deadline cut short says less than the server did before.
                raise told if late and told is not None and isinstance(failure, Unreachable) else failure
            told = failure
            self._wait(pause / 1000)

    def _at_once(self, asked: Request, token: str) -> Request:
        """Return the request so that a standby which has not heard of the token yet passes it on."""
        if not (token and isinstance(self._credentials, KnowsIndex)):
            return asked
        return replace(asked, headers={**from_on(self._credentials.index), **asked.headers})

    def _try(
        self, asked: Request, token: str, deadline: Milliseconds
    ) -> tuple[Answer, KeyvaultJWTError | None]:
        left = deadline - self._clock.monotonic()
        bounds = Bounds(
            connect=min(self.address.connect_timeout, left),
            read=min(self.address.read_timeout, left),
            clock=self._clock,
        )
        try:
            answer = exchange(self._adapters.get(), asked, token, bounds)
        except StoreError as failure:
            return NO_ANSWER, failure
        return answer, refusal(answer, asked, self.address)

    def close(self) -> None:
        """Revoke what was logged in for and close the connections."""
        try:
            self._credentials.close()
        finally:
            adapter = self._adapters.here
            if adapter is not None:
                adapter.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _jittered(tried: int) -> Milliseconds:
    """Return a pause between half and all of a doubling length, so that clients drift apart."""
    longest = min(_FIRST_PAUSE << tried, _LONGEST_PAUSE)
    return random.SystemRandom().randint(longest // 2, longest)

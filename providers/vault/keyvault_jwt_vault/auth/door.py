"""Door: requests to a server's auth methods, of whose answers nothing is quoted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hvac.adapters import RawAdapter

from keyvault_jwt.clock import Clock, Milliseconds, SystemClock
from keyvault_jwt.per_process import PerProcess

from ..address import Address
from ..answer import Answer
from ..connection import connect
from ..errors import ServerFailed
from ..exchange import Bounds, exchange
from ..granted import Granted
from ..request import Request
from ..statuses import refusal
from .errors import AuthNotMounted, LoginImpossible, LoginRefused

_LOOKED_AT = frozenset({200, 204, 400, 401, 403, 404, 405})


class Door:
    """Asks one server, over connections of its own; redirects are not followed.

    Thread-safe and fork-safe.
    """

    __slots__ = ("_bounds", "_connections", "address")

    def __init__(self, address: Address, *, clock: Clock | None = None) -> None:
        self.address = address
        self._bounds = Bounds(
            min(address.connect_timeout, address.deadline),
            min(address.read_timeout, address.deadline),
            clock or SystemClock(),
        )
        self._connections: PerProcess[RawAdapter] = PerProcess(lambda: connect(address))

    def ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, token: str = ""
    ) -> Answer:
        """Send one request to `/v1/PATH` and return the answer that the server thought of.

        Raises a `StoreUnavailable` if there is none, or if it says that the server can't answer now,
        and `WrongPlace` for a namespace that is not there.
        """
        # A login that is repeated makes one token too many, which ends by itself.
        asked = Request(method, path, body, safe=True)
        answer = exchange(self._connections.get(), asked, token, self._bounds)
        elsewhere = answer.status == 404 and "namespace" in answer.errors
        if answer.status in _LOOKED_AT and answer.is_vaults and not elsewhere:
            return answer
        failure = refusal(answer, asked, self.address)
        if failure is None or isinstance(failure, ServerFailed):
            raise LoginImpossible(
                f"{self.address.server} could not decide on {asked}",
                why=f"it answered {answer.status}",
                fix="see its log: what it relies on (a Kubernetes API, a JWKS) may be away",
            )
        raise failure

    def log_in(
        self, mount: str, path: str, body: Mapping[str, Any], *, check: str, forbids: bool = False
    ) -> Granted:
        """Log in at `auth/MOUNT/PATH`; `check` is what to look at if the server refuses.

        Most methods refuse with a 400, so that a 403 says that there is no such method; one that
        `forbids` refuses with a 403.  Raises `LoginRefused`, `AuthNotMounted` and `StoreUnavailable`s.
        """
        answer = self.ask("POST", f"auth/{mount}/{path}", body)
        if answer.status == 200:
            return granted(answer)
        if answer.status in {404, 405} or (answer.status == 403 and not forbids):
            # An unknown path is answered like a forbidden one, so that nobody can probe for mounts.
            where = f" in the namespace {self.address.namespace}" if self.address.namespace else ""
            raise AuthNotMounted(
                f"no login at auth/{mount}{where}",
                why=f"the server answered {answer.status}: nothing is mounted there, or another kind of "
                "method, or it does not let these credentials in",
                fix=f"let auth_mount in the store URL be the method's mount path; if it is, check {check}",
            )
        raise LoginRefused(
            f"the login at auth/{mount} was refused",
            why=f"the server answered {answer.status}",
            fix=f"check {check}",
        )

    def close(self) -> None:
        """Give up this process's connections."""
        connection = self._connections.here
        if connection is not None:
            connection.close()


def granted(answer: Answer) -> Granted:
    """Return the token of an answer to a login or a renewal; raises `LoginRefused` if there is none."""
    auth = answer.body.get("auth")
    if (
        not isinstance(auth, dict)
        or not isinstance(auth.get("client_token"), str)
        or not auth["client_token"]
    ):
        raise LoginRefused(
            "the server's answer to a login holds no token",
            why="it asks for a second factor, or what answered is not Vault",
            fix="check VAULT_ADDR, and let this role log in without a second factor",
        )
    ttl, accessor = seconds(auth.get("lease_duration")), str(auth.get("accessor") or "")
    if ttl and not accessor:
        # A batch token counts from the second in which it was made, which may be over already.
        ttl = max(1, ttl - 1000)
    return Granted(
        token=auth["client_token"],
        ttl=ttl,
        renewable=auth.get("renewable") is True,
        accessor=accessor,
        index=answer.index,
    )


def seconds(count: object) -> Milliseconds:
    """Return whole seconds of an answer in milliseconds; 0 stands for ever."""
    return count * 1000 if isinstance(count, int) and count > 0 else 0

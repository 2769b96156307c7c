"""Fleet: the processes of a demonstration, started together and ended together."""

from __future__ import annotations

import queue
import secrets
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Final, Self

from ..duration import milliseconds
from ..keyring import Keyring
from .cast import Cast, VerifierRole
from .extra import require_extra
from .member import Inbox, Member
from .messages import Awake, Left, Ready, Report, SchedulerPart, ServerPart, SignerPart, VerifierPart
from .place import Place

AUDIENCE: Final = "api"
SERVER: Final = "server-1"
_GRACE: Final = 2.0


class Fleet:
    """Starts members, hears their reports, and ends them all when the block is left."""

    def __init__(self, place: Place, cast: Cast) -> None:
        require_extra()
        self._place, self._cast = place, cast
        self._inbox: Inbox = queue.SimpleQueue()
        self.members: dict[str, Member] = {}
        self._awake: set[str] = set()
        self._addresses: dict[str, tuple[str, int] | None] = {}
        self._door = f"/{secrets.token_urlsafe(16)}"
        self._started = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for member in self.members.values():
            member.dismiss()
        end = time.monotonic() + _GRACE
        for member in self.members.values():
            member.close(max(0.0, end - time.monotonic()))

    # --- starting ----------------------------------------------------------------------------

    def gather(self) -> None:
        """Start every process; each waits for its part."""
        for role, count in (
            ("scheduler", self._cast.schedulers),
            ("server", 1),
            ("verifier", len(self._cast.verifiers)),
            ("signer", self._cast.signers),
        ):
            for number in range(1, count + 1):
                self._start(f"{role}-{number}", role)

    def begin_rotation(self) -> None:
        """Give the schedulers and the JWKS server their parts."""
        where = self._place.url, self._place.ring
        for member in self.of("scheduler"):
            member.begin(SchedulerPart(*where))
        for member in self.of("server"):
            member.begin(ServerPart(*where))

    def begin_verifying(self, keyring: Keyring) -> None:
        """Give the verifiers their parts: they ask the JWKS server that is ready."""
        for name, role in self.verifiers():
            self.members[name].begin(self._verifier(role, keyring))

    def begin_signing(self) -> None:
        """Give the signers their parts: they send their tokens to the verifiers that are ready."""
        doors = tuple(self.address(member.name) for member in self.of("verifier"))
        for member in self.of("signer"):
            member.begin(SignerPart(self._place.url, self._place.ring, AUDIENCE, self._door, doors))

    def restart_server(self, port: int) -> None:
        """Start another JWKS server at the port of one that was killed."""
        self.members[SERVER].close()
        self._addresses.pop(SERVER)
        self._start(SERVER, "server")
        self.members[SERVER].begin(ServerPart(self._place.url, self._place.ring, port))

    def _verifier(self, role: VerifierRole, keyring: Keyring) -> VerifierPart:
        host, port = self.address(SERVER)
        return VerifierPart(
            library=role.library,
            jwks=f"http://{host}:{port}/{keyring.ring}/.well-known/jwks.json",
            issuer=keyring.issuer,
            audience=AUDIENCE,
            algorithms=role.algorithms,
            max_age=milliseconds(keyring.policy.jwks_max_age) / 1000,
            leeway=milliseconds(keyring.policy.leeway),
            door=self._door,
            forgets=role.forgets,
        )

    def _start(self, name: str, role: str) -> None:
        self._started += 1
        self.members[name] = Member(
            name,
            role,
            self._inbox,
            environment=self._place.environment(role),
            remarks=self._place.directory / f"remarks-{self._started}-{name}",
        )

    # --- looking -----------------------------------------------------------------------------

    def of(self, role: str) -> list[Member]:
        """Return the members of a role that run."""
        return [m for m in self.members.values() if m.role == role and m.status is None]

    def verifiers(self) -> Iterator[tuple[str, VerifierRole]]:
        """Yield each verifier's name and role."""
        for number, role in enumerate(self._cast.verifiers, 1):
            yield f"verifier-{number}", role

    @property
    def awake(self) -> bool:
        """Whether every process is there and waits for its part."""
        return self._awake >= self.members.keys()

    def ready(self, role: str) -> bool:
        """Whether every member of a role is at work."""
        return all(m.name in self._addresses for m in self.members.values() if m.role == role)

    def address(self, name: str) -> tuple[str, int]:
        """Return where a member listens that is ready."""
        address = self._addresses[name]
        assert address is not None
        return address

    # --- hearing -----------------------------------------------------------------------------

    def reports(self, seconds: float) -> Iterator[tuple[str, Report]]:
        """Yield what was reported, waiting for at most `seconds` for the first; raises `MemberLost`."""
        patience: float | None = seconds
        while True:
            try:
                member, report = self._inbox.get(timeout=patience) if patience else self._inbox.get_nowait()
            except queue.Empty:
                return
            patience = None
            if isinstance(report, Left):
                if not member.expected_to_end:
                    raise member.lost()
            elif isinstance(report, Awake):
                self._awake.add(member.name)
            elif isinstance(report, Ready):
                self._addresses[member.name] = report.address
            yield member.name, report

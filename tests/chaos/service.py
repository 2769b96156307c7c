"""Service: one keyring in use, by two signers, a publisher and two verifiers, each a process."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Final, Self, TypeVar

from keyvault_jwt.clock import Instant, SystemClock
from keyvault_jwt.demo.cast import Cast, VerifierRole
from keyvault_jwt.demo.fleet import Fleet
from keyvault_jwt.demo.messages import Library, Stop
from keyvault_jwt.demo.place import Place
from keyvault_jwt.demo.tally import Tally
from keyvault_jwt.errors import (
    ClockJumped,
    Conflict,
    OutcomeUnknown,
    RemovalUnconfirmed,
    StoreTimeout,
    StoreUnavailable,
)
from keyvault_jwt.keyring import Keyring

SIGNERS: Final = 2
VERIFIERS: Final = 2
_PASSING: Final = (
    ClockJumped,
    Conflict,
    OutcomeUnknown,
    RemovalUnconfirmed,
    StoreTimeout,
    StoreUnavailable,
)
_Answer = TypeVar("_Answer")


class Service:
    """The processes, the tally of what they report, and the stage on which acts are performed."""

    def __init__(self, place: Place, turn: Callable[[], None], sight: Callable[[str], Keyring]) -> None:
        self.place, self.tally = place, Tally()
        roles = (VerifierRole(Library.OURS),) * VERIFIERS
        self.fleet = Fleet(place, Cast(schedulers=0, signers=SIGNERS, verifiers=roles))
        self._turn, self._sight = turn, sight
        self._clock = SystemClock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.fleet.__exit__(kind, error, trace)

    def hear(self) -> None:
        """Count what was reported so far."""
        for member, report in self.fleet.reports(0.01):
            self.tally.hear(member, report)

    def assemble(self) -> None:
        """Begin to publish, to verify and to sign."""
        fleet = self.fleet
        fleet.begin_rotation()
        self.until(lambda: fleet.ready("server"))
        fleet.begin_verifying(self.keyring)
        self.until(lambda: fleet.ready("verifier"))
        fleet.begin_signing()
        self.until(lambda: fleet.ready("signer"))

    def sign_no_more(self) -> None:
        """Let the signers stop."""
        for member in self.fleet.of("signer"):
            member.order(Stop())

    @property
    def everybody(self) -> frozenset[str]:
        """The verifiers' names."""
        return frozenset(name for name, _ in self.fleet.verifiers())

    @property
    def judged(self) -> bool:
        """Whether every verifier judged every token, or none of them lives any longer."""
        last = max((issued.expires for issued in self.tally.issued.values()), default=0)
        return self.now >= last or self.tally.judged_by_all(self.everybody) == len(self.tally.issued)

    # --- what acts ask for ---------------------------------------------------------------------

    @property
    def keyring(self) -> Keyring:
        """The keyring as it was last seen."""
        return self._sight(self.place.ring)

    @property
    def now(self) -> Instant:
        """The wall-clock time."""
        return self._clock.wall()

    def until(self, state: Callable[[], bool]) -> None:
        """Let everything go on until `state()` is true."""
        while not state():
            self._turn()

    def insist(self, command: Callable[[], _Answer]) -> _Answer:
        """Carry out an operator's command, again if it asks for that."""
        while True:
            try:
                return command()
            except _PASSING:
                self._turn()

    def say(self, text: str) -> None:
        """Tell whoever watches what happens."""
        print(f"{self.place.ring}: {text}", flush=True)

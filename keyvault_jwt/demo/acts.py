"""Acts: what is done to the fleet, one after the other, and what shows that it happened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Protocol, TypeVar

from ..clock import Instant, Milliseconds
from ..keyring import Keyring
from ..plan import ready_standby, rotation_due
from .fast_time import NEXT_ALGORITHM, ROTATIONS
from .fleet import SERVER, Fleet
from .messages import Watch
from .outage import Outage
from .place import Place
from .tally import Revocation, Tally

_Answer = TypeVar("_Answer")

ENCORE: Final[Milliseconds] = 2_000
"""How long the verifiers go on trying a revoked key past its bound."""
TRIES: Final = 5
"""How often each verifier has tried a revoked key past its bound before that shows anything."""
IN_USE: Final[Milliseconds] = 1_000
"""How long a key signs at least before it is revoked, so that there is something to refuse."""
SCHEDULED: Final = "rotation due"
"""What the ledger says of a promotion that nobody asked for."""


class Stage(Protocol):
    """What acts are performed on."""

    place: Place
    fleet: Fleet
    tally: Tally

    @property
    def keyring(self) -> Keyring:
        """The keyring as it was last seen."""
        ...

    @property
    def now(self) -> Instant:
        """The wall-clock time."""
        ...

    def until(self, state: Callable[[], bool]) -> None:
        """Let the fleet play until `state()` is true; raises `OutOfTime`."""
        ...

    def insist(self, command: Callable[[], _Answer]) -> _Answer:
        """Carry out an operator's command, again if it asks for that."""
        ...

    def say(self, text: str) -> None:
        """Tell the audience what happens."""
        ...


class Act(Protocol):
    """One promised scene: its title says what will have happened once `perform` has returned."""

    @property
    def title(self) -> str:
        """What happens, in a few words."""
        ...

    def perform(self, stage: Stage) -> None:
        """Make it happen, and see that it did."""
        ...


@dataclass(frozen=True, slots=True)
class Rotations:
    """The schedule has replaced the active key so many times since the beginning."""

    count: int

    @property
    def title(self) -> str:
        """What happens, in a few words."""
        return f"{self.count} rotation{'s' if self.count > 1 else ''} by schedule"

    def perform(self, stage: Stage) -> None:
        """Wait for the schedule."""
        stage.until(lambda: rotations(stage.keyring) >= self.count)


@dataclass(frozen=True, slots=True)
class Migration:
    """The keyring signs with another algorithm, and every verifier has accepted it."""

    to: str

    @property
    def title(self) -> str:
        """What happens, in a few words."""
        return f"migration to {self.to}"

    def perform(self, stage: Stage) -> None:
        """Publish keys of the other algorithm, confirm, and wait until one signs."""
        manager, ring = stage.place.manager, stage.place.ring
        stage.say(f"migration to {self.to}: its keys are published beside the others")
        stage.insist(lambda: manager.migrate(ring, to=self.to))
        stage.insist(lambda: manager.migrate(ring, to=self.to, confirm=True))
        stage.until(lambda: stage.keyring.algorithm == self.to and signing_key_known(stage))
        stage.say(f"{self.to} signs, and every verifier has accepted it")


@dataclass(frozen=True, slots=True)
class SchedulerKilled:
    """A scheduler was killed at the moment a rotation was due, and the rotation happened."""

    title: str = "a scheduler killed"

    def perform(self, stage: Stage) -> None:
        """Kill the first scheduler with SIGKILL, and wait for the rotation."""
        before = rotations(stage.keyring)
        stage.until(lambda: _rotation_is_due(stage))
        victim = stage.fleet.of("scheduler")[0]
        victim.kill()
        stage.say(f"{victim.name} was killed (SIGKILL) as a rotation was due")
        stage.until(lambda: rotations(stage.keyring) > before)


@dataclass(frozen=True, slots=True)
class ServerRestarted:
    """The JWKS server was killed, some verifier missed it, and it came back."""

    title: str = "the JWKS server killed and restarted"

    def perform(self, stage: Stage) -> None:
        """Kill it with SIGKILL, wait until it is missed, and start it anew at its address."""
        fleet, tally = stage.fleet, stage.tally
        _, port = fleet.address(SERVER)
        missed = tally.unanswered.total()
        (server,) = fleet.of("server")
        outage = Outage(stage.now)
        tally.outages.append(outage)
        server.kill()
        stage.say("the JWKS server was killed (SIGKILL)")
        stage.until(lambda: tally.unanswered.total() > missed)
        fleet.restart_server(port)
        stage.until(lambda: fleet.ready("server"))
        tally.outages[-1] = replace(outage, ended=stage.now)
        stage.say("the JWKS server is back")
        accepted = {member.name: tally.accepted_by(member.name) for member in fleet.of("verifier")}
        stage.until(lambda: all(tally.accepted_by(name) > count for name, count in accepted.items()))


@dataclass(frozen=True, slots=True)
class RevokedInEmergency:
    """The active key was revoked, another signs, and every verifier was tried past the bound."""

    title: str = "an emergency revocation of the active key"

    def perform(self, stage: Stage) -> None:
        """Revoke the key that every verifier accepts, and go on trying it past the bound stated."""
        stage.until(lambda: _is_in_use(stage) and _standby_is_ready(stage) and signing_key_known(stage))
        active = stage.keyring.active
        assert active is not None
        self._revoke(stage, active.kid)
        for member in stage.fleet.of("verifier"):
            member.order(Watch(active.kid))
        stage.until(lambda: signing_key_known(stage) and _tried_past_bound(stage))

    @staticmethod
    def _revoke(stage: Stage, kid: str) -> None:
        manager, ring, tally = stage.place.manager, stage.place.ring, stage.tally
        tally.revocation = Revocation(kid, stage.now)
        report = stage.insist(lambda: manager.revoke(ring, kid, reason="leaked in a demonstration"))
        tally.revocation = replace(
            tally.revocation,
            removed=report.keyring.record(kid).revoked,
            bound=manager.revocation_bound(report, kid),
        )
        assert tally.revocation.bound is not None
        left = (tally.revocation.bound - stage.now) / 1000
        stage.say(f"{kid[:8]} was revoked: no verifier accepts it after another {left:.1f} s")


PLAY: Final[tuple[Act, ...]] = (
    Rotations(1),
    Migration(NEXT_ALGORITHM),
    SchedulerKilled(),
    Rotations(3),
    ServerRestarted(),
    Rotations(ROTATIONS),
    RevokedInEmergency(),
)
"""What is promised of a demonstration."""


def rotations(keyring: Keyring) -> int:
    """Return how many times the schedule has replaced the active key."""
    return sum(e.action == "promoted" and e.detail == SCHEDULED for e in keyring.ledger.entries)


def signing_key_known(stage: Stage) -> bool:
    """Whether every verifier has accepted a token of the key that signs now."""
    active = stage.keyring.active
    return active is not None and all(
        stage.tally.knows(member.name, active.kid) for member in stage.fleet.of("verifier")
    )


def _rotation_is_due(stage: Stage) -> bool:
    due = rotation_due(stage.keyring)
    return due is not None and stage.now >= due


def _is_in_use(stage: Stage) -> bool:
    active = stage.keyring.active
    return active is not None and stage.now >= (active.activated or stage.now) + IN_USE


def _standby_is_ready(stage: Stage) -> bool:
    return ready_standby(stage.keyring, stage.now, stage.place.staleness) is not None


def _tried_past_bound(stage: Stage) -> bool:
    bound = None if stage.tally.revocation is None else stage.tally.revocation.bound
    everybody = [member.name for member in stage.fleet.of("verifier")]
    tried = all(stage.tally.tried_by(name) >= TRIES for name in everybody)
    return bound is not None and stage.now >= bound + ENCORE and tried

"""Conductor: starts the fleet, performs the acts, and ends with the closing count."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from ..clock import Clock, Instant, Milliseconds, SystemClock
from ..errors import (
    ClockJumped,
    Conflict,
    KeyvaultJWTError,
    OutcomeUnknown,
    RemovalUnconfirmed,
    StoreTimeout,
    StoreUnavailable,
)
from ..keyring import Keyring
from ..plan import Plan, plan
from ..store import limits_of
from .acts import PLAY, Act, rotations
from .audience import Audience, View
from .cast import Cast
from .closing import Closing, Scene
from .errors import DemoFailed
from .fast_time import fast_policy, limit
from .fleet import Fleet
from .messages import Stop
from .place import Place
from .tally import Tally

ISSUER: Final = "https://demo.example"
_TICK: Final = 0.05
_LOOK: Final[Milliseconds] = 200
_PASSING: Final = (
    ClockJumped,
    Conflict,
    OutcomeUnknown,
    RemovalUnconfirmed,
    StoreTimeout,
    StoreUnavailable,
)
_Answer = TypeVar("_Answer")


class OutOfTime(Exception):
    """The play lasted longer than it may."""


@dataclass(frozen=True, slots=True)
class _Sight:
    keyring: Keyring
    plan: Plan
    at: Milliseconds


class Conductor:
    """Plays once.  `stopped` is asked many times a second whether a person wants it to end."""

    def __init__(
        self,
        place: Place,
        audience: Audience,
        *,
        cast: Cast | None = None,
        acts: Sequence[Act] = PLAY,
        clock: Clock | None = None,
        most: Milliseconds | None = None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self.place, self.tally = place, Tally()
        self.fleet = Fleet(place, Cast() if cast is None else cast)
        self._audience, self._acts, self._stopped = audience, tuple(acts), stopped
        self._clock = SystemClock() if clock is None else clock
        self._began, self._started = self._clock.wall(), self._clock.monotonic()
        self._most = limit(place.staleness) if most is None else most
        self._sight: _Sight | None = None
        self._told_rotations = 0

    def play(self) -> Closing:
        """Play to the end, or as far as time allows.

        Raises `MemberLost`, what the store raises, `DemoFailed` if not even the keyring was made
        in time, and `KeyboardInterrupt` if a person wants it to end.
        """
        happened: list[Act] = []
        with self.fleet:
            try:
                self._assemble()
                for act in self._acts:
                    act.perform(self)
                    happened.append(act)
                self._lower_the_curtain()
            except OutOfTime:
                self.say("time is up")
                self._require_a_keyring()
            self._look()
        return Closing(
            view=self._view(),
            scenes=tuple(Scene(act.title, act in happened) for act in self._acts),
            verifiers=tuple((name, role.library) for name, role in self.fleet.verifiers()),
            length=self._elapsed,
        )

    # --- what acts ask for ---------------------------------------------------------------------

    @property
    def keyring(self) -> Keyring:
        """The keyring as it was last seen."""
        assert self._sight is not None
        return self._sight.keyring

    @property
    def now(self) -> Instant:
        """The wall-clock time."""
        return self._clock.wall()

    def until(self, state: Callable[[], bool]) -> None:
        """Let the fleet play until `state()` is true; raises `OutOfTime`."""
        while not state():
            self._turn()

    def insist(self, command: Callable[[], _Answer]) -> _Answer:
        """Carry out an operator's command, again if it asks for that; raises what can't pass."""
        while True:
            try:
                return command()
            except _PASSING:
                self._turn()

    def say(self, text: str) -> None:
        """Tell the audience what happens."""
        self._audience.hear(self._elapsed, text)

    # --- one turn after the other ----------------------------------------------------------------

    @property
    def _elapsed(self) -> Milliseconds:
        return self._clock.monotonic() - self._started

    def _turn(self) -> None:
        """Hear what was reported, look at the keyring now and then, and mind the time."""
        if self._stopped():
            raise KeyboardInterrupt
        if self._elapsed > self._most:
            raise OutOfTime
        for member, report in self.fleet.reports(_TICK):
            self.tally.hear(member, report)
        if self._sight is not None and self._clock.monotonic() >= self._sight.at + _LOOK:
            self._look()

    def _look(self) -> None:
        manager = self.place.manager
        try:
            keyring = manager.keyring(self.place.ring)
        except KeyvaultJWTError:
            if self._sight is None:
                raise
            return  # the next look may see more
        due = plan(keyring, self.now, staleness=self.place.staleness, limits=limits_of(manager.store))
        self._sight = _Sight(keyring, due, self._clock.monotonic())
        self._tell_rotations(rotations(keyring))
        self._audience.watch(self._view())

    def _tell_rotations(self, count: int) -> None:
        for number in range(self._told_rotations + 1, count + 1):
            self.say(f"rotation {number}: the next key signs, as the schedule says")
        self._told_rotations = max(self._told_rotations, count)

    def _view(self) -> View:
        assert self._sight is not None
        sight = self._sight
        return View(self._began, sight.plan.at, sight.keyring, sight.plan, self.tally, self.place.staleness)

    # --- beginning and end -----------------------------------------------------------------------

    def _assemble(self) -> None:
        self.say("the fleet assembles")
        manager, fleet = self.place.manager, self.fleet
        fleet.gather()
        self.until(lambda: fleet.awake)
        self._began = self.now
        manager.create(self.place.ring, fast_policy(self.place.staleness), issuer=ISSUER)
        self._look()
        fleet.begin_rotation()
        self.until(lambda: fleet.ready("server"))
        fleet.begin_verifying(self.keyring)
        self.until(lambda: fleet.ready("verifier"))
        fleet.begin_signing()
        self.until(lambda: fleet.ready("signer") and fleet.ready("scheduler"))
        count = {role: len(fleet.of(role)) for role in ("scheduler", "signer", "verifier")}
        self.say(
            f"{count['scheduler']} schedulers, {count['signer']} signers and {count['verifier']} verifiers"
            " are at work"
        )

    def _require_a_keyring(self) -> None:
        if self._sight is None:
            raise DemoFailed(
                "the fleet did not assemble in time",
                why="its processes took too long to start",
                fix="run it again on a machine with less to do",
            )

    def _lower_the_curtain(self) -> None:
        """Sign no more, and wait until every token was judged by every verifier, or has expired."""
        for member in self.fleet.of("signer"):
            member.order(Stop())
        settled = self.now + _LOOK
        self.until(lambda: self.now >= settled)
        everybody = frozenset(member.name for member in self.fleet.of("verifier"))
        last = max((issued.expires for issued in self.tally.issued.values()), default=0)
        self.until(lambda: self.tally.judged_by_all(everybody) == len(self.tally.issued) or self.now >= last)

"""A scheduler: passes over every keyring when its plan is due, and at odd times."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial

from keyvault_jwt import command
from keyvault_jwt.clock import Milliseconds
from keyvault_jwt.errors import KeyvaultJWTError, RolledBack
from keyvault_jwt.report import Report
from tests.simulation.drawn_policy import log_uniform
from tests.simulation.ring import Ring
from tests.simulation.rotator import Rotator
from tests.simulation.site import Site

_RECONCILE = command.Reconcile()

Alarm = Callable[[Ring, Rotator], None]
"""Told of a keyring that was rolled back, and by which process."""


class Scheduler:
    """Several passes at a time, the rest in a queue; a failed one is tried again."""

    def __init__(self, name: str, site: Site, rings: list[Ring], alarm: Alarm) -> None:
        self.rotator, self._alarm = Rotator(name, site), alarm
        self.idle = False
        self._agenda, self._dice = site.agenda, site.dice
        self._punctual = site.dice.random() < 0.5
        self._queue: deque[Ring] = deque()
        self._free = site.dice.choice((1, 2, 4))
        self._failures: dict[str, int] = {}
        self._numbers: dict[str, int] = {}
        for ring in rings:
            self.look_at(ring, site.dice.randrange(max(1, ring.scale)))

    def hire(self, workers: int) -> None:
        """Have more passes at a time."""
        self._free += workers

    def look_at(self, ring: Ring, pause: Milliseconds) -> None:
        """Look at a keyring after a pause, and not at another moment."""
        number = self._numbers[ring.name] = self._numbers.get(ring.name, 0) + 1
        self._agenda.after(pause, lambda: self._due(ring, number))

    def _due(self, ring: Ring, number: int) -> None:
        if not (self.idle or ring.over or (number != self._numbers[ring.name])):
            self._queue.append(ring)
            self._work()

    def _work(self) -> None:
        while self._queue and self._free:
            ring, self._free = self._queue.popleft(), self._free - 1
            self.rotator.begin(_RECONCILE, ring, partial(self._ended, ring))

    def _ended(self, ring: Ring, outcome: Report | KeyvaultJWTError | None) -> None:
        self._free += 1
        if isinstance(outcome, RolledBack):
            self._alarm(ring, self.rotator)
        # Whoever ends the faults, and every process with them, has planned its first look already.
        if outcome is not None or not ring.quiet:
            self.look_at(ring, self._pause(ring, outcome))
        self._agenda.after(0, self._work)

    def _pause(self, ring: Ring, outcome: Report | KeyvaultJWTError | None) -> Milliseconds:
        """Return when to look again: at the plan's next date, sometimes sooner, sometimes late."""
        if not isinstance(outcome, Report):
            failures = self._failures[ring.name] = min(self._failures.get(ring.name, 0) + 1, 6)
            return max(1, (ring.scale << failures) // 512)
        self._failures[ring.name] = 0
        due = outcome.plan.next_due
        pause = ring.scale if due is None else max(due - self.rotator.clock.wall(), 1)
        if ring.quiet:
            return pause
        if self._dice.random() < 0.2:
            return self._dice.randint(1, pause)
        return pause if self._punctual else pause + log_uniform(self._dice, 1, max(2, ring.scale))

"""One machine's clocks: off by less than ε, and stepped now and then within it."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager

from keyvault_jwt.cache.freshness import Moment
from keyvault_jwt.clock import Instant, Milliseconds
from tests.simulation.agenda import Agenda


class ProcessClock:
    """A `Clock` whose wall time is never more than ε from another machine's."""

    def __init__(self, agenda: Agenda, skew: Milliseconds, dice: random.Random, *, until: Instant) -> None:
        self._agenda = agenda
        self._pinned: Instant | None = None
        steps, most = dice.choice((0, 0, 0, 1, 3)), skew // 2
        self._since = [agenda.start, *sorted(dice.randrange(agenda.start, until) for _ in range(steps))]
        self._offsets = [dice.choice((0, -most, most, dice.randint(-most, most))) for _ in self._since]

    @property
    def true(self) -> Instant:
        """The true time, which no machine knows."""
        return self._agenda.now if self._pinned is None else self._pinned

    def wall(self) -> Instant:
        """Return what the machine's wall clock says."""
        now = self.true
        return now + self._offsets[max(0, bisect_right(self._since, now) - 1)]

    def monotonic(self) -> Milliseconds:
        """Return a time that is never stepped."""
        return self.true

    @property
    def moment(self) -> Moment:
        """Both clocks at once."""
        return Moment(self.wall(), self.monotonic())

    @contextmanager
    def back_at(self, when: Instant) -> Iterator[None]:
        """Do something as if it were done earlier: nobody looked at this machine since."""
        before, self._pinned = self._pinned, when
        try:
            yield
        finally:
            self._pinned = before

"""WatchList: which keyrings a scheduler watches, and when to look at each again."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from .clock import Clock, Instant, Milliseconds
from .due_heap import DueHeap

LONGEST_REREAD: Final[Milliseconds] = 3_600_000
"""A keyring is read again at least this often, and at least four times in its R."""
LONGEST_SPREAD: Final[Milliseconds] = 30_000
"""By how much several schedulers are spread at most; 1 % of R if that is less."""
LONGEST_BACKOFF: Final[Milliseconds] = 300_000
"""The longest a failing keyring is left alone."""
FIRST_BACKOFF: Final[Milliseconds] = 1_000


class Moment(NamedTuple):
    """One look at both clocks: dates in documents are wall time, waiting is monotonic."""

    wall: Instant
    monotonic: Milliseconds

    @classmethod
    def of(cls, clock: Clock) -> Moment:
        """Return the clock's present moment."""
        return cls(clock.wall(), clock.monotonic())


@dataclass(slots=True)
class Watched:
    """How a keyring fared: how often it is read at least, and how often in a row a pass led nowhere."""

    every: Milliseconds | None = None
    failures: int = 0
    restless: int = 0


class WatchList:
    """Keyrings with the dates of their plans and the times of their next reading; not thread-safe.

    Dates are instants of the wall clock, so that a clock set forward makes what is due due at
    once; re-readings count on the monotonic one, so that a clock set back postpones no keyring
    for longer than its re-reading.  `jitter` returns a number from 0 to its argument.
    """

    def __init__(self, jitter: Callable[[Milliseconds], Milliseconds]) -> None:
        self._jitter = jitter
        self._watched: dict[str, Watched] = {}
        self._dates, self._rereads = DueHeap(), DueHeap()
        self._urgent: deque[str] = deque()
        self._routine: deque[str] = deque()
        self._running: set[str] = set()

    def __len__(self) -> int:
        return len(self._watched)

    def __contains__(self, ring: str) -> bool:
        return ring in self._watched

    def set_names(self, names: Iterable[str], moment: Moment) -> None:
        """Watch exactly these keyrings: new ones are due now, those not named are forgotten."""
        wanted = set(names)
        for ring in self._watched.keys() - wanted:
            del self._watched[ring]
            self._dates.remove(ring)
            self._rereads.remove(ring)
        for ring in wanted - self._watched.keys():
            self._watched[ring] = Watched()
            if ring not in self._running:
                self._rereads.put(ring, moment.monotonic)

    def ripen(self, moment: Moment) -> bool:
        """Move what is due to where `take` finds it, and return whether there is anything."""
        for ring in self._dates.take(moment.wall):
            self._rereads.remove(ring)
            self._urgent.append(ring)
        for ring in self._rereads.take(moment.monotonic):
            self._dates.remove(ring)
            self._routine.append(ring)
        return bool(self._urgent or self._routine)

    def take(self, moment: Moment) -> str | None:
        """Return a keyring that is due, one with a date first; it must be put back by its outcome."""
        self.ripen(moment)
        while self._urgent or self._routine:
            ring = (self._urgent or self._routine).popleft()
            if ring in self._watched:
                self._running.add(ring)
                return ring
        return None

    def is_quiet(self, moment: Moment) -> bool:
        """Return whether nothing is due and nothing that was taken is still to be put back."""
        return not self.ripen(moment) and not self._running

    def wait(self, moment: Moment) -> Milliseconds | None:
        """Return how long nothing more will be due; None if nothing is to come."""
        date, reread = self._dates.earliest(), self._rereads.earliest()
        waits = [] if date is None else [date - moment.wall]
        waits += [] if reread is None else [reread - moment.monotonic]
        return max(0, min(waits)) if waits else None

    # --- outcomes --------------------------------------------------------------------------

    def passed(
        self, ring: str, moment: Moment, *, due: Instant | None, rotate_every: Milliseconds, changed: bool
    ) -> None:
        """Put back a keyring whose pass succeeded: `due` is its plan's next date, R `rotate_every`."""
        if (watched := self._back(ring)) is None:
            return
        first, watched.every = watched.every is None, max(1, min(LONGEST_REREAD, rotate_every // 4))
        watched.failures = 0
        if due is not None and due <= moment.wall:
            # More is to be done at once (I7 lets a pass make one step of a key); if passes lead
            # nowhere, the pauses grow.
            watched.restless = 1 if changed else watched.restless + 1
            pause = min(max(10, rotate_every // 1000), FIRST_BACKOFF) << min(watched.restless - 1, 20)
            self._rereads.put(ring, moment.monotonic + min(pause, watched.every))
            return
        watched.restless = 0
        # The first re-reading falls anywhere, so that keyrings read in one rush don't stay together.
        spread = watched.every if first else watched.every // 4
        self._rereads.put(ring, moment.monotonic + watched.every - self._jitter(spread))
        if due is not None:
            self._dates.put(ring, due + self._jitter(min(rotate_every // 100, LONGEST_SPREAD)))

    def rested(self, ring: str, moment: Moment) -> None:
        """Put back a keyring with which there is nothing to do, such as a frozen one."""
        if (watched := self._back(ring)) is not None:
            watched.failures = watched.restless = 0
            self._rereads.put(ring, moment.monotonic + LONGEST_REREAD - self._jitter(LONGEST_REREAD // 4))

    def failed(self, ring: str, moment: Moment) -> tuple[int, Milliseconds]:
        """Put back a keyring whose pass failed; return how often in a row, and for how long it rests."""
        if (watched := self._back(ring)) is None:
            return 0, 0
        watched.failures += 1
        longest = LONGEST_BACKOFF if watched.every is None else min(LONGEST_BACKOFF, watched.every)
        first = min(FIRST_BACKOFF, max(10, longest // 16))
        pause = min(longest, first << min(watched.failures - 1, 20))
        pause -= self._jitter(pause // 4)
        self._rereads.put(ring, moment.monotonic + pause)
        return watched.failures, pause

    def raced(self, ring: str, moment: Moment) -> None:
        """Put back a keyring that another writer was busy with: soon, but not in step with it."""
        if (watched := self._back(ring)) is not None:
            most = FIRST_BACKOFF if watched.every is None else min(FIRST_BACKOFF, watched.every)
            self._rereads.put(ring, moment.monotonic + 10 + self._jitter(most))

    def _back(self, ring: str) -> Watched | None:
        self._running.discard(ring)
        self._dates.remove(ring)
        return self._watched.get(ring)

"""The virtual clock: a heap of what happens when, walked from event to event without waiting."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count

from keyvault_jwt.clock import Instant, Milliseconds

Act = Callable[[], None]


class Agenda:
    """What happens next; events of one instant happen in the order in which they were put down."""

    def __init__(self, start: Instant) -> None:
        self.now = self.start = start
        self._heap: list[tuple[Instant, int, Act]] = []
        self._numbers = count()

    def at(self, when: Instant, act: Act) -> None:
        """Put down an event; one for the past happens at once."""
        heapq.heappush(self._heap, (max(when, self.now), next(self._numbers), act))

    def after(self, pause: Milliseconds, act: Act) -> None:
        """Put down an event for `pause` milliseconds from now."""
        self.at(self.now + pause, act)

    def run_while(self, wanted: Callable[[], bool]) -> None:
        """Let happen what is put down, one event after another, as long as it is wanted."""
        while self._heap and wanted():
            self.now, _, act = heapq.heappop(self._heap)
            act()

    def run_until(self, end: Instant, wanted: Callable[[], bool] = lambda: True) -> None:
        """Let everything happen that is due until `end`, and stand there; earlier once it is not wanted."""
        while self._heap and self._heap[0][0] <= end:
            if not wanted():
                return
            self.now, _, act = heapq.heappop(self._heap)
            act()
        self.now = max(self.now, end)

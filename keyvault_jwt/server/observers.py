"""Observers: one listener for a whole process, so that its server can show what its parts tell."""

from __future__ import annotations

from ..clock import Clock, SystemClock
from ..events import Event, Listener, log
from ..metrics import Metrics
from .alarm_book import AlarmBook


class Observers:
    """Counts events, books alarms, and passes each event on to `then`.

    Give the same one as `listener` to the manager and scheduler and as `observers` to
    `create_app`, and the page and metrics tell of all three.
    """

    def __init__(self, *, clock: Clock | None = None, then: Listener = log) -> None:
        self.clock = SystemClock() if clock is None else clock
        self.metrics = Metrics(clock=self.clock)
        self.alarms = AlarmBook(self.clock)
        self._then = then

    def __call__(self, event: Event) -> None:
        """Take an event in, and pass it on."""
        self.metrics(event)
        self.alarms(event)
        self._then(event)

"""AlarmBook: the latest alarms, for the dashboard."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, replace

from ..clock import Clock, Instant
from ..events import Event


@dataclass(frozen=True, slots=True)
class Alarm:
    """An event that asks for a person: when it was last heard, and how often."""

    event: Event
    last: Instant
    count: int = 1


class AlarmBook:
    """A listener that keeps the `size` latest alarms; those that say the same are one, counted."""

    def __init__(self, clock: Clock, size: int = 50) -> None:
        self._clock, self._size = clock, size
        self._guard = threading.Lock()
        self._alarms: OrderedDict[tuple[str, str, str], Alarm] = OrderedDict()

    def __call__(self, event: Event) -> None:
        """Note the event if it is an alarm."""
        if not event.alarm:
            return
        key = (event.name, event.ring, str(event.facts.get("code", event.facts.get("what", ""))))
        alarm = Alarm(event, self._clock.wall())
        with self._guard:
            if (known := self._alarms.pop(key, None)) is not None:
                alarm = replace(alarm, count=known.count + 1)
            self._alarms[key] = alarm
            if len(self._alarms) > self._size:
                self._alarms.popitem(last=False)

    def latest(self) -> list[Alarm]:
        """Return the alarms, the latest first."""
        with self._guard:
            return list(reversed(self._alarms.values()))

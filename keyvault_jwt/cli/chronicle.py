"""Chronicle: what happens while a service runs, as lines on stderr."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from ..clock import Clock, SystemClock, iso
from ..events import Event
from . import terminal


@dataclass(frozen=True)
class Chronicle:
    """A `Listener` that tells of changes to keyrings, and of every alarm; JSON lines with `as_json`.

    Each is `{at, event, ring, alarm, facts}`.
    """

    as_json: bool
    clock: Clock = field(default_factory=SystemClock)

    def __call__(self, event: Event) -> None:
        """Tell of an event if a person should know it."""
        if not event.alarm and not event.name.startswith("keyring."):
            return
        at = iso(self.clock.wall())
        if self.as_json:
            facts = dict(event.facts)
            told = {"at": at, "event": event.name, "ring": event.ring, "alarm": event.alarm, "facts": facts}
            terminal.tell(json.dumps(told))
            return
        words = [f"{name}={value}" for name, value in event.facts.items() if value != ""]
        mark = ["ALARM"] if event.alarm else []
        terminal.tell(" ".join([at, *mark, event.ring or "-", event.name, *words]))

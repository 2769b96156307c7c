"""What everybody in a world shares: its time, its store, its story, its dice."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from keyvault_jwt.clock import Instant, Milliseconds
from tests.simulation.agenda import Agenda
from tests.simulation.counts import Counts
from tests.simulation.process_clock import ProcessClock
from tests.simulation.seeded_keys import SeededKeys
from tests.simulation.shared_store import SharedStore
from tests.simulation.story import Story


@dataclass(slots=True)
class Site:
    """One world's surroundings; `end` is when its disturbances are over."""

    agenda: Agenda
    store: SharedStore
    story: Story
    dice: random.Random
    keys: SeededKeys
    skew: Milliseconds
    end: Instant = 0
    counts: Counts = field(default_factory=Counts)

    @property
    def now(self) -> Instant:
        """The true time."""
        return self.agenda.now

    def happened(self, name: str) -> None:
        """Count something that must happen in some world."""
        self.counts.happened[name] += 1

    def clock(self) -> ProcessClock:
        """Return another machine's clock."""
        return ProcessClock(self.agenda, self.skew, self.dice, until=self.end)

"""How often what goes wrong, and how long things take."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Final

from keyvault_jwt.clock import Milliseconds
from tests.simulation.drawn_policy import log_uniform

_RATES: Final = (0.0, 0.0, 0.01, 0.05, 0.2)


@dataclass(frozen=True, slots=True)
class Faults:
    """Rates from 0 to 1 for each call to the store, and the scale of a keyring's times."""

    dice: random.Random
    scale: Milliseconds
    crash: float = 0.0
    unavailable: float = 0.0
    dropped: float = 0.0
    late: float = 0.0
    answer_lost: float = 0.0
    sent_twice: float = 0.0
    suspended: float = 0.0

    @classmethod
    def drawn(cls, dice: random.Random, scale: Milliseconds) -> Faults:
        """Return a seed's rates: many seeds know few kinds of faults, some know all."""
        names = ("crash", "unavailable", "dropped", "late", "answer_lost", "sent_twice", "suspended")
        return cls(dice, scale, **{name: dice.choice(_RATES) for name in names})

    def ended(self) -> Faults:
        """Return no faults at all."""
        return Faults(self.dice, self.scale)

    def strikes(self, rate: float) -> bool:
        """Whether a fault of this rate happens now."""
        return rate > 0 and self.dice.random() < rate

    def latency(self) -> Milliseconds:
        """Return how long a call takes."""
        return self.dice.choice((0, 1, 1, 2, 5)) if self.scale < 60_000 else self.dice.randrange(200)

    def suspension(self) -> Milliseconds:
        """Return how long a call takes in a process that is suspended meanwhile."""
        return log_uniform(self.dice, 1, max(2, self.scale))

    def delay(self) -> Milliseconds:
        """Return after how long a write lands that nobody waits for any more."""
        return log_uniform(self.dice, 1, max(2, self.scale))

    def with_scale(self, scale: Milliseconds) -> Faults:
        """Return the same rates for a keyring of other times."""
        return replace(self, scale=scale)

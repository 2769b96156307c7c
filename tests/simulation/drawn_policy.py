"""Policies drawn over the whole range that is allowed: from seconds to ninety days."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from keyvault_jwt.clock import Milliseconds
from keyvault_jwt.invariants import capacity
from keyvault_jwt.policy import RotationPolicy
from keyvault_jwt.store import Limits

LONGEST: Final[Milliseconds] = 90 * 86_400_000
SHORTEST_SCALE: Final[Milliseconds] = 1_000
LONGEST_SCALE: Final[Milliseconds] = 6 * 3_600_000
AMPLE: Final = Limits(document_bytes=1 << 20)
"""A store that has room for everything."""


def log_uniform(dice: random.Random, low: float, high: float) -> Milliseconds:
    """Return a whole number from `low` to `high`, each order of magnitude as likely as the next."""
    return round(low * (high / low) ** dice.random()) if high > low else round(low)


@dataclass(frozen=True, slots=True)
class Terms:
    """What stays with a keyring for life: how far clocks are apart, and what its verifiers allow for that."""

    skew: Milliseconds
    leeway: Milliseconds
    staleness: Milliseconds
    scale: Milliseconds
    shortest_rotation: Milliseconds


def draw_terms(dice: random.Random, staleness: Milliseconds, shortest_rotation: Milliseconds) -> Terms:
    """Return terms; ε is 0 now and then."""
    skew = dice.choice((0, 100, log_uniform(dice, 2, 60_000), 30_000))
    scale = log_uniform(dice, max(SHORTEST_SCALE, skew), LONGEST_SCALE)
    return Terms(skew, skew + dice.choice((0, 0, 1, skew)), staleness, scale, shortest_rotation)


def draw_policy(dice: random.Random, terms: Terms, algorithm: str) -> RotationPolicy:
    """Return a policy that a store of this staleness, and a published set, can keep (I6)."""
    while True:
        policy = _any_policy(dice, terms, algorithm)
        if all(check.holds for check in capacity(policy, terms.staleness, AMPLE)):
            return policy


def _any_policy(dice: random.Random, terms: Terms, algorithm: str) -> RotationPolicy:
    scale = log_uniform(dice, terms.scale / 3, terms.scale * 3)

    def part(low: Milliseconds = 2, high: float = 1.0) -> Milliseconds:
        return max(low, round(scale * high * dice.choice((0.01, 0.1, 0.5, 1, dice.random()))))

    signer_lease, publisher_lease = part(), part()
    c, g = max(1, part() // 1000), dice.choice((0, part() // 1000))
    need = publisher_lease + 1000 * (c + g) + signer_lease + 2 * terms.staleness + 3 * terms.skew
    rotate = log_uniform(dice, max(need, terms.shortest_rotation), max(need, LONGEST))
    rotate = dice.choice((rotate, max(need, terms.shortest_rotation)))
    lengths = {
        "rotate_every": rotate,
        "token_ttl": part(1_000, 2.0),
        "leeway": terms.leeway,
        "clock_skew": terms.skew,
        "signer_poll": max(1, signer_lease // dice.choice((2, 2, 20))),
        "publisher_poll": max(1, publisher_lease // dice.choice((2, 2, 20))),
        "signer_lease": signer_lease,
        "publisher_lease": publisher_lease,
        "jwks_max_age": 1000 * c,
        "max_stale": 1000 * g,
        "rollback_window": dice.choice((0, part(0), part(0, 4.0))),
    }
    times = {name: timedelta(milliseconds=length) for name, length in lengths.items()}
    return RotationPolicy(algorithm=algorithm, standbys=dice.choice((2, 2, 2, 3, 5)), **times)

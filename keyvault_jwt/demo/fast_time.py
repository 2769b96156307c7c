"""Fast time: a policy of seconds under which a key's whole life can be watched.

It keeps every inequality that a policy of months keeps.  A store whose reads may be old (S)
makes the seconds longer.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from ..clock import Milliseconds
from ..policy import RotationPolicy

FIRST_ALGORITHM: Final = "ES256"
NEXT_ALGORITHM: Final = "ES384"
"""What the fleet begins with, and migrates to: PyJWT and joserfc verify both."""

ROTATIONS: Final = 5
TOKEN_TTL: Final[Milliseconds] = 3_000
LIMIT: Final[Milliseconds] = 54_000
"""How long the play may last where S is 0, so that with its beginning and end it takes a minute at most."""

_LEASE: Final = timedelta(milliseconds=1200)
_POLL: Final = timedelta(milliseconds=200)
_SKEW: Final = timedelta(milliseconds=100)
_SECOND: Final = timedelta(seconds=1)
_SLACK: Final[Milliseconds] = 100


def fast_policy(staleness: Milliseconds = 0) -> RotationPolicy:
    """Return the policy for a store whose S is `staleness`: R is as short as I6 allows, and 0.1 s."""
    return RotationPolicy(**_parameters(timedelta(milliseconds=_shortest_period(staleness) + _SLACK)))


def limit(staleness: Milliseconds = 0) -> Milliseconds:
    """Return how long the play may last: `LIMIT`, and twice what a store of this S makes it longer."""
    return LIMIT + 2 * (_takes(staleness) - _takes(0))


def _takes(staleness: Milliseconds) -> Milliseconds:
    timing = fast_policy(staleness).timing(staleness)
    return ROTATIONS * timing.rotate_every + 2 * timing.exposure


def _shortest_period(staleness: Milliseconds) -> Milliseconds:
    timing = RotationPolicy(**_parameters(_SECOND)).timing(staleness)
    return timing.exposure + timing.handover


def _parameters(rotate_every: timedelta) -> dict[str, str | timedelta]:
    return {
        "algorithm": FIRST_ALGORITHM,
        "rotate_every": rotate_every,
        "token_ttl": timedelta(milliseconds=TOKEN_TTL),
        "leeway": _SKEW,
        "clock_skew": _SKEW,
        "signer_poll": _POLL,
        "publisher_poll": _POLL,
        "signer_lease": _LEASE,
        "publisher_lease": _LEASE,
        "jwks_max_age": _SECOND,
        "max_stale": _SECOND,
        "rollback_window": _SECOND,
    }

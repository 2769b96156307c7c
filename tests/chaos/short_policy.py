"""A policy of seconds whose leases outlast an outage of a few: an election, a killed node's return."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from keyvault_jwt.policy import RotationPolicy

_LEASE: Final = timedelta(seconds=5)
_STALE: Final = timedelta(seconds=3)
_SECOND: Final = timedelta(seconds=1)
_SKEW: Final = timedelta(milliseconds=100)
_POLL: Final = timedelta(milliseconds=300)


def short_policy(staleness: timedelta = timedelta()) -> RotationPolicy:
    """Return the policy: lead 9.1 s and the store's staleness; R as short as I6 allows, and a little."""
    return RotationPolicy(
        algorithm="ES256",
        rotate_every=_LEASE + _SECOND + _STALE + _SKEW + _LEASE + 3 * _SKEW + 2 * staleness,
        token_ttl=timedelta(seconds=4),
        leeway=_SKEW,
        clock_skew=_SKEW,
        signer_poll=_POLL,
        publisher_poll=_POLL,
        signer_lease=_LEASE,
        publisher_lease=_LEASE,
        jwks_max_age=_SECOND,
        max_stale=_STALE,
        rollback_window=_SECOND,
    )

"""Parts that can be broken on purpose, to see that the simulation finds it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from keyvault_jwt.clock import Milliseconds
from keyvault_jwt.policy import Timing

BREAKAGES = {
    "verifier-hoards": "verifiers use a set three times as long as C + G",
    "lead-cut": "rotators leave the publishers' lease D out of every lead",
    "cas-ignored": "the store writes whatever version is there",
}


@contextmanager
def broken_part(name: str) -> Iterator[None]:
    """Break the part for a while; those that need another object broken are looked up by name elsewhere."""
    if name != "lead-cut":
        yield
        return
    whole = Timing.exposure

    def cut(timing: Timing) -> Milliseconds:
        return timing.staleness + timing.jwks_max_age + timing.max_stale + timing.clock_skew

    Timing.exposure = property(cut)  # type: ignore[assignment,method-assign]
    try:
        yield
    finally:
        Timing.exposure = whole  # type: ignore[method-assign]

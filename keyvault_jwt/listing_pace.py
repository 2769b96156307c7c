"""How often names are listed: often where that is cheap, seldom where a store lists slowly."""

from __future__ import annotations

from typing import Final

from .clock import Milliseconds

SHORTEST: Final[Milliseconds] = 1_000
LONGEST: Final[Milliseconds] = 30_000
SHARE: Final = 1_000
"""Listing takes at most one part in so many of the time, unless that meant more than `LONGEST`."""


def pause_after(took: Milliseconds) -> Milliseconds:
    """Return how long to wait after a listing that took so long."""
    return min(LONGEST, max(SHORTEST, SHARE * took))

"""Phase: what a key is to the people who watch it, and since when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from ..clock import Instant


class Phase(Enum):
    """The phases of a key, in the order in which it goes through them."""

    WAITING = "published, not ready"
    READY = "published"
    SIGNING = "signing"
    VERIFYING = "verify-only"
    REVOKED = "revoked"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Stretch:
    """One phase of one key, from `start` until the next one."""

    start: Instant
    phase: Phase


_PLACE = {phase: place for place, phase in enumerate(Phase)}


def in_order(stretches: Iterable[Stretch]) -> tuple[Stretch, ...]:
    """Return the stretches by time, each phase once in a row."""
    kept: list[Stretch] = []
    for stretch in sorted(stretches, key=lambda one: (one.start, _PLACE[one.phase])):
        if not kept or kept[-1].phase is not stretch.phase:
            kept.append(stretch)
    return tuple(kept)

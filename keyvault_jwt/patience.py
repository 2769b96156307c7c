"""How long a pass goes on against races and doubts, and how much of a store it may fill."""

from __future__ import annotations

from typing import Final

from .clock import Milliseconds
from .errors import LostRace

MAX_RACES: Final = 24
"""Conflicts in a row after which a pass gives up; another pass is making progress all the while."""
MAX_ROUNDS: Final = 16
"""Commits after which a pass must have come to rest."""
MAX_DOUBTS: Final = 3
"""Fresh reads past S before a store is believed to have been rolled back."""
ROUTINE_SHARE: Final = 0.75
"""The share of a store's size limit that routine writes may fill, so that a revoke always fits (I6)."""
SETTLE: Final[Milliseconds] = 50
"""The least time between two reads of which the second is to be newer, in milliseconds."""


def require_progress(ring: str, *, races: int, rounds: int) -> None:
    """Raise `LostRace` after too many conflicts in a row, or too many commits in one pass."""
    if races > MAX_RACES:
        raise LostRace(
            f"lost {races} races in a row over keyring {ring}",
            why="others write to it all the time",
            fix="repeat the command; it does nothing twice",
        )
    if rounds >= MAX_ROUNDS:
        raise LostRace(f"a pass over {ring} did not come to rest", fix="report this as a bug")

"""Stage: where in a pass the next answer belongs."""

from __future__ import annotations

from enum import Enum, auto


class Stage(Enum):
    """What the answer that is being waited for belongs to."""

    AUTHORITY = auto()
    DERIVED = auto()
    ARCHIVES = auto()
    SETTLE = auto()
    GENERATE = auto()
    ARCHIVE_WRITE = auto()
    ARCHIVE_READ = auto()
    COMMIT = auto()
    DERIVED_WRITE = auto()
    READ_BACK = auto()
    OVER = auto()

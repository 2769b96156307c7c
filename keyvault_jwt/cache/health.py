"""How a cache is doing, for a readiness check or a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, TypeAlias

from ..jwks import Origin, Skipped

State: TypeAlias = Literal["empty", "fresh", "stale", "expired"]
"""No set yet; within its max-age; past it but still served; past C + G, so nothing is accepted."""


@dataclass(frozen=True, slots=True)
class Health:
    """One look at a cache.

    `age` counts as I4 does; None for a set that never grows old.  `epoch` and `revision` are
    those of a set of ours.  `last_error` is the code of the latest failure since the last success.
    """

    state: State
    age: timedelta | None
    generation: int
    origin: Origin | None
    kids: tuple[str | None, ...]
    skipped: tuple[Skipped, ...]
    denied: frozenset[str]
    failures: int
    last_error: str | None

    @property
    def usable(self) -> bool:
        """Whether tokens can be accepted."""
        return self.state in {"fresh", "stale"}

    @property
    def epoch(self) -> int | None:
        """The epoch of a set of ours."""
        return None if self.origin is None else self.origin.epoch

    @property
    def revision(self) -> int | None:
        """The revision of a set of ours."""
        return None if self.origin is None else self.origin.revision

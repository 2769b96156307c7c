"""Lease: for how long a confirmed read may be acted on (I3)."""

from __future__ import annotations

from dataclasses import dataclass

from .clock import Instant, Milliseconds, Stopwatch


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to go on with what was read for `length` milliseconds.

    `age` was started just before the read's request was *sent*: what the store knew at that
    moment is the newest that the answer can be trusted to show.
    """

    length: Milliseconds
    age: Stopwatch

    def confirm(self) -> Instant | None:
        """Return the instant at which no more than the length has passed; None once more has."""
        return self.age.within(self.length)

    def holds(self) -> bool:
        """Whether no more than the length has passed, by the larger of both clocks."""
        return self.confirm() is not None

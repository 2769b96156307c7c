"""A clock that goes only when told to."""

from __future__ import annotations

import threading
from datetime import timedelta

from ..clock import Instant, Milliseconds
from ..duration import milliseconds

START: Instant = 1_767_225_600_000
"""2026-01-01T00:00:00Z: where a `FakeClock` begins if nothing is said."""


class FakeClock:
    """A `Clock` under a test's control; thread-safe.

    `wall` and `monotonic` are in milliseconds and need not agree, as on a real machine.
    """

    def __init__(self, wall: Instant = START, monotonic: Milliseconds = 0) -> None:
        self._guard = threading.Lock()
        self._wall, self._monotonic = wall, monotonic

    def __repr__(self) -> str:
        return f"FakeClock(wall={self._wall}, monotonic={self._monotonic})"

    def wall(self) -> Instant:
        """Return the wall-clock time."""
        with self._guard:
            return self._wall

    def monotonic(self) -> Milliseconds:
        """Return the monotonic time."""
        with self._guard:
            return self._monotonic

    def advance(self, by: Milliseconds | timedelta) -> None:
        """Let time pass on both clocks; raises `ValueError` if it would go back."""
        step = milliseconds(by) if isinstance(by, timedelta) else by
        if step < 0:
            raise ValueError("time does not go back; step_wall() sets a wall clock back")
        with self._guard:
            self._wall += step
            self._monotonic += step

    def step_wall(self, by: Milliseconds | timedelta) -> None:
        """Set the wall clock forward or back while no time passes, as an operator or NTP does."""
        step = milliseconds(by) if isinstance(by, timedelta) else by
        with self._guard:
            self._wall += step

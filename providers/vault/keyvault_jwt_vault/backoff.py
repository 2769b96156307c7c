"""Backoff: longer and longer pauses after failures in a row, each cut short by chance."""

from __future__ import annotations

from collections.abc import Callable

from keyvault_jwt.clock import Clock, Milliseconds, Stopwatch


class Backoff:
    """When the next try may be made.

    The pause after the n-th failure in a row is `first` · 2ⁿ⁻¹, at most `longest`, times a
    factor between ½ and 1 that `jitter` (0 ≤ x < 1) draws, so that a fleet does not come
    back as one.  A calm of ten times `longest` is a new beginning.
    """

    __slots__ = ("_clock", "_failures", "_first", "_jitter", "_longest", "_pause", "_since")

    def __init__(
        self, clock: Clock, jitter: Callable[[], float], *, first: Milliseconds, longest: Milliseconds
    ) -> None:
        self._clock, self._jitter, self._first, self._longest = clock, jitter, first, longest
        self._failures, self._pause = 0, 0
        self._since = Stopwatch(clock)

    def failed(self) -> Milliseconds:
        """Take note of a failure and return the pause after it."""
        if self._since.elapsed() > 10 * self._longest:
            self._failures = 0
        whole = min(self._longest, self._first << min(self._failures, 32))
        self._failures += 1
        self._since = Stopwatch(self._clock)
        self._pause = round(whole * (1 + self._jitter()) / 2)
        return self._pause

    def succeeded(self) -> None:
        """Begin anew."""
        self._failures = self._pause = 0

    @property
    def left(self) -> Milliseconds:
        """How much of the pause is left; 0 when the next try may be made."""
        return max(0, self._pause - self._since.elapsed())

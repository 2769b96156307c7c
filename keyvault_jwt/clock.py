"""Time as an argument: wall-clock for dates between machines, monotonic for durations."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol, TypeAlias

from .forks import survive_forks

Instant: TypeAlias = int
"""A moment: whole milliseconds since 1970-01-01T00:00:00Z."""

Milliseconds: TypeAlias = int
"""A length of time in whole milliseconds."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """Where the shell gets its time from; the core is handed instants instead."""

    def wall(self) -> Instant:
        """Return the wall-clock time in milliseconds since the Unix epoch."""
        ...

    def monotonic(self) -> Milliseconds:
        """Return a time in milliseconds that never goes back, with no meaning elsewhere."""
        ...


class SystemClock:
    """This machine's clocks."""

    __slots__ = ("_monotonic_ns",)

    def __init__(self) -> None:
        # Chosen once: tokens are signed and verified by it.
        self._monotonic_ns = _suspend_aware()

    def wall(self) -> Instant:
        """Return the system's wall-clock time."""
        return time.time_ns() // 1_000_000

    def monotonic(self) -> Milliseconds:
        """Return a time that also counts a suspended machine, where the system has one.

        CLOCK_BOOTTIME (Linux) goes on while the machine sleeps; CLOCK_MONOTONIC does not, and
        a lease measured by it alone would outlive a suspension (I3).
        """
        return self._monotonic_ns() // 1_000_000


def _suspend_aware() -> Callable[[], int]:
    boottime = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic_ns if boottime is None else partial(time.clock_gettime_ns, boottime)


class Stopwatch:
    """Elapsed time by the larger of both clocks since a marked moment (I3).

    A wall clock set back can't hide elapsed time, nor can a monotonic clock that stood
    still while the machine was suspended.
    """

    __slots__ = ("_clock", "_monotonic", "_wall")

    def __init__(self, clock: Clock) -> None:
        self._clock, self._wall, self._monotonic = clock, clock.wall(), clock.monotonic()

    @property
    def started(self) -> Instant:
        """The wall-clock time of the mark."""
        return self._wall

    def elapsed(self) -> Milliseconds:
        """Return milliseconds since the mark."""
        return max(self._clock.wall() - self._wall, self._clock.monotonic() - self._monotonic)

    def within(self, length: Milliseconds) -> Instant | None:
        """Return the wall-clock time while no more than `length` has passed, else None."""
        wall = self._clock.wall()
        if wall - self._wall <= length and self._clock.monotonic() - self._monotonic <= length:
            return wall
        return None


class ClockWatch:
    """Notices a wall clock that was stepped: it then ran apart from the monotonic one.

    Thread-safe and fork-safe.
    """

    __slots__ = ("__weakref__", "_apart", "_clock", "_guard")

    def __init__(self, clock: Clock) -> None:
        self._clock, self._guard = clock, threading.Lock()
        self._apart = clock.wall() - clock.monotonic()
        survive_forks(self)

    def step(self, tolerance: Milliseconds) -> Milliseconds:
        """Return how far the wall clock was stepped since the last call, 0 if within `tolerance`.

        A step is told once; time then counts from the new setting.  Drift within the tolerance
        is taken up each time, as a disciplined clock is slewed.
        """
        with self._guard:
            apart = self._clock.wall() - self._clock.monotonic()
            stepped, self._apart = apart - self._apart, apart
        return stepped if abs(stepped) > tolerance else 0

    def _after_fork(self) -> None:
        # A thread of the parent process may hold the old one for ever.
        self._guard = threading.Lock()


def iso(instant: Instant) -> str:
    """Return the instant as ISO 8601 in UTC with milliseconds, as documents and people read it."""
    # Whole numbers throughout: as a float, an instant of the far future loses its last millisecond.
    moment = _EPOCH + timedelta(milliseconds=instant)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

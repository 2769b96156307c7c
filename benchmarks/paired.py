"""Paired: two ways to do the same, timed in turn in one process, so that a slow moment meets both.

Counted is the thread's own CPU time.  By the clock on the wall the longer way is interrupted more often
on a busy machine, and looks longer than it is.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from typing import TypeAlias

ROUNDS = 60
CALLS = 50

Way: TypeAlias = Callable[[str], object]
"""One way; it is given a text that nobody has seen before: its hash is not known yet."""


def ratio(way: Way, base: Way, text: str) -> float:
    """Return the median of how many times as long as `base` one round of `way` takes."""
    return statistics.median(a / b for a, b in rounds((way, base), text))


def microseconds(way: Way, text: str) -> float:
    """Return the median of a round's microseconds for one call."""
    return statistics.median(seconds for (seconds,) in rounds((way,), text)) / CALLS * 1e6


def rounds(ways: Sequence[Way], text: str) -> list[tuple[float, ...]]:
    """Return the CPU seconds of each way in each round, after one round that does not count."""
    gc.collect()
    return [tuple(_seconds(way, text) for way in ways) for _ in range(1 + ROUNDS)][1:]


def _seconds(way: Way, text: str) -> float:
    raw = text.encode()
    fresh = [raw.decode() for _ in range(CALLS)]
    start = time.thread_time()
    for each in fresh:
        way(each)
    return time.thread_time() - start

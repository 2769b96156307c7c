"""Many batches in several processes, for a number of mutants or a time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing import get_context

from tests.fuzz.judging import BATCH, Counts, Judging

_judging: Judging | None = None


def _begin(seed: int, broken: str) -> None:
    """Make the keys of a worker process, once."""
    global _judging  # noqa: PLW0603 - a worker process has one, and no other way to keep it
    _judging = Judging(seed, broken)


def _batch(number: int, size: int) -> Counts:
    assert _judging is not None
    return _judging.batch(number, size)


def batches(seed: int, mutants: int, seconds: float, workers: int, broken: str = "") -> Iterator[Counts]:
    """Yield what came of each batch, until `mutants` were judged or `seconds` have passed.

    Zero is no limit.
    """
    until = time.monotonic() + seconds if seconds else float("inf")
    sizes = _sizes(mutants)
    if workers == 1:
        judging = Judging(seed, broken)
        for number, size in sizes:
            yield judging.batch(number, size)
            if time.monotonic() > until:
                return
        return
    spawn = get_context("spawn")
    with ProcessPoolExecutor(workers, spawn, initializer=_begin, initargs=(seed, broken)) as pool:
        waiting: set[Future[Counts]] = set()
        while True:
            while (
                len(waiting) < 2 * workers and time.monotonic() < until and (following := next(sizes, None))
            ):
                waiting.add(pool.submit(_batch, *following))
            if not waiting:
                return
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)


def _sizes(mutants: int) -> Iterator[tuple[int, int]]:
    number = 0
    while not mutants or number * BATCH < mutants:
        yield number, min(BATCH, mutants - number * BATCH) if mutants else BATCH
        number += 1

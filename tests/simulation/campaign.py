"""Many seeds in several processes; what comes out depends on the seeds alone."""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context

from tests.simulation.counts import Counts
from tests.simulation.exercised import ENOUGH, EXERCISED
from tests.simulation.one_seed import Outcome, simulated
from tests.simulation.simulated_world import YEAR, Scenario


@dataclass(slots=True)
class Campaign:
    """What came of the seeds so far."""

    seeds: int = 0
    counts: Counts = field(default_factory=Counts)
    violations: list[Outcome] = field(default_factory=list)
    _digests: list[tuple[int, str]] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        """Add a seed."""
        self.seeds += 1
        self.counts.add(outcome.counts)
        self._digests.append((outcome.scenario.seed, outcome.digest))
        if outcome.violation:
            self.violations.append(outcome)

    @property
    def digest(self) -> str:
        """What tells this campaign from every other: every event and document of every seed."""
        return hashlib.sha256(repr(sorted(self._digests)).encode()).hexdigest()

    @property
    def missing(self) -> list[str]:
        """What never happened, though there were enough worlds for everything."""
        return sorted(EXERCISED - self.counts.happened.keys()) if self.seeds >= ENOUGH else []

    @property
    def last_line(self) -> str:
        """What was lived through, in one line; years are of the virtual clock, summed over seeds."""
        years = self.counts.span / YEAR
        return (
            f"seeds={self.seeds} years={years:.2f} rotations={self.counts.rotations} "
            f"violations={len(self.violations)}"
        )


@contextmanager
def _collecting_seldom() -> Iterator[None]:
    """Look for cyclic garbage seldom: a world leaves little, and looking takes a tenth of all time."""
    before = gc.get_threshold()
    gc.set_threshold(100_000, 50, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _simulated(scenario: Scenario) -> Outcome:
    with _collecting_seldom():
        return simulated(scenario)


def outcomes(scenarios: Iterable[Scenario], workers: int) -> Iterator[Outcome]:
    """Yield each seed's outcome, in order."""
    if workers == 1:
        yield from map(_simulated, scenarios)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_simulated, scenarios, chunksize=8)

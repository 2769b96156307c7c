"""A seed is replayed exactly: by the same process, by another, and by any number of workers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.campaign import Campaign, outcomes
from tests.simulation.one_seed import simulated
from tests.simulation.simulated_world import Scenario

PROJECT = Path(__file__).parents[2]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_seed_is_replayed_exactly(seed: int) -> None:
    """Twice the same seed is twice the same story, event by event and byte by byte; another one is not."""
    once, again = simulated(Scenario(seed)), simulated(Scenario(seed), whole_story=True)
    assert once.digest == again.digest
    assert once.counts == again.counts
    assert simulated(Scenario(seed + 1)).digest != once.digest


def test_another_process_tells_the_same_story() -> None:
    """Nothing depends on the order in which a process happens to hash: the command replays a seed exactly."""
    here = simulated(Scenario(7))
    for hash_seed in ("1", "2"):
        told = subprocess.run(
            [sys.executable, "-m", "tests.simulation", "--seed", "7", "--trace"],
            cwd=PROJECT,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
        assert f"digest={here.digest}" in told
        assert told[-1].startswith("seeds=1 years=")
        assert told[-1].endswith(f"rotations={here.counts.rotations} violations=0")


def test_workers_change_nothing() -> None:
    """Two processes tell the same stories as one."""
    alone, together = Campaign(), Campaign()
    scenarios = [Scenario(seed) for seed in range(20, 30)]
    for campaign, workers in ((alone, 1), (together, 2)):
        for outcome in outcomes(scenarios, workers):
            campaign.add(outcome)
    assert alone.digest == together.digest
    assert alone.last_line == together.last_line

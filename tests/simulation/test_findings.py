"""The simulation finds what it is for: each part that is broken on purpose is a violation."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.breakages import BREAKAGES
from tests.simulation.campaign import Campaign
from tests.simulation.exercised import ENOUGH, EXERCISED
from tests.simulation.one_seed import simulated
from tests.simulation.simulated_world import Scenario

PROJECT = Path(__file__).parents[2]
SEEDS = range(40)


@pytest.mark.parametrize("broken", BREAKAGES)
def test_a_broken_part_is_found(broken: str) -> None:
    """With one part broken one of the first seeds is a violation, and without it the same seed is none."""
    found = next((seed for seed in SEEDS if simulated(Scenario(seed, broken=broken)).violation), None)
    assert found is not None
    assert simulated(Scenario(found)).violation == ""


def test_a_violation_is_told_with_its_story_and_replay() -> None:
    """Whoever meets a violation reads what happened last, and the one command that replays it, which does."""
    command = [sys.executable, "-m", "tests.simulation", "--broken", "cas-ignored"]
    many = subprocess.run(
        [*command, "--seeds", "3", "--first", "1", "--workers", "1"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = many.stdout.splitlines()
    replay = next(line for line in lines if line.startswith("replay: "))
    violation = next(line for line in lines if line.startswith("seed "))
    assert many.returncode == 1
    assert lines[-1].split("violations=")[1] != "0"
    again = subprocess.run(
        [sys.executable, *replay.removeprefix("replay: python ").split()],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert again.returncode == 1
    assert violation in again.stdout
    assert "begins Create(" in again.stdout, "the whole story begins with the keyring's creation"


def test_some_hundred_worlds_keep_every_promise() -> None:
    """No token is refused while it is good, no revoked key outlives its bound, and all comes to rest."""
    broken = {
        outcome.scenario.seed: outcome.violation
        for outcome in map(simulated, map(Scenario, range(1000, 1120)))
        if outcome.violation
    }
    assert broken == {}


def test_what_never_happened_is_told() -> None:
    """Enough worlds in which something never happened are a failed run, and fewer worlds show nothing yet."""
    campaign = Campaign(seeds=ENOUGH)
    campaign.counts.happened.update(EXERCISED - {"command: Revoke"})
    assert campaign.missing == ["command: Revoke"]
    assert Campaign(seeds=ENOUGH - 1).missing == []

"""The model check at its small bound, and every fault of `seeds.toml` found by it."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from tests.model.courses import courses
from tests.model.seeded import ROOT, tried
from tests.model.seeds import Seed, seeds

LAST_LINE = re.compile(r"states=(\d+) violations=0 seconds=\d+")


def test_no_promise_is_broken_within_the_small_bound() -> None:
    """Every course holds every promise, and together they put each transition and promise to the test."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.model", "--small"],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    last = LAST_LINE.fullmatch(ran.stdout.splitlines()[-1]) if ran.stdout else None
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert last is not None, ran.stdout
    assert int(last[1]) > 100_000, "the courses became shorter"


@pytest.mark.parametrize("seed", seeds(), ids=lambda seed: seed.name)
def test_a_seeded_fault_is_found(seed: Seed) -> None:
    """With this fault in the code, the course breaks a promise, and the shortest way to it is told."""
    verdict = tried(seed)
    assert verdict.found, verdict.story
    assert "broken" in verdict.story


def test_faults_name_courses_that_exist() -> None:
    """Each fault has a name of its own and a course to be found in; there are at least thirty."""
    named = {course.name for course in courses()}
    assert {seed.course for seed in seeds()} <= named
    assert len({seed.name for seed in seeds()}) == len(seeds()) >= 30

"""The fake clock goes when it is told to, and as a machine's clocks can go."""

from __future__ import annotations

from datetime import timedelta

import pytest

from keyvault_jwt.clock import Stopwatch
from keyvault_jwt.testing import FakeClock


def test_stands_still() -> None:
    """A clock that nobody turns shows the same time, from the values it was given."""
    clock = FakeClock(wall=1_000, monotonic=5)
    assert (clock.wall(), clock.monotonic(), clock.wall(), clock.monotonic()) == (1_000, 5, 1_000, 5)


@pytest.mark.parametrize("by", [1_500, timedelta(seconds=1.5)])
def test_advance_turns_both(by: int | timedelta) -> None:
    """Time that passes, passes on both clocks; milliseconds and timedelta mean the same."""
    clock = FakeClock(wall=0)
    clock.advance(by)
    assert (clock.wall(), clock.monotonic()) == (1_500, 1_500)


@pytest.mark.parametrize(("by", "elapsed"), [(-60_000, 0), (60_000, 60_000)])
def test_step_wall_turns_only_the_wall(by: int, elapsed: int) -> None:
    """A wall clock set forward or back leaves the monotonic one alone."""
    clock = FakeClock(wall=100_000)
    watch = Stopwatch(clock)
    clock.step_wall(by)
    assert (clock.wall(), clock.monotonic(), watch.elapsed()) == (100_000 + by, 0, elapsed)


def test_time_does_not_go_back() -> None:
    """To advance by less than nothing is a mistake in the test that asks for it."""
    with pytest.raises(ValueError, match="step_wall"):
        FakeClock().advance(-1)

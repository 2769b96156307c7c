"""Lease: a confirmed read may be acted on for its length, by whichever clock shows more time passed (I3)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyvault_jwt.clock import Stopwatch
from keyvault_jwt.lease import Lease
from keyvault_jwt.testing.fake_clock import FakeClock


@pytest.fixture
def lease(clock: FakeClock) -> Lease:
    """A lease of 1,000 ms that has just begun."""
    return Lease(1_000, Stopwatch(clock))


def test_it_holds_to_its_last_millisecond(lease: Lease, clock: FakeClock) -> None:
    """At its length the instant is confirmed, and a millisecond later none is."""
    clock.advance(1_000)
    assert (lease.confirm(), lease.holds()) == (clock.wall(), True)
    clock.advance(1)
    assert (lease.confirm(), lease.holds()) == (None, False)


def test_a_clock_set_back_makes_it_no_longer(lease: Lease, clock: FakeClock) -> None:
    """The monotonic clock alone ends it."""
    clock.step_wall(-5_000)
    clock.advance(1_000)
    assert lease.confirm() == clock.wall()
    clock.advance(1)
    assert lease.confirm() is None


def test_a_suspended_machine_makes_it_no_longer(lease: Lease, clock: FakeClock) -> None:
    """The wall clock alone ends it."""
    clock.step_wall(1_000)
    assert lease.confirm() == clock.wall()
    clock.step_wall(1)
    assert lease.confirm() is None


@given(st.lists(st.tuples(st.booleans(), st.integers(-2_000, 2_000)), max_size=8))
def test_it_holds_as_long_as_no_more_time_has_passed(moves: list[tuple[bool, int]]) -> None:
    """However the clocks are moved, it holds just while neither shows more than its length."""
    clock = FakeClock()
    lease = Lease(1_000, Stopwatch(clock))
    for steps, by in moves:
        if steps:
            clock.step_wall(by)
        else:
            clock.advance(abs(by))
        assert lease.holds() is (lease.age.elapsed() <= 1_000)
        assert lease.confirm() == (clock.wall() if lease.holds() else None)

"""Clocks: stepped, suspended and slewed ones, and instants as text."""

from __future__ import annotations

import os
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyvault_jwt.clock import ClockWatch, Stopwatch, SystemClock, iso
from keyvault_jwt.testing.fake_clock import START, FakeClock

MOVES = st.lists(
    st.tuples(st.sampled_from(["advance", "step"]), st.integers(-10_000_000, 10_000_000)), max_size=20
)


class SuspendedClock(FakeClock):
    """A clock whose monotonic side stands still while the machine sleeps, as CLOCK_MONOTONIC does."""

    def suspend(self, by: int) -> None:
        """Let time pass on the wall clock alone: the machine sleeps."""
        self.step_wall(by)


def test_wall_clock_is_the_systems() -> None:
    """The wall clock is the system's, in whole milliseconds."""
    before, now, after = time.time_ns() // 1_000_000, SystemClock().wall(), time.time_ns() // 1_000_000
    assert type(now) is int
    assert before <= now <= after


def test_monotonic_clock_counts_a_suspension(monkeypatch: pytest.MonkeyPatch) -> None:
    """CLOCK_BOOTTIME is asked where the system has it: it goes on while the machine sleeps."""
    monkeypatch.setattr(time, "CLOCK_BOOTTIME", 77, raising=False)
    monkeypatch.setattr(time, "clock_gettime_ns", {77: 5_999_999}.__getitem__, raising=False)
    assert SystemClock().monotonic() == 5


def test_monotonic_clock_without_boot_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system without CLOCK_BOOTTIME falls back to the plain monotonic clock."""
    monkeypatch.delattr(time, "CLOCK_BOOTTIME", raising=False)
    before, now, after = (
        time.monotonic_ns() // 1_000_000,
        SystemClock().monotonic(),
        time.monotonic_ns() // 1_000_000,
    )
    assert type(now) is int
    assert before <= now <= after


def test_stopwatch_begins_at_its_mark(clock: FakeClock) -> None:
    """Nothing has passed at the mark, whose wall-clock time stays known."""
    clock.advance(5)
    watch = Stopwatch(clock)
    assert (watch.started, watch.elapsed()) == (START + 5, 0)
    clock.advance(250)
    assert (watch.started, watch.elapsed()) == (START + 5, 250)


def test_wall_clock_set_back_hides_no_time(clock: FakeClock) -> None:
    """The monotonic clock counts on when the wall clock is set back (I3)."""
    watch = Stopwatch(clock)
    clock.advance(1000)
    clock.step_wall(-3_600_000)
    assert watch.elapsed() == 1000
    clock.advance(1)
    assert watch.elapsed() == 1001


def test_suspension_hides_no_time() -> None:
    """The wall clock counts on when the monotonic one stood still (I3)."""
    clock = SuspendedClock()
    watch = Stopwatch(clock)
    clock.suspend(7_200_000)
    assert (clock.monotonic(), watch.elapsed()) == (0, 7_200_000)


def test_wall_clock_set_forward_only_shortens_a_lease(clock: FakeClock) -> None:
    """A step forward counts as time gone by, which errs on the safe side."""
    watch = Stopwatch(clock)
    clock.step_wall(60_000)
    assert watch.elapsed() == 60_000


@given(MOVES)
def test_stopwatch_never_shows_less_than_passed(moves: list[tuple[str, int]]) -> None:
    """Whatever a wall clock is set to, no less than the time that passed is shown, and never a negative."""
    clock = FakeClock()
    watch, passed, stepped = Stopwatch(clock), 0, 0
    for move, by in moves:
        if move == "advance":
            clock.advance(abs(by))
            passed += abs(by)
        else:
            clock.step_wall(by)
            stepped += by
        assert watch.elapsed() == max(passed, passed + stepped) >= 0


@pytest.mark.parametrize("direction", [1, -1])
def test_step_beyond_the_tolerance_is_told_once(clock: FakeClock, direction: int) -> None:
    """At the tolerance nothing is told; one millisecond past it the step is, signed, and once."""
    watch = ClockWatch(clock)
    clock.step_wall(direction * 30_000)
    assert watch.step(30_000) == 0
    clock.step_wall(direction * 30_001)
    assert watch.step(30_000) == direction * 30_001
    assert watch.step(30_000) == 0


def test_drift_within_the_tolerance_does_not_add_up(clock: FakeClock) -> None:
    """Many small slews are taken up one by one and never become a step."""
    watch = ClockWatch(clock)
    for _ in range(100):
        clock.advance(1000)
        clock.step_wall(100)
        assert watch.step(100) == 0


def test_time_that_passes_is_no_step(clock: FakeClock) -> None:
    """A day on both clocks is no step, even without any tolerance."""
    watch = ClockWatch(clock)
    clock.advance(timedelta(days=1))
    assert watch.step(0) == 0


def test_suspension_with_a_stopped_monotonic_clock_is_a_step() -> None:
    """Where the monotonic clock sleeps with the machine, waking up looks like a step forward."""
    clock = SuspendedClock()
    watch = ClockWatch(clock)
    clock.suspend(8 * 3_600_000)
    assert watch.step(30_000) == 8 * 3_600_000
    assert watch.step(30_000) == 0


def test_one_of_many_threads_hears_of_a_step(clock: FakeClock) -> None:
    """Threads that ask at once hear of one step once among them."""
    watch, heard, start = ClockWatch(clock), list[int](), threading.Barrier(8)

    def ask() -> None:
        start.wait()
        heard.append(watch.step(0))

    clock.step_wall(5000)
    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(heard) == [0] * 7 + [5000]


def test_watch_outlives_a_fork(clock: FakeClock) -> None:
    """A thread that asked when its process forked does not keep the child from asking."""
    watch = ClockWatch(clock)
    with watch._guard:
        child = os.fork()
        if child == 0:
            free = watch._guard.acquire(timeout=5)
            os._exit(0 if free else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1, "1970-01-01T00:00:00.001Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (START, "2026-01-01T00:00:00.000Z"),
        (START + 999, "2026-01-01T00:00:00.999Z"),
        (1_709_164_800_123, "2024-02-29T00:00:00.123Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
    ],
)
def test_instants_as_text(instant: int, text: str) -> None:
    """ISO 8601 in UTC with three decimals and a Z, whatever the local time zone."""
    assert iso(instant) == text


@given(st.integers(0, 253_402_300_799_999))
def test_text_keeps_every_millisecond(instant: int) -> None:
    """Reading the text gives the very instant back, up to the year 9999."""
    moment = datetime.fromisoformat(iso(instant))
    assert moment - datetime(1970, 1, 1, tzinfo=UTC) == timedelta(milliseconds=instant)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "America/New_York"])
def test_local_time_zone_does_not_matter(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two machines in different zones write one instant alike."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert iso(START) == "2026-01-01T00:00:00.000Z"
    finally:
        monkeypatch.undo()
        time.tzset()

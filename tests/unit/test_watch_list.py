"""The watch list: what is due when, whatever the clocks do."""

from __future__ import annotations

import pytest

from keyvault_jwt.clock import Milliseconds
from keyvault_jwt.testing import FakeClock
from keyvault_jwt.watch_list import LONGEST_REREAD, LONGEST_SPREAD, Moment, WatchList

DAY: Milliseconds = 86_400_000
HOUR: Milliseconds = 3_600_000
R: Milliseconds = 30 * DAY


@pytest.fixture
def clock() -> FakeClock:
    """A clock that the test moves."""
    return FakeClock()


@pytest.fixture
def watch() -> WatchList:
    """A list without jitter."""
    return WatchList(lambda most: 0)


def due(watch: WatchList, clock: FakeClock) -> list[str]:
    """Take all that is due; each must be put back by the test."""
    taken = []
    while (ring := watch.take(Moment.of(clock))) is not None:
        taken.append(ring)
    return taken


def settle(
    watch: WatchList,
    clock: FakeClock,
    ring: str = "a",
    *,
    after: Milliseconds | None,
    every: Milliseconds = R,
    changed: bool = False,
) -> None:
    """Put a keyring back whose plan's next date is so far off."""
    date = None if after is None else clock.wall() + after
    watch.passed(ring, Moment.of(clock), due=date, rotate_every=every, changed=changed)


def test_a_new_keyring_is_due_at_once_and_only_once(watch: WatchList, clock: FakeClock) -> None:
    """Each name is taken once, and not again while its pass runs, though it is listed again."""
    watch.set_names(["a", "b"], Moment.of(clock))
    assert sorted(due(watch, clock)) == ["a", "b"]
    watch.set_names(["a", "b"], Moment.of(clock))
    clock.advance(DAY)
    assert due(watch, clock) == []


def test_a_plans_date_is_kept_to_the_millisecond(watch: WatchList, clock: FakeClock) -> None:
    """A keyring comes up at its plan's next date, not before."""
    watch.set_names(["a"], Moment.of(clock))
    due(watch, clock)
    settle(watch, clock, after=5_000)
    assert watch.wait(Moment.of(clock)) == 5_000
    clock.advance(4_999)
    assert due(watch, clock) == []
    clock.advance(1)
    assert due(watch, clock) == ["a"]


@pytest.mark.parametrize(("every", "again"), [(R, LONGEST_REREAD), (6_000, 1_500), (2 * HOUR, HOUR // 2)])
def test_a_keyring_is_read_again_though_nothing_is_due(
    watch: WatchList, clock: FakeClock, every: Milliseconds, again: Milliseconds
) -> None:
    """At least every min(1 h, R/4), so that a shorter R or another's change is seen."""
    watch.set_names(["a"], Moment.of(clock))
    due(watch, clock)
    settle(watch, clock, after=None, every=every)
    assert watch.wait(Moment.of(clock)) == again
    clock.advance(again)
    assert due(watch, clock) == ["a"]


@pytest.mark.parametrize(
    ("every", "spread", "again"), [(6_000, 60, 1_125), (R, LONGEST_SPREAD, LONGEST_REREAD * 3 // 4)]
)
def test_jitter_delays_dates_little_and_only_hastens_rereadings(
    clock: FakeClock, every: Milliseconds, spread: Milliseconds, again: Milliseconds
) -> None:
    """A date is spread over 1 % of R, 30 s at most; a re-reading never comes later than its bound."""
    watch = WatchList(lambda most: most)
    watch.set_names(["a"], Moment.of(clock))
    due(watch, clock)
    settle(watch, clock, after=None, every=every)  # the first re-reading falls anywhere
    settle(watch, clock, after=100, every=every)
    assert watch.wait(Moment.of(clock)) == 100 + spread
    settle(watch, clock, after=None, every=every)
    assert watch.wait(Moment.of(clock)) == again


def test_first_rereadings_are_spread_over_the_whole_interval(clock: FakeClock) -> None:
    """Keyrings that were read in one rush at the start don't stay together."""
    watch = WatchList(lambda most: most)
    watch.set_names(["a"], Moment.of(clock))
    due(watch, clock)
    settle(watch, clock, after=None)
    assert watch.wait(Moment.of(clock)) == 0


def test_dates_go_before_rereadings(watch: WatchList, clock: FakeClock) -> None:
    """What has a date is not kept waiting by a crowd that is merely to be read again."""
    names = [f"ring-{number}" for number in range(50)]
    watch.set_names(names, Moment.of(clock))
    due(watch, clock)
    for name in names[:-1]:
        settle(watch, clock, name, after=None)
    settle(watch, clock, names[-1], after=LONGEST_REREAD)
    clock.advance(LONGEST_REREAD)
    assert due(watch, clock)[0] == names[-1]


def test_names_that_went_are_forgotten(watch: WatchList, clock: FakeClock) -> None:
    """A deleted keyring is not taken: not from the heaps, not from those already due, not after its pass."""
    watch.set_names(["a", "b", "c"], Moment.of(clock))
    running = watch.take(Moment.of(clock))
    assert running is not None
    watch.ripen(Moment.of(clock))
    watch.set_names([], Moment.of(clock))
    settle(watch, clock, running, after=0)
    watch.failed(running, Moment.of(clock))
    clock.advance(DAY)
    assert due(watch, clock) == []
    assert watch.wait(Moment.of(clock)) is None


def test_a_name_that_went_and_came_back_is_not_taken_twice_at_once(
    watch: WatchList, clock: FakeClock
) -> None:
    """A keyring deleted and made again during its pass waits for that pass to end."""
    watch.set_names(["a"], Moment.of(clock))
    due(watch, clock)
    watch.set_names([], Moment.of(clock))
    watch.set_names(["a"], Moment.of(clock))
    assert due(watch, clock) == []
    settle(watch, clock, after=100)
    assert watch.wait(Moment.of(clock)) == 100


def test_a_wall_clock_set_forward_makes_due_only_what_has_a_date(watch: WatchList, clock: FakeClock) -> None:
    """An hour's step is no storm: re-readings go on by the monotonic clock."""
    names = [f"ring-{number}" for number in range(50)]
    watch.set_names(names, Moment.of(clock))
    due(watch, clock)
    for name in names:
        settle(watch, clock, name, after=10 * DAY)
    settle(watch, clock, names[7], after=HOUR)
    clock.step_wall(HOUR)
    assert due(watch, clock) == [names[7]]


def test_a_wall_clock_set_back_postpones_by_no_more_than_a_rereading(
    watch: WatchList, clock: FakeClock
) -> None:
    """A date that moved a year off is planned anew at the next re-reading."""
    watch.set_names(["a"], Moment.of(clock))
    due(watch, clock)
    settle(watch, clock, after=60_000)
    clock.step_wall(-365 * DAY)
    clock.advance(LONGEST_REREAD - 1)
    assert due(watch, clock) == []
    clock.advance(1)
    assert due(watch, clock) == ["a"]


def test_a_failing_keyring_is_left_alone_longer_and_longer(watch: WatchList, clock: FakeClock) -> None:
    """Pauses double from a second to five minutes, and start over after a success."""
    watch.set_names(["a"], Moment.of(clock))
    pauses = []
    for _ in range(12):
        assert due(watch, clock) == ["a"]
        failures, pause = watch.failed("a", Moment.of(clock))
        clock.advance(pause - 1)
        assert due(watch, clock) == []
        clock.advance(1)
        pauses.append(pause)
    assert pauses[:4] == [1_000, 2_000, 4_000, 8_000]
    assert (failures, pauses[-1]) == (12, 300_000)
    due(watch, clock)
    settle(watch, clock, after=None)
    assert watch.failed("a", Moment.of(clock)) == (1, 1_000)


def test_a_fast_keyring_is_not_left_alone_longer_than_its_rereading(
    watch: WatchList, clock: FakeClock
) -> None:
    """With an R of seconds a failure's pause stays below R/4."""
    watch.set_names(["a"], Moment.of(clock))
    due(watch, clock)
    settle(watch, clock, after=None, every=6_000)
    assert max(watch.failed("a", Moment.of(clock))[1] for _ in range(10)) == 1_500


def test_work_left_over_is_done_soon_but_not_in_a_spin(watch: WatchList, clock: FakeClock) -> None:
    """A plan that is due at once comes up again after a pause, which grows while passes change nothing."""
    watch.set_names(["a"], Moment.of(clock))
    due(watch, clock)
    waits = []
    for _ in range(14):
        settle(watch, clock, after=0, every=6_000)
        waits.append(watch.wait(Moment.of(clock)))
    assert waits[0] == 10
    assert waits[-1] == 1_500
    settle(watch, clock, after=0, every=6_000, changed=True)
    assert watch.wait(Moment.of(clock)) == 10


def test_the_loser_of_a_race_looks_again_soon(clock: FakeClock) -> None:
    """After a race the keyring comes up within a second or so, at a time of its own."""
    watch = WatchList(lambda most: most)
    watch.set_names(["a"], Moment.of(clock))
    due(watch, clock)
    watch.raced("a", Moment.of(clock))
    assert watch.wait(Moment.of(clock)) == 1_010


def test_a_keyring_that_needs_nothing_rests_an_hour(watch: WatchList, clock: FakeClock) -> None:
    """A frozen keyring is looked at now and then, in case it was thawed."""
    watch.set_names(["a"], Moment.of(clock))
    due(watch, clock)
    watch.rested("a", Moment.of(clock))
    assert watch.wait(Moment.of(clock)) == LONGEST_REREAD

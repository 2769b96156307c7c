"""The scheduler: acts when something is due, for every keyring, whatever befalls one of them."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from keyvault_jwt.errors import BadRingName, StoreUnavailable
from keyvault_jwt.events import Event
from keyvault_jwt.key_factory import FreshKey, LocalKeyFactory
from keyvault_jwt.key_manager import KeyManager
from keyvault_jwt.policy import RotationPolicy
from keyvault_jwt.scheduler import RotationScheduler, spread
from keyvault_jwt.store import DocumentKind, DocumentName
from keyvault_jwt.testing import FakeClock
from tests.faulty_store import FAST, FaultyStore
from tests.waiting import until

ISSUER = "https://id.example"
R_MS, LEAD_MS = 6_000, 3_600
Schedule = Callable[..., RotationScheduler]


@pytest.fixture
def clock() -> FakeClock:
    """A clock that the test moves."""
    return FakeClock()


@pytest.fixture
def store() -> FaultyStore:
    """An empty store that can be broken."""
    return FaultyStore()


@pytest.fixture
def manager(store: FaultyStore, clock: FakeClock) -> KeyManager:
    """A manager with no keyring yet, silent about failures."""
    return KeyManager(store, clock=clock, listener=lambda event: None)


@pytest.fixture
def heard() -> list[Event]:
    """The events that the scheduler told."""
    return []


@pytest.fixture
def schedule(manager: KeyManager, clock: FakeClock, heard: list[Event]) -> Iterator[Schedule]:
    """Make schedulers without jitter; they are shut down at the end."""
    made: list[RotationScheduler] = []

    def make(keyrings: str | list[str] = "*", **options: object) -> RotationScheduler:
        settings = {"clock": clock, "jitter": lambda most: 0, "listener": heard.append} | options
        made.append(RotationScheduler(manager, keyrings, **settings))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for scheduler in made:
        scheduler.shutdown()


def active(manager: KeyManager, ring: str) -> str:
    record = manager.keyring(ring).active
    assert record is not None
    return record.kid


# --- passes, by a clock that stands still ------------------------------------------------------


def test_a_key_is_rotated_when_it_is_due_and_not_before(
    schedule: Schedule, manager: KeyManager, clock: FakeClock
) -> None:
    """At R to the millisecond the standby takes over; a millisecond earlier nothing happens."""
    manager.create("a", FAST, issuer=ISSUER)
    first, scheduler = active(manager, "a"), schedule()
    scheduler.run_pending()
    clock.advance(R_MS - 1)
    scheduler.run_pending()
    assert active(manager, "a") == first
    clock.advance(1)
    assert scheduler.run_pending() == ("a",)
    assert active(manager, "a") != first


def test_it_waits_for_what_comes_first(schedule: Schedule, manager: KeyManager, clock: FakeClock) -> None:
    """The next wake is the earliest re-reading or date of all keyrings, at most half a minute away."""
    scheduler = schedule()
    scheduler.run_pending()
    assert scheduler.next_wake() == 30_000
    manager.create("slow", RotationPolicy(), issuer=ISSUER)
    scheduler.run_pending()
    assert scheduler.next_wake() == 30_000
    manager.create("fast", FAST, issuer=ISSUER)
    scheduler.run_pending()
    assert scheduler.next_wake() == R_MS // 4


def test_a_keyring_that_is_not_due_is_not_read(
    schedule: Schedule, manager: KeyManager, store: FaultyStore, clock: FakeClock
) -> None:
    """A wake lists the names and reads no keyring before its time."""
    manager.create("a", RotationPolicy(), issuer=ISSUER)
    scheduler = schedule()
    scheduler.run_pending()
    store.reads.clear()
    for _ in range(100):
        clock.advance(30_000)
        assert scheduler.run_pending() == ()
    assert not store.reads


def test_keyrings_come_and_go_while_it_runs(
    schedule: Schedule, manager: KeyManager, store: FaultyStore, heard: list[Event], clock: FakeClock
) -> None:
    """A keyring made later is picked up; one deleted, even in mid-pass, is dropped without an alarm."""
    scheduler = schedule()
    scheduler.run_pending()
    manager.create("a", FAST, issuer=ISSUER)
    assert scheduler.run_pending() == ("a",)
    store.restore({})
    clock.advance(R_MS)
    assert scheduler.run_pending() == ()
    manager.create("b", FAST, issuer=ISSUER)
    backup = store.backup()
    del backup[DocumentName("b", DocumentKind.AUTHORITY)]
    store.restore(backup)
    assert scheduler.run_pending() == ("b",)
    assert not [event for event in heard if event.alarm]


def test_a_frozen_keyring_is_left_in_peace(
    schedule: Schedule, manager: KeyManager, heard: list[Event], clock: FakeClock
) -> None:
    """A keyring that lives on elsewhere is no failure and is seldom looked at."""
    manager.create("a", FAST, issuer=ISSUER)
    manager.freeze("a", "memory:")
    scheduler = schedule()
    assert scheduler.run_pending() == ("a",)
    clock.advance(timedelta(minutes=59))
    assert scheduler.run_pending() == ()
    assert heard == []


def test_one_bad_keyring_never_stops_the_others(
    schedule: Schedule, manager: KeyManager, store: FaultyStore, clock: FakeClock, heard: list[Event]
) -> None:
    """Whatever a keyring's pass raises, the others are rotated, and an alarm names ring and code."""
    for ring in ("a", "b", "c", "d"):
        manager.create(ring, FAST, issuer=ISSUER)
    scheduler = schedule()
    scheduler.run_pending()
    before = {ring: active(manager, ring) for ring in "ad"}
    clock.advance(R_MS)
    store.broken = {"b": StoreUnavailable("down"), "c": RuntimeError("canary")}
    assert set(scheduler.run_pending()) == {"a", "b", "c", "d"}
    assert all(active(manager, ring) != kid for ring, kid in before.items())
    told = {event.ring: event for event in heard}
    assert {ring: event.facts["code"] for ring, event in told.items()} == {
        "b": "store_unavailable",
        "c": "RuntimeError",
    }
    assert all(event.alarm and event.name == "scheduler.keyring-failed" for event in heard)
    assert "canary" not in repr(heard)


def test_a_failing_keyring_is_tried_again_by_itself(
    schedule: Schedule, manager: KeyManager, store: FaultyStore, clock: FakeClock
) -> None:
    """After a pause the keyring's pass is tried again, and makes up for what was due."""
    manager.create("a", FAST, issuer=ISSUER)
    first, scheduler = active(manager, "a"), schedule()
    scheduler.run_pending()
    clock.advance(R_MS)
    store.broken = {"a": StoreUnavailable("down")}
    scheduler.run_pending()
    store.broken = {}
    assert scheduler.run_pending() == ()
    clock.advance(scheduler.next_wake())
    assert scheduler.run_pending() == ("a",)
    assert active(manager, "a") != first


def test_a_listing_that_fails_keeps_the_names_known(
    schedule: Schedule, manager: KeyManager, store: FaultyStore, clock: FakeClock, heard: list[Event]
) -> None:
    """While names can't be listed, the keyrings known so far are looked after; one alarm tells."""
    manager.create("a", FAST, issuer=ISSUER)
    scheduler = schedule()
    scheduler.run_pending()
    store.failure = StoreUnavailable("down")
    for _ in range(3):
        scheduler.run_pending()
    store.failure = None
    clock.advance(R_MS)
    assert scheduler.run_pending() == ("a",)
    assert [(event.name, event.alarm) for event in heard] == [
        ("scheduler.list-failed", True),
        ("scheduler.list-failed", False),
        ("scheduler.list-failed", False),
    ]


def test_downtime_is_made_up_for_with_every_lead_kept(
    schedule: Schedule, manager: KeyManager, clock: FakeClock
) -> None:
    """After a month's sleep the first pass rotates, and the key that came new waits for its lead."""
    manager.create("a", FAST, issuer=ISSUER)
    schedule().run_pending()
    clock.advance(timedelta(days=30))
    scheduler = schedule()
    for _ in range(400):
        scheduler.run_pending()
        clock.advance(50)
    for record in manager.keyring("a").records:
        if record.activated is not None and not record.founding:
            assert record.published is not None
            assert record.activated >= record.published + LEAD_MS
    assert len([e for e in manager.keyring("a").ledger.entries if e.action == "promoted"]) >= 4


def test_two_side_by_side_rotate_once(schedule: Schedule, manager: KeyManager, clock: FakeClock) -> None:
    """Two schedulers over one store make one promotion of each due date, not two."""
    manager.create("a", FAST, issuer=ISSUER)
    one, other = schedule(), schedule()
    for scheduler in (one, other):
        scheduler.run_pending()
    clock.advance(R_MS)
    for scheduler in (one, other):
        scheduler.run_pending()
    assert len([e for e in manager.keyring("a").ledger.entries if e.action == "promoted"]) == 2


def test_only_named_keyrings_are_watched(
    schedule: Schedule, manager: KeyManager, store: FaultyStore, heard: list[Event]
) -> None:
    """With names given nothing is listed; one that is missing is an alarm, and one text is one name."""
    for ring in ("payments", "orders"):
        manager.create(ring, FAST, issuer=ISSUER)
    store.listings = 0
    assert schedule("payments").run_pending() == ("payments",)
    assert set(schedule(["orders", "lost"]).run_pending()) == {"orders", "lost"}
    assert store.listings == 0
    assert [(event.ring, event.facts["code"]) for event in heard if event.alarm] == [
        ("lost", "keyring_not_found")
    ]
    with pytest.raises(BadRingName):
        schedule(["../orders"])


def test_the_default_jitter_stays_in_its_bounds() -> None:
    """The jitter is from nothing to all of what it may be, and not always the same."""
    seen = {spread(10) for _ in range(1_000)}
    assert seen == set(range(11))


# --- threads -----------------------------------------------------------------------------------


@pytest.fixture
def live(store: FaultyStore) -> KeyManager:
    """A manager by the system's clock, with a keyring that rotates every six seconds."""
    manager = KeyManager(store, listener=lambda event: None)
    manager.create("a", FAST, issuer=ISSUER)
    return manager


def test_it_runs_in_the_background_and_ends_without_a_trace(live: KeyManager, store: FaultyStore) -> None:
    """Started, it reads every keyring by itself; shut down, it leaves no thread."""
    before = set(threading.enumerate())
    store.reads.clear()
    scheduler = RotationScheduler(live)
    with scheduler:
        assert scheduler.running
        until(store.reads.total)
        live.create("b", FAST, issuer=ISSUER)
        until(lambda: any(name.ring == "b" for name in store.reads))
    assert not scheduler.running
    assert set(threading.enumerate()) <= before
    assert scheduler.shutdown()


def test_it_may_be_started_again(live: KeyManager, store: FaultyStore) -> None:
    """A scheduler that was shut down starts like a new one, and starting twice is starting once."""
    scheduler = RotationScheduler(live)
    with scheduler:
        until(store.reads.total)
    known = set(threading.enumerate())
    live.create("b", FAST, issuer=ISSUER)
    with scheduler.start().start():
        until(lambda: any(name.ring == "b" for name in store.reads))
    assert set(threading.enumerate()) <= known


def test_a_rotation_happens_by_itself(live: KeyManager) -> None:
    """With real threads and time, the key of a fast keyring is replaced."""
    first = active(live, "a")
    with RotationScheduler(live):
        until(lambda: active(live, "a") != first, within=20)


def test_a_slow_pass_delays_no_other(store: FaultyStore) -> None:
    """While one keyring waits for its key to be made, the rest are rotated."""
    gate = threading.Event()

    class SlowFactory(LocalKeyFactory):
        def make(self, algorithm: str) -> FreshKey:
            if algorithm == "RS256":
                gate.wait(60)
            return super().make(algorithm)

    quick = KeyManager(store, listener=lambda event: None)
    quick.create("slow", RotationPolicy(**{**FAST.model_dump(), "algorithm": "RS256"}), issuer=ISSUER)
    for ring in ("a", "b"):
        quick.create(ring, FAST, issuer=ISSUER)
    first = {ring: active(quick, ring) for ring in "ab"}
    manager = KeyManager(store, key_factory=SlowFactory(), listener=lambda event: None)
    with RotationScheduler(manager, workers=2):
        until(lambda: all(active(quick, ring) != kid for ring, kid in first.items()), within=20)
        gate.set()


def test_shutdown_waits_for_the_running_pass_but_not_for_ever(
    live: KeyManager, store: FaultyStore, heard: list[Event]
) -> None:
    """A pass that hangs is left behind after the time given, with an alarm."""
    store.open.clear()
    store.reads.clear()
    scheduler = RotationScheduler(live, listener=heard.append).start()
    until(store.reads.total)
    assert not scheduler.shutdown(timedelta(milliseconds=10))
    assert [event.name for event in heard if event.alarm] == ["scheduler.still-running"]
    store.open.set()


def test_a_shutdown_lets_the_running_pass_end(live: KeyManager, store: FaultyStore) -> None:
    """Shutting down in the middle of a pass waits until it is over."""
    store.open.clear()
    store.reads.clear()
    scheduler = RotationScheduler(live).start()
    until(store.reads.total)
    threading.Timer(0.05, store.open.set).start()
    assert scheduler.shutdown()
    until(lambda: not [t for t in threading.enumerate() if t.name.startswith("keyvault-jwt-scheduler")])


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_does_not_run_it_unless_started(live: KeyManager, store: FaultyStore) -> None:
    """In a child the parent's scheduler is at rest: shutting it down returns, and starting works."""

    def rests() -> bool:
        # A thread amid a pass may hold a lock that the child would wait for.
        read = store.reads.total()
        threading.Event().wait(0.2)
        return bool(read) and store.reads.total() == read

    with RotationScheduler(live) as scheduler:
        until(rests)
        child = os.fork()
        if child == 0:
            try:
                assert not scheduler.running
                assert scheduler.shutdown()
                store._guard = threading.Lock()  # a parent's thread may have held it
                store.reads.clear()
                scheduler.start()
                until(store.reads.total)
                assert scheduler.shutdown()
                os._exit(0)
            except BaseException:
                os._exit(1)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        assert scheduler.running

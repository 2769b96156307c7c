"""The fleet: which keyrings are published, and when the store is asked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from keyvault_jwt.errors import StoreDenied, StoreUnavailable
from keyvault_jwt.events import Event
from keyvault_jwt.key_manager import KeyManager
from keyvault_jwt.marks import MemoryMarks
from keyvault_jwt.server import fleet as fleets
from keyvault_jwt.server.fleet import Fleet
from keyvault_jwt.store import DocumentKind, DocumentName
from keyvault_jwt.testing import FakeClock
from tests.faulty_store import FAST, FaultyStore
from tests.waiting import until

ISSUER = "https://id.example"
LEASE_MS, POLL_MS, LISTING_MS = 1500, 200, 1000


@pytest.fixture
def heard() -> list[Event]:
    """The events that the fleet told."""
    return []


@pytest.fixture
def sail(
    store: FaultyStore, manager: KeyManager, clock: FakeClock, heard: list[Event]
) -> Callable[..., Fleet]:
    """Make a fleet without threads that has done what was due."""

    def make(*args: object, **options: object) -> Fleet:
        settings = {"clock": clock, "listener": heard.append, "jitter": lambda: 0.0} | options
        fleet = Fleet(store, *args, **settings)  # type: ignore[arg-type]
        fleet.run_pending()
        return fleet

    return make


def serving(fleet: Fleet) -> list[str]:
    return [status.ring for status in fleet.statuses() if status.serving]


def test_a_keyring_made_later_is_published(
    sail: Callable[..., Fleet], manager: KeyManager, clock: FakeClock
) -> None:
    """The names are listed again and again, and a new one is read at once."""
    fleet = sail()
    manager.create("orders", FAST, issuer=ISSUER)
    assert serving(fleet) == ["payments"]
    clock.advance(LISTING_MS)
    fleet.run_pending()
    assert serving(fleet) == ["orders", "payments"]


def test_a_keyring_that_vanished_is_published_to_the_end_of_its_lease(
    sail: Callable[..., Fleet], store: FaultyStore, clock: FakeClock
) -> None:
    """A listing without it may be a mistake: only when its lease has run out too is it unknown."""
    gone: list[str] = []
    fleet = sail(gone=gone.append)
    store.restore({})
    clock.advance(LISTING_MS)
    fleet.run_pending()
    assert serving(fleet) == ["payments"]
    clock.advance(LISTING_MS)
    fleet.run_pending()
    assert fleet.publisher("payments") is None
    assert fleet.statuses() == []
    assert gone == ["payments"]


def test_a_listing_that_fails_changes_nothing(
    sail: Callable[..., Fleet], store: FaultyStore, clock: FakeClock, heard: list[Event]
) -> None:
    """While names can't be listed the known keyrings go on, and one alarm tells."""
    fleet = sail()
    real, store.names = store.names, refusing  # type: ignore[method-assign,assignment]
    for _ in range(3):
        clock.advance(LISTING_MS)
        fleet.run_pending()
    assert serving(fleet) == ["payments"]
    assert [event.alarm for event in heard if event.name == "server.list-failed"] == [True, False, False]
    store.names = real  # type: ignore[method-assign]


def refusing() -> Iterator[DocumentName]:
    raise StoreDenied("may not list")


def test_named_keyrings_need_no_listing(
    sail: Callable[..., Fleet], manager: KeyManager, store: FaultyStore, clock: FakeClock
) -> None:
    """A role that may not list names what it publishes, and a keyring of it may come later."""
    store.listings = 0
    fleet = sail(["payments", "later"])
    assert serving(fleet) == ["payments"]
    manager.create("later", FAST, issuer=ISSUER)
    manager.create("orders", FAST, issuer=ISSUER)
    clock.advance(LISTING_MS)
    fleet.run_pending()
    assert serving(fleet) == ["later", "payments"]
    assert store.listings == 0


def test_each_set_is_read_once_a_poll_and_public_documents_alone(
    sail: Callable[..., Fleet], store: FaultyStore, clock: FakeClock
) -> None:
    """A publisher needs no leave to read anything private, and reads no more than its policy says."""
    store.reads.clear()
    fleet = sail()
    for _ in range(10):
        clock.advance(POLL_MS)
        fleet.run_pending()
    assert store.reads == {DocumentName("payments", DocumentKind.PUBLIC): 11}


def test_a_keyring_without_a_public_document_is_not_listed(
    sail: Callable[..., Fleet], store: FaultyStore
) -> None:
    """Private documents alone make no published keyring."""
    backup = store.backup()
    del backup[DocumentName("payments", DocumentKind.PUBLIC)]
    store.restore(backup)
    assert sail().statuses() == []


def test_too_many_keyrings_are_cut_off_with_an_alarm(
    sail: Callable[..., Fleet],
    manager: KeyManager,
    clock: FakeClock,
    heard: list[Event],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Above the cap the first by name are published, and an alarm says so once."""
    monkeypatch.setattr(fleets, "MOST_RINGS", 2)
    for ring in ("a", "b"):
        manager.create(ring, FAST, issuer=ISSUER)
    fleet = sail()
    clock.advance(LISTING_MS)
    fleet.run_pending()
    assert serving(fleet) == ["a", "b"]
    assert [event.name for event in heard if event.alarm] == ["server.too-many-keyrings"]


def test_marks_outlive_the_fleet(
    sail: Callable[..., Fleet], manager: KeyManager, store: FaultyStore, clock: FakeClock
) -> None:
    """A server restarted over a restored store publishes nothing of it."""
    marks, backup = MemoryMarks(), store.backup()
    clock.advance(10)
    manager.rotate("payments")
    sail(marks=marks)
    store.restore(backup)
    fleet = sail(marks=marks)
    assert serving(fleet) == []
    assert fleet.statuses()[0].failure == "document_rolled_back"


def test_a_bug_beside_the_fleet_does_not_end_the_polling(
    store: FaultyStore, manager: KeyManager, caplog: pytest.LogCaptureFixture
) -> None:
    """When what is called after each refresh raises, the next refresh comes all the same."""

    def broken(publisher: object) -> None:
        raise ValueError("a bug")

    before = set(threading.enumerate())
    fleet = Fleet(store, listener=lambda event: None, after=broken)
    fleet.start()
    try:
        until(lambda: store.reads[DocumentName("payments", DocumentKind.PUBLIC)] > 3)
    finally:
        assert fleet.close()
    assert "a worker's task failed" in caplog.text
    assert set(threading.enumerate()) <= before


def test_starting_waits_for_the_first_reads(store: FaultyStore, manager: KeyManager) -> None:
    """`start` doesn't return before the store has answered, and then what can be served is."""
    for number in range(5):
        manager.create(f"ring-{number}", FAST, issuer=ISSUER)
    store.open.clear()
    fleet = Fleet(store, listener=lambda event: None)
    starting = threading.Thread(target=fleet.start)
    starting.start()
    starting.join(0.1)
    assert starting.is_alive()
    store.open.set()
    starting.join(30)
    assert len(serving(fleet)) == 6
    assert fleet.close()


def test_starting_does_not_wait_for_ever(store: FaultyStore, manager: KeyManager) -> None:
    """A store that hangs from the start delays no server beyond its patience."""
    store.open.clear()
    fleet = Fleet(store, listener=lambda event: None)
    fleet.start(patience=timedelta(milliseconds=10))
    assert fleet.listed
    assert serving(fleet) == []
    assert not fleet.close(patience=timedelta(milliseconds=10))
    store.open.set()
    assert fleet.close()


def test_starting_does_not_wait_for_names_that_cannot_be_had(store: FaultyStore, manager: KeyManager) -> None:
    """A store that refuses to list is not waited for: requests are told to come again."""
    store.failure = StoreUnavailable("down")
    fleet = Fleet(store, listener=lambda event: None)
    fleet.start(patience=timedelta(hours=1))
    assert not fleet.listed
    assert fleet.close()

"""The publisher: what goes out, with which promises to caches, and when it stops."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator

import jwt
import pytest

from keyvault_jwt.errors import PublisherLeaseExpired, RolledBack, StoreUnavailable
from keyvault_jwt.events import Event
from keyvault_jwt.key_manager import KeyManager
from keyvault_jwt.marks import MemoryMarks
from keyvault_jwt.policy import RotationPolicy
from keyvault_jwt.publisher import Publisher
from keyvault_jwt.store import DocumentKind, DocumentName
from keyvault_jwt.testing import FakeClock
from tests.faulty_store import FAST, FaultyStore
from tests.waiting import until

ISSUER = "https://id.example"
PUBLIC = DocumentName("payments", DocumentKind.PUBLIC)
LEASE_MS, POLL_MS = 1500, 200


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
    """A manager whose keyring `payments` has the policy of seconds."""
    manager = KeyManager(store, clock=clock)
    manager.create("payments", FAST, issuer=ISSUER)
    return manager


@pytest.fixture
def heard() -> list[Event]:
    """The events that the publisher told."""
    return []


@pytest.fixture
def publisher(
    store: FaultyStore, manager: KeyManager, clock: FakeClock, heard: list[Event]
) -> Iterator[Publisher]:
    """A publisher without a thread: the test refreshes it."""
    with Publisher(
        store, "payments", clock=clock, listener=heard.append, background=False, jitter=lambda: 0
    ) as publisher:
        yield publisher


def kids(body: bytes) -> set[str]:
    return {key["kid"] for key in json.loads(body)["keys"]}


def test_the_set_is_the_managers_with_its_origin(publisher: Publisher, manager: KeyManager) -> None:
    """The body says what `KeyManager.jwks` says, and PyJWT reads it."""
    found = publisher.current()
    keyring = manager.keyring("payments")
    assert json.loads(found.body) == json.loads(manager.jwks("payments"))
    assert json.loads(found.body)["keyvault_jwt"] == {
        "ring": "payments",
        "epoch": keyring.epoch,
        "revision": keyring.revision,
    }
    assert {key.key_id for key in jwt.PyJWKSet.from_json(found.body.decode()).keys} == kids(found.body)


def test_the_set_says_what_caches_need(publisher: Publisher, manager: KeyManager) -> None:
    """ETag, C, G, place in history, issuer and algorithms come from the document."""
    found = publisher.current()
    keyring = manager.keyring("payments")
    digest = hashlib.sha256(found.body).hexdigest()[:16]
    assert found.etag == f'"{keyring.epoch}-{keyring.revision}-{digest}"'
    assert found.cache_control == "public, max-age=1, stale-if-error=1"
    assert (found.max_age, found.max_stale, found.issuer) == (1, 1, ISSUER)
    assert found.algorithms == ("ES256",)


def test_a_symmetric_keyring_publishes_nothing(store: FaultyStore, clock: FakeClock) -> None:
    """The set of an HS256 keyring is empty: its secrets never go out."""
    KeyManager(store, clock=clock).create("hs", RotationPolicy(algorithm="HS256"), issuer=ISSUER)
    found = Publisher(store, "hs", clock=clock, background=False).current()
    assert json.loads(found.body)["keys"] == []
    assert found.algorithms == ()


def test_it_answers_to_the_end_of_the_lease_and_no_further(
    publisher: Publisher, store: FaultyStore, clock: FakeClock, heard: list[Event]
) -> None:
    """At D exactly the last good set goes out, without a read; a millisecond later nothing does."""
    store.failure = StoreUnavailable("down")
    reads = store.reads.total()
    clock.advance(LEASE_MS)
    assert publisher.current() is publisher.peek()
    assert store.reads.total() == reads
    clock.advance(1)
    assert publisher.peek() is None
    with pytest.raises(PublisherLeaseExpired, match="store_unavailable"):
        publisher.current()
    assert [event.name for event in heard if event.alarm] == ["publisher.lease-expired"]


def test_peeking_never_reads(store: FaultyStore, manager: KeyManager, clock: FakeClock) -> None:
    """Before the first read and past the lease `peek` answers None and leaves the store alone."""
    publisher = Publisher(store, "payments", clock=clock, background=False)
    store.reads.clear()
    assert publisher.peek() is None
    publisher.refresh()
    clock.advance(LEASE_MS + 1)
    assert publisher.peek() is None
    assert store.reads == {PUBLIC: 1}


def test_a_revoked_key_leaves_with_the_next_read(
    publisher: Publisher, manager: KeyManager, clock: FakeClock
) -> None:
    """A revocation is followed at the next poll, with another ETag."""
    before = publisher.current()
    standby = manager.keyring("payments").standbys("ES256")[0].kid
    manager.revoke("payments", standby, reason="leaked")
    publisher.refresh()
    after = publisher.current()
    assert standby in kids(before.body) - kids(after.body)
    assert before.etag != after.etag
    assert after.revision > before.revision


def test_a_restored_store_brings_no_revoked_key_back(
    publisher: Publisher, store: FaultyStore, manager: KeyManager, heard: list[Event]
) -> None:
    """A backup from before a revocation is not published: not now, and not after a restart."""
    marks, backup = MemoryMarks(), store.backup()
    standby = manager.keyring("payments").standbys("ES256")[0].kid
    manager.revoke("payments", standby, reason="leaked")
    publisher.refresh()
    Publisher(store, "payments", clock=publisher._follower._clock, marks=marks, background=False).current()
    store.restore(backup)
    publisher.refresh()
    assert standby not in kids(publisher.current().body)
    assert [event.name for event in heard if event.alarm] == ["publisher.rolled-back"]
    with pytest.raises(RolledBack):
        Publisher(store, "payments", marks=marks, background=False).current()


def test_no_new_epoch_brings_a_revoked_key_back(
    publisher: Publisher, store: FaultyStore, manager: KeyManager, clock: FakeClock
) -> None:
    """A recovery by somebody who saw no revocation is not published until the key is revoked again."""
    backup, standby = store.backup(), manager.keyring("payments").standbys("ES256")[0].kid
    manager.revoke("payments", standby, reason="leaked")
    publisher.refresh()
    store.restore(backup)
    clock.advance(4_000)
    unaware = KeyManager(store, clock=clock)
    unaware.recover("payments")
    publisher.refresh()
    assert isinstance(publisher._follower.failure, RolledBack)
    unaware.revoke("payments", standby, reason="leaked")
    publisher.refresh()
    assert publisher._follower.failure is None


def test_a_mark_remembers_revoked_kids(store: FaultyStore, manager: KeyManager, clock: FakeClock) -> None:
    """What was seen revoked is kept outside the store with the place in history."""
    marks = MemoryMarks()
    standby = manager.keyring("payments").standbys("ES256")[0].kid
    manager.revoke("payments", standby, reason="leaked")
    Publisher(store, "payments", clock=clock, marks=marks, background=False).current()
    mark = marks.load("payments")
    assert mark is not None
    assert mark.revoked == {standby}


def test_the_next_poll_is_the_policys_and_only_ever_sooner(
    store: FaultyStore, manager: KeyManager, clock: FakeClock
) -> None:
    """Jitter shortens the interval, since two polls must fit into a lease."""
    for jitter, expected in ((0.0, POLL_MS), (1.0, POLL_MS * 0.8)):
        publisher = Publisher(store, "payments", clock=clock, background=False, jitter=lambda j=jitter: j)
        publisher.refresh()
        assert publisher.next_poll() == expected


def test_the_status_tells_how_it_fares(publisher: Publisher, store: FaultyStore, clock: FakeClock) -> None:
    """Age, lease and the last failure's code are there for health pages, without a read."""
    store.failure = StoreUnavailable("down")
    clock.advance(LEASE_MS + 1)
    publisher.refresh()
    status = publisher.status()
    assert (status.age, status.lease, status.serving) == (LEASE_MS + 1, LEASE_MS, False)
    assert status.failure == "store_unavailable"
    assert status.published is not None
    fresh = Publisher(store, "payments", background=False).status()
    assert (fresh.published, fresh.serving, fresh.failure) == (None, False, "")


def test_it_follows_in_the_background(store: FaultyStore, manager: KeyManager, clock: FakeClock) -> None:
    """With a thread, a change reaches the set without anyone asking, and `close` ends the thread."""
    before = set(threading.enumerate())
    with Publisher(store, "payments", clock=clock) as publisher:
        revision = publisher.current().revision
        manager.rotate("payments", emergency=True, accept_refusals=True)
        until(lambda: (found := publisher.peek()) is not None and found.revision > revision)
    assert set(threading.enumerate()) <= before

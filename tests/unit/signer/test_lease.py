"""For how long a signer goes on without a confirmed read (I3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import jwt
import pytest

from keyvault_jwt.errors import (
    KeyringNotFound,
    SignerLeaseExpired,
    StoreUnavailable,
    UsageError,
)
from keyvault_jwt.events import Event
from keyvault_jwt.key_manager import KeyManager
from keyvault_jwt.signer import Signer
from keyvault_jwt.store import DocumentName
from keyvault_jwt.testing import FakeClock
from tests.faulty_store import FaultyStore
from tests.unit.signer.conftest import CLAIMS, LEASE_MS, POLL_MS, SIGNING, alarms


def test_the_first_use_reads(store: FaultyStore, manager: KeyManager, clock: FakeClock) -> None:
    """Making a signer reads nothing; its first token does."""
    signer = Signer(store, "payments", clock=clock, background=False)
    store.reads.clear()
    signer.sign(CLAIMS)
    assert store.reads == {SIGNING: 1}


def test_signing_goes_on_to_the_end_of_the_lease_and_no_further(
    signer: Signer, store: FaultyStore, clock: FakeClock, heard: list[Event]
) -> None:
    """At P exactly a token is signed without a read; a millisecond later, with the store down, none is."""
    store.failure = StoreUnavailable("down")
    reads = store.reads.total()
    clock.advance(LEASE_MS)
    signer.sign(CLAIMS)
    assert store.reads.total() == reads
    clock.advance(1)
    with pytest.raises(SignerLeaseExpired, match="store_unavailable"):
        signer.sign(CLAIMS)
    assert "signer.lease-expired" in alarms(heard)


def test_past_the_lease_one_read_is_tried_and_mends_it(
    signer: Signer, store: FaultyStore, clock: FakeClock
) -> None:
    """With the store up, a signer that slept past its lease reads once and signs."""
    clock.advance(60_000)
    reads = store.reads.total()
    signer.sign(CLAIMS)
    assert store.reads.total() == reads + 1


def test_a_dead_store_is_not_asked_again_by_every_caller(
    signer: Signer, store: FaultyStore, clock: FakeClock
) -> None:
    """Callers past the lease share the failure for a while, so that an outage isn't made worse."""
    store.failure = StoreUnavailable("down")
    clock.advance(LEASE_MS + 1)
    reads = store.reads.total()
    for _ in range(5):
        with pytest.raises(SignerLeaseExpired):
            signer.sign(CLAIMS)
    assert store.reads.total() == reads + 1
    clock.advance(POLL_MS)
    store.failure = None
    signer.sign(CLAIMS)


def test_the_lease_counts_from_when_the_request_was_sent(
    store: FaultyStore, manager: KeyManager, clock: FakeClock
) -> None:
    """A slow answer has used up its lease on the way: what it says may be as old as the request."""

    class SlowStore(FaultyStore):
        def read(self, name: DocumentName) -> Any:
            clock.advance(LEASE_MS)
            return store.read(name)

    signer = Signer(SlowStore(), "payments", clock=clock, background=False)
    signer.sign(CLAIMS)
    store.failure = StoreUnavailable("down")
    clock.advance(1)
    with pytest.raises(SignerLeaseExpired):
        signer.sign(CLAIMS)


def test_an_answer_slower_than_the_lease_is_worth_nothing(
    store: FaultyStore, manager: KeyManager, clock: FakeClock
) -> None:
    """A first read that took longer than P leaves nothing to sign under."""

    class SlowStore(FaultyStore):
        def read(self, name: DocumentName) -> Any:
            clock.advance(LEASE_MS + 1)
            return store.read(name)

    with pytest.raises(SignerLeaseExpired):
        Signer(SlowStore(), "payments", clock=clock, background=False).sign(CLAIMS)


@pytest.mark.parametrize("step", [-3_600_000, 3_600_000])
def test_a_stepped_wall_clock_never_stretches_the_lease(
    signer: Signer, store: FaultyStore, clock: FakeClock, step: int
) -> None:
    """The larger of both clocks counts: set back, the monotonic one ends the lease; set forward, the wall."""
    store.failure = StoreUnavailable("down")
    clock.step_wall(step)
    clock.advance(LEASE_MS + 1 if step < 0 else 0)
    with pytest.raises(SignerLeaseExpired):
        signer.sign(CLAIMS)


def test_iat_is_an_instant_under_the_lease(
    store: FaultyStore, manager: KeyManager, opened: Callable[[str], dict[str, Any]]
) -> None:
    """A clock that jumps between the check and the token can't date a token past the lease."""

    class Jumping(FakeClock):
        looks = 0

        def wall(self) -> int:
            self.looks += 1
            return super().wall() + self.looks

    jumping = Jumping(wall=FakeClock().wall() + 900)
    signer = Signer(store, "payments", clock=jumping, background=False)
    signer.refresh()
    sent = jumping.wall()
    seen = {opened(signer.sign(CLAIMS, ttl=timedelta(seconds=1)))["iat"] for _ in range(40)}
    assert max(seen) * 1000 <= sent + LEASE_MS


def test_a_failed_read_keeps_the_last_good_key(signer: Signer, store: FaultyStore, clock: FakeClock) -> None:
    """Inside the lease an outage, a vanished and a corrupt document change nothing."""
    kid, good = signer.kid, store.backup()
    found = good[SIGNING]
    torn = replace(found, draft=replace(found.draft, data=found.draft.data[:-9]))
    for broken in ({}, {SIGNING: torn}):
        store.restore(broken)
        signer.refresh()
        assert jwt.get_unverified_header(signer.sign(CLAIMS))["kid"] == kid
    store.restore(good)
    store.failure = StoreUnavailable("down")
    clock.advance(LEASE_MS)
    signer.refresh()
    assert jwt.get_unverified_header(signer.sign(CLAIMS))["kid"] == kid


def test_a_store_that_raises_anything_is_a_failed_read(signer: Signer, store: FaultyStore) -> None:
    """An exception outside our tree, of a store of anyone's, ends neither the signer nor leaks its text."""
    store.failure = RuntimeError("canary")
    signer.refresh()
    signer.sign(CLAIMS)
    assert "canary" not in repr(signer._follower.failure)


def test_before_the_first_read_the_stores_own_error_is_raised(
    store: FaultyStore, manager: KeyManager, clock: FakeClock
) -> None:
    """A keyring that isn't there, or a store that is down, is said as it is; a second try may succeed."""
    with pytest.raises(KeyringNotFound):
        Signer(store, "nobody", clock=clock, background=False).sign(CLAIMS)
    store.failure = StoreUnavailable("down")
    signer = Signer(store, "payments", clock=clock, background=False)
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            signer.sign(CLAIMS)
    store.failure = None
    clock.advance(1_000)
    signer.sign(CLAIMS)


def test_a_bad_ring_name_is_refused_at_once(store: FaultyStore) -> None:
    """A name that no keyring can have never reaches the store."""
    with pytest.raises(UsageError):
        Signer(store, "../payments")

"""Moving history out: the same bytes for the same keyring, and only listed archives are believed."""

from __future__ import annotations

import pytest

from keyvault_jwt import archiving, document
from keyvault_jwt.errors import CorruptDocument
from keyvault_jwt.key_manager import KeyManager
from keyvault_jwt.keyring import ArchiveRef, Keyring
from keyvault_jwt.patience import ROUTINE_SHARE
from keyvault_jwt.plan import KEPT_ENTRIES, KEPT_TOMBSTONES
from keyvault_jwt.store import Draft, Limits, Version, Versioned
from keyvault_jwt.stores.memory import MemoryStore
from keyvault_jwt.testing import FakeClock
from tests.model.model_store import RING
from tests.model.scenes import ISSUER, RECONCILE, fresh, seconds_policy


@pytest.fixture(scope="module")
def old() -> Keyring:
    """A keyring with more tombstones than it keeps."""
    world = fresh()
    while sum(record.is_tombstone for record in world.keyring.records) <= KEPT_TOMBSTONES:
        world = world.alone().later(6000).run(RECONCILE)
        if world.keyring.archives:
            pytest.fail("it was archived before this test could look")
        if sum(r.is_tombstone for r in world.keyring.records) == KEPT_TOMBSTONES:
            break
    ring = world.keyring
    gone = next(r for r in ring.records if r.state.published and r.activated is None)
    return ring.destroyed(gone.kid, world.now).stamped(gone.kid, removed=world.now)


def read(draft: Draft) -> Versioned:
    """Return a draft as a store answers it."""
    return Versioned(draft, Version("1"))


def test_half_of_the_tombstones_leave(old: Keyring) -> None:
    """The oldest go, half of what is kept stays, and the same keyring gives the same bytes."""
    ref = archiving.reference(old, 1)
    archive = archiving.opened(RING, ref, read(archiving.draft(old, 1)))
    assert archive is not None
    after = archiving.moved_out(old, old, ref, 1)
    assert sum(record.is_tombstone for record in after.records) == KEPT_TOMBSTONES // 2
    assert {r.kid for r in after.records} | {r.kid for r in archive.records} == {r.kid for r in old.records}
    latest = max(record.removed or 0 for record in archive.records)
    assert all((r.removed or 0) >= latest for r in after.records if r.is_tombstone)
    assert after.archives == (ref,)
    after.ledger.verify()


def test_entries_leave_and_the_chain_goes_on() -> None:
    """Above 256 entries all but 128 move out, and both parts still follow one another."""
    ring = fresh().keyring
    while len(ring.ledger.entries) <= KEPT_ENTRIES:
        assert not archiving.is_due(ring)
        ring = ring.told(1, "noted")
    assert archiving.is_due(ring)
    ref = archiving.reference(ring, 1)
    archive = archiving.opened(RING, ref, read(archiving.draft(ring, 1)))
    assert archive is not None
    after = archiving.moved_out(ring, ring, ref, 2)
    assert len(after.ledger.entries) == KEPT_ENTRIES // 2 + 1
    assert after.ledger.base == archive.entries[-1].hash
    after.ledger.verify()


def test_a_listed_archive_must_be_the_listed_one(old: Keyring) -> None:
    """Missing or other bytes under a listed number are `CorruptDocument`."""
    ref = archiving.reference(old, 1)
    with pytest.raises(CorruptDocument, match="missing"):
        archiving.opened(RING, ref, None)
    with pytest.raises(CorruptDocument, match="differs"):
        archiving.opened(RING, ref, read(archiving.draft(old, 2)))


def test_an_unlisted_archive_is_hearsay(old: Keyring) -> None:
    """It is read as far as it can be, and what can't be read is left out."""
    draft = archiving.draft(old, 1)
    assert archiving.opened(RING, None, read(draft)) == document.decode_archive(RING, draft.data)
    assert archiving.opened(RING, None, None) is None
    torn = Draft(draft.data[:-1], draft.revision, draft.write_id)
    assert archiving.opened(RING, None, read(torn)) is None
    authority = document.authority_draft(old)
    assert archiving.opened(RING, None, read(authority)) is None


def test_numbers_go_up_from_the_last_listed_one() -> None:
    """The first is 1; gaps left by lost races are not filled."""
    ring = fresh().keyring
    assert archiving.next_number(ring) == 1
    assert archiving.next_number(ring.replaced(archives=(ArchiveRef(1, "a"), ArchiveRef(3, "c")))) == 4


@pytest.mark.parametrize("algorithm", ["ES256", "ML-DSA-87"])
def test_small_documents_hold_less_history(algorithm: str) -> None:
    """Where a document holds 64 KB, as in Secrets Manager, rotations go on and on: history leaves in time."""
    clock, limits = FakeClock(), Limits(document_bytes=65_280)
    store = MemoryStore(limits=limits)
    with KeyManager(store, clock=clock, listener=lambda event: None) as manager:
        manager.create(RING, seconds_policy(algorithm), issuer=ISSUER)
        for _ in range(45):
            clock.advance(6000)
            manager.reconcile(RING)
            manager.reconcile(RING)
        keyring = manager.keyring(RING)
    assert sum(entry.action == "promoted" for entry in keyring.ledger.entries) > 1
    assert keyring.ledger.next_seq > 150
    limits.require_room(document.authority_draft(keyring), ROUTINE_SHARE)
    assert len(keyring.archives) > 2

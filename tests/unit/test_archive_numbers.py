"""A pass that finds the number of its archive taken, by its own bytes or by another's."""

from __future__ import annotations

from uuid import UUID

import pytest

from keyvault_jwt import KeyManager, archiving, document
from keyvault_jwt.keyring import Keyring
from keyvault_jwt.keys import KeyState
from keyvault_jwt.plan import KEPT_TOMBSTONES
from keyvault_jwt.store import DocumentKind, DocumentName
from keyvault_jwt.stores.memory import MemoryStore
from keyvault_jwt.testing import FakeClock
from tests.made_rings import NOW, made_key, made_ring

FIRST = DocumentName("ring", DocumentKind.ARCHIVE, 1)


def full() -> Keyring:
    """Return a committed keyring with one tombstone more than it keeps, and nothing else due."""
    alive = (
        made_key(1, KeyState.ACTIVE),
        *(made_key(number, KeyState.PRE_ACTIVATION) for number in (2, 3)),
    )
    tombs = (
        made_key(number, KeyState.DESTROYED, removed=NOW - 1000 + number)
        for number in range(10, 11 + KEPT_TOMBSTONES)
    )
    return made_ring(*alive, *tombs)


@pytest.mark.parametrize(("there", "number"), [(None, 1), ("ours", 1), ("another's", 2)])
def test_number_that_is_taken(there: str | None, number: int) -> None:
    """Our own bytes count as written; another's stay as they are, and the next number is used."""
    store, ring = MemoryStore(), full()
    store.replace(DocumentName("ring", DocumentKind.AUTHORITY), document.authority_draft(ring), expected=None)
    if there is not None:
        writer = ring if there == "ours" else ring.replaced(epoch=ring.epoch - 1, write_id=UUID(int=9))
        store.replace(FIRST, archiving.draft(writer, 1), expected=None)
    kept = store.read(FIRST)
    manager = KeyManager(store, clock=FakeClock(NOW), listener=lambda _: None)
    [ref] = manager.reconcile("ring").keyring.archives
    assert ref.number == number
    assert kept is None or store.read(FIRST) == kept
    archive = archiving.opened("ring", ref, store.read(DocumentName("ring", DocumentKind.ARCHIVE, number)))
    assert archive is not None
    assert len(archive.records) == KEPT_TOMBSTONES + 1 - KEPT_TOMBSTONES // 2
    assert not manager.reconcile("ring").changed

"""What the memory store does beyond the contract."""

from __future__ import annotations

from uuid import uuid4

from keyvault_jwt.store import DocumentKind, DocumentName, Draft, Limits, limits_of, staleness_of
from keyvault_jwt.stores.memory import MemoryStore


def test_declares_what_it_was_given() -> None:
    """Its reads are linearizable, and its limits are the ones asked for."""
    store = MemoryStore(limits=Limits(document_bytes=10, published_keys=3))
    assert staleness_of(store) == 0
    assert limits_of(store) == Limits(document_bytes=10, published_keys=3)


def test_repr_shows_no_document() -> None:
    """The store's repr counts its documents and shows none."""
    with MemoryStore() as store:
        store.replace(DocumentName("a", DocumentKind.AUTHORITY), Draft(b"canary", 1, uuid4()), expected=None)
        assert repr(store) == "MemoryStore(<1 documents>)"

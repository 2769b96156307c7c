"""What the memory store does beyond the contract."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from uuid import uuid4

from keyvault_jwt.errors import Conflict
from keyvault_jwt.store import DocumentKind, DocumentName, Draft, Limits, Version, limits_of, staleness_of
from keyvault_jwt.stores.memory import MemoryStore


def test_declares_what_it_was_given() -> None:
    """Its reads are linearizable, and its limits are the ones asked for."""
    store = MemoryStore(limits=Limits(document_bytes=10, published_keys=3))
    assert staleness_of(store) == 0
    assert limits_of(store) == Limits(document_bytes=10, published_keys=3)


def test_check_and_write_are_one_step() -> None:
    """A writer that comes while another one's version is being compared waits, and then loses."""
    store, name = MemoryStore(), DocumentName("a", DocumentKind.AUTHORITY)
    seen = store.replace(name, Draft(b"0", 0, uuid4()), expected=None)
    first, second = Draft(b"first", 1, uuid4()), Draft(b"second", 1, uuid4())
    lost = threading.Event()

    def write_second() -> None:
        with suppress(Conflict):
            store.replace(name, second, expected=seen)
            return
        lost.set()

    class ComparedSlowly(str):
        __slots__ = ()

        def __ne__(self, other: object) -> bool:
            rival.start()
            rival.join(timeout=0.2)
            return str.__ne__(self, other)

    rival = threading.Thread(target=write_second)
    store.replace(name, first, expected=Version(ComparedSlowly(seen)))
    rival.join()
    assert lost.is_set()
    kept = store.read(name)
    assert kept is not None
    assert kept.draft == first


def test_repr_shows_no_document() -> None:
    """The store's repr counts its documents and shows none."""
    with MemoryStore() as store:
        store.replace(DocumentName("a", DocumentKind.AUTHORITY), Draft(b"canary", 1, uuid4()), expected=None)
        assert repr(store) == "MemoryStore(<1 documents>)"


def test_store_outlives_a_fork() -> None:
    """A thread that held the store when its process forked does not hold it in the child."""
    store = MemoryStore()
    with store._guard:
        child = os.fork()
        if child == 0:
            free = store._guard.acquire(timeout=5)
            os._exit(0 if free else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

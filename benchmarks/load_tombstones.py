"""What a long history costs whoever reads it: a keyring with 10,000 tombstones in one document."""

from __future__ import annotations

import secrets
import statistics
import tempfile
import time
from pathlib import Path
from uuid import uuid4

import msgspec

from keyvault_jwt.clock import SystemClock
from keyvault_jwt.document import authority_draft
from keyvault_jwt.jwk import Secret
from keyvault_jwt.key_manager import KeyManager
from keyvault_jwt.keyring import Keyring
from keyvault_jwt.keys import KeyRecord, KeyState
from keyvault_jwt.store import DocumentKind, DocumentName
from keyvault_jwt.stores.file import FileStore

from .figure import Figure

TOMBSTONES = 10_000
LOADS = 9


def measure() -> float:
    """Return the median of loading it from the file store, unsealing and checking included."""
    key = Secret(secrets.token_bytes(32))
    with tempfile.TemporaryDirectory() as home, FileStore(Path(home) / "keys", master_key=key) as store:
        manager = KeyManager(store)
        manager.create("long", issuer="https://id.example")
        _bury(manager, store)
        return statistics.median(_load_ms(manager) for _ in range(LOADS))


def _bury(manager: KeyManager, store: FileStore) -> None:
    """Write the keyring again with tombstones as if years of rotation had left them."""
    name = DocumentName("long", DocumentKind.AUTHORITY)
    found, keyring = store.read(name), manager.keyring("long")
    assert found is not None
    ancestor, now = keyring.records[0], SystemClock().wall()
    graves = tuple(_tombstone(ancestor, number, now) for number in range(TOMBSTONES))
    buried: Keyring = keyring.replaced(records=(*keyring.records, *graves)).committed(uuid4())
    store.replace(name, authority_draft(buried), expected=found.version)


def _tombstone(ancestor: KeyRecord, number: int, now: int) -> KeyRecord:
    kid = f"{number:043d}"
    return msgspec.structs.replace(
        ancestor,
        kid=kid,
        fingerprint=kid,
        state=KeyState.DESTROYED,
        private=None,
        published=now,
        activated=now,
        deactivated=now,
        stopped=now,
        destroyed=now,
        removed=now,
    )


def _load_ms(manager: KeyManager) -> float:
    start = time.perf_counter()
    loaded = manager.keyring("long")
    took = (time.perf_counter() - start) * 1000
    assert len(loaded.records) > TOMBSTONES
    return took


FIGURE = Figure("load_10k_tombstones_ms", f"median of {LOADS} loads from the file store", 200, measure)

"""The embedded stores keep every promise of `DocumentStore`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from keyvault_jwt import base64url
from keyvault_jwt.store import DocumentStore, Limits
from keyvault_jwt.store_url import open_store
from keyvault_jwt.stores.memory import MemoryStore
from keyvault_jwt.testing import SharedStoreContract, StoreContract


class TestMemoryStore(StoreContract):
    """`memory:`."""

    @pytest.fixture
    def store(self) -> DocumentStore:
        """A fresh store, as its URL opens it."""
        return open_store("memory:")


class TestSmallMemoryStore(StoreContract):
    """A memory store with a limit of its own."""

    @pytest.fixture
    def store(self) -> DocumentStore:
        """A fresh store for documents of at most 1000 bytes."""
        return MemoryStore(limits=Limits(document_bytes=1000))


class TestFileStore(SharedStoreContract):
    """`file:DIR`, from threads and from other processes at once."""

    @pytest.fixture
    def store_url(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
        """A store in a directory of its own, under a key that child processes inherit."""
        monkeypatch.setenv("KEYVAULT_JWT_MASTER_KEY", base64url.encode(os.urandom(32)))
        return f"file:{tmp_path / 'keys'}"

    @pytest.fixture
    def store(self, store_url: str) -> DocumentStore:
        """The store, as its URL opens it."""
        return open_store(store_url)

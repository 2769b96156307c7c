"""The store in OpenBao keeps every promise of `DocumentStore`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from keyvault_jwt.store import DocumentStore
from keyvault_jwt.store_url import open_store
from keyvault_jwt.testing import SharedStoreContract
from keyvault_jwt_vault import VaultStore


class TestVaultStore(SharedStoreContract):
    """`vault://MOUNT/PREFIX` on a real server, from threads and from other processes at once."""

    @pytest.fixture
    def store_url(self, prefix_url: str) -> str:
        """The URL of an empty prefix."""
        return prefix_url

    @pytest.fixture
    def store(self, store_url: str) -> Iterator[DocumentStore]:
        """The store, as its URL opens it."""
        opened = open_store(store_url)
        assert isinstance(opened, VaultStore)
        with opened:
            yield opened

"""The store in OpenBao keeps every promise of `DocumentStore`."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest

from keyvault_jwt.store import DocumentKind, DocumentName, DocumentStore, Draft
from keyvault_jwt.store_url import open_store
from keyvault_jwt.testing import SharedStoreContract, StoreRolesContract
from keyvault_jwt.testing.bao_cluster import BaoCluster
from keyvault_jwt.testing.bao_server import BaoServer
from keyvault_jwt_vault import Session, StaticToken, VaultStore, open_url
from keyvault_jwt_vault.address import parse_url


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


class TestStandby(SharedStoreContract):
    """The same through a standby of a cluster, whose own memory of the documents lags."""

    @pytest.fixture
    def store_url(self, cluster: BaoCluster, monkeypatch: pytest.MonkeyPatch) -> str:
        """The URL of an empty prefix, for clients of a standby."""
        for name, value in cluster.environment(cluster.followers[0]).items():
            monkeypatch.setenv(name, value)
        return f"vault://secret/{uuid4().hex}"

    @pytest.fixture
    def store(self, store_url: str) -> Iterator[DocumentStore]:
        """The store, as its URL opens it."""
        with open_url(store_url) as opened:
            yield opened


class TestVaultRoles(StoreRolesContract):
    """Policies that grant each role its own paths are what keeps roles apart."""

    @pytest.fixture
    def view(self, bao: BaoServer, prefix_url: str) -> Iterator[Callable[[str], DocumentStore]]:
        """Make the store as it is seen with a token of some policy; PREFIX in it stands for the path."""
        opened: list[VaultStore] = []
        address, _ = parse_url(prefix_url)

        def seen_under(policy: str) -> DocumentStore:
            token = bao.token_for(policy.replace("PREFIX", address.prefix))
            opened.append(VaultStore(Session(address, StaticToken(token))))
            return opened[-1]

        yield seen_under
        for store in opened:
            store.close()

    @pytest.fixture
    def owner(self, view: Callable[[str], DocumentStore]) -> DocumentStore:
        """The rotator's view, with no more than it needs."""
        return view(
            """
            path "secret/data/PREFIX/*" { capabilities = ["create", "read", "update"] }
            path "secret/metadata/PREFIX/*" { capabilities = ["create", "update", "list"] }
            """
        )

    @pytest.fixture
    def signer(self, view: Callable[[str], DocumentStore]) -> DocumentStore:
        """The signer's view."""
        return view('path "secret/data/PREFIX/+/signing" { capabilities = ["read"] }')

    @pytest.fixture
    def publisher(self, view: Callable[[str], DocumentStore]) -> DocumentStore:
        """The publisher's view."""
        return view('path "secret/data/PREFIX/+/public" { capabilities = ["read"] }')


def _write_and_leave(store: VaultStore, name: DocumentName) -> None:
    store.replace(name, Draft(b"child", 2, uuid4()), expected=None)


def test_a_fork_shares_no_connection(prefix_url: str) -> None:
    """Parent and child go on with a store from before the fork, each by connections of its own."""
    with open_url(prefix_url) as store:
        ours, theirs = (DocumentName(ring, DocumentKind.PUBLIC) for ring in ("parent", "child"))
        version = store.replace(ours, Draft(b"parent", 1, uuid4()), expected=None)
        child = multiprocessing.get_context("fork").Process(target=_write_and_leave, args=(store, theirs))
        child.start()
        for revision in range(2, 30):
            version = store.replace(ours, Draft(b"parent", revision, uuid4()), expected=version)
        child.join(30)
        assert child.exitcode == 0
        seen = store.read(theirs)
        assert seen is not None
        assert seen.draft.data == b"child"

"""A real server for all tests here, and stores in it that share nothing."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest

from keyvault_jwt.testing.bao_cluster import BaoCluster
from keyvault_jwt.testing.bao_server import BaoServer
from keyvault_jwt_vault import Session, StaticToken, VaultStore, open_url
from keyvault_jwt_vault.address import parse_url
from tests.vault.store.fault_proxy import FaultProxy


@pytest.fixture(scope="session")
def bao() -> Iterator[BaoServer]:
    """One server, for tests that leave it as it was."""
    with BaoServer() as server:
        yield server


@pytest.fixture(scope="session")
def cluster() -> Iterator[BaoCluster]:
    """Three nodes on raft storage, for tests that leave them as they were."""
    with BaoCluster() as running:
        yield running


@pytest.fixture
def environment(bao: BaoServer, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The environment of the server's root user, for this process and its children."""
    for name, value in bao.environment.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.fixture
def prefix_url(environment: pytest.MonkeyPatch) -> str:
    """The URL of an empty prefix."""
    return f"vault://secret/test-{uuid4().hex}"


@pytest.fixture
def store(prefix_url: str) -> Iterator[VaultStore]:
    """The store of `prefix_url`."""
    with open_url(prefix_url) as opened:
        yield opened


@pytest.fixture
def proxy(bao: BaoServer, environment: pytest.MonkeyPatch) -> Iterator[FaultProxy]:
    """A proxy before the server, to which stores opened from here on talk."""
    with FaultProxy(bao.url) as running:
        environment.setenv("BAO_ADDR", running.url)
        yield running


@pytest.fixture
def waits() -> list[float]:
    """The pauses, in seconds, that `hurried_store` would have made."""
    return []


@pytest.fixture
def hurried_store(
    bao: BaoServer, proxy: FaultProxy, prefix_url: str, waits: list[float]
) -> Iterator[VaultStore]:
    """A store behind the proxy that has looked at its mount and notes pauses instead of making them."""
    address, _ = parse_url(f"{prefix_url}?read_timeout=1s")
    with VaultStore(Session(address, StaticToken(bao.token), wait=waits.append)) as opened:
        assert list(opened.names()) == []
        proxy.requests.clear()
        yield opened

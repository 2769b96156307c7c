"""A real server for all tests here, and stores in it that share nothing."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest

from keyvault_jwt.testing.bao_server import BaoServer
from keyvault_jwt_vault import VaultStore, open_url


@pytest.fixture(scope="session")
def bao() -> Iterator[BaoServer]:
    """One server, for tests that leave it as it was."""
    with BaoServer() as server:
        yield server


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

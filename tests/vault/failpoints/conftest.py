"""A real server for all tests here."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from keyvault_jwt.testing.bao_server import BaoServer


@pytest.fixture(scope="session")
def bao() -> Iterator[BaoServer]:
    """One server, in which every command has a prefix of its own."""
    with BaoServer() as server:
        yield server

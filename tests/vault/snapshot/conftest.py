"""A real server on raft storage, and a keyring's parties on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.vault.snapshot.parties import Parties
from tests.vault.snapshot.solo_node import SoloNode


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoloNode]:
    """One node; a test that puts it back puts back what it has itself made."""
    solo = SoloNode(tmp_path_factory.mktemp("raft"))
    try:
        solo.start()
        yield solo
    finally:
        solo.stop()


@pytest.fixture
def parties(node: SoloNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Parties]:
    """A manager, a scheduler, a signer and a publisher, whose marks are outside the server."""
    for name, value in node.environment.items():
        monkeypatch.setenv(name, value)
    with Parties(f"vault://secret/test-{uuid4().hex}", tmp_path) as made:
        yield made

"""Directories, keys and an environment of a test's own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from keyvault_jwt.jwk import Secret
from keyvault_jwt.stores.directory import Directory, open_directory
from keyvault_jwt.stores.file import FileStore
from keyvault_jwt.stores.filesystem import SystemFilesystem


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty directory."""
    path = tmp_path / "folder"
    path.mkdir(mode=0o755)
    return path


@pytest.fixture
def directory(folder: Path) -> Iterator[Directory]:
    """That directory, held open."""
    with open_directory(SystemFilesystem(), folder) as opened:
        yield opened


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    """A file store under a key of its own."""
    return FileStore(tmp_path / "keys", master_key=Secret(os.urandom(32)))


@pytest.fixture
def bare_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No key in the environment, and a state directory of the test's own: its path."""
    for name in ("MASTER_KEY", "MASTER_KEY_FILE", "STORE"):
        monkeypatch.delenv(f"KEYVAULT_JWT_{name}", raising=False)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    monkeypatch.setenv("KEYVAULT_JWT_STATE", str(tmp_path / "state"))
    return tmp_path / "state"

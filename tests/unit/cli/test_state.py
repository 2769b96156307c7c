"""What was seen of a store is remembered outside it."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest

from keyvault_jwt.cli.state import marks_of
from keyvault_jwt.marks import Mark, MemoryMarks
from keyvault_jwt.stores.file import FileStore
from keyvault_jwt.stores.mark_files import MarkFiles
from keyvault_jwt.stores.memory import MemoryStore


def test_marks_outlive_the_run_and_are_each_stores_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second run over the same store finds the mark; another store's run does not."""
    monkeypatch.setenv("KEYVAULT_JWT_STATE", str(tmp_path / "state"))
    said: list[str] = []
    mark = Mark(1, 2, uuid4())
    marks_of(FileStore(tmp_path / "a"), said.append).save("payments", mark)
    assert marks_of(FileStore(tmp_path / "a"), said.append).load("payments") == mark
    assert marks_of(FileStore(tmp_path / "b"), said.append).load("payments") is None
    assert said == []


def test_a_memory_store_has_nothing_to_remember(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends with the run, so a mark of it would only disturb the next one."""
    monkeypatch.setenv("KEYVAULT_JWT_STATE", str(tmp_path))
    assert isinstance(marks_of(MemoryStore(), lambda _: None), MemoryMarks)


def test_a_closed_state_directory_is_said_and_survived(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a place for marks a command goes on with a warning: a revocation must not fail for it."""
    blocked = tmp_path / "file"
    blocked.touch()
    monkeypatch.setenv("KEYVAULT_JWT_STATE", str(blocked / "state"))
    said: list[str] = []
    assert isinstance(marks_of(FileStore(tmp_path / "a"), said.append), MemoryMarks)
    assert "KEYVAULT_JWT_STATE" in said[0]
    monkeypatch.setenv("KEYVAULT_JWT_STATE", str(tmp_path / "state"))
    assert isinstance(marks_of(FileStore(tmp_path / "a"), said.append), MarkFiles)

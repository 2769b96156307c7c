"""kill -9 at any moment leaves the old document or the new one, and no lock behind."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from keyvault_jwt import base64url
from keyvault_jwt.store import DocumentKind, DocumentName
from keyvault_jwt.store_url import open_store

DYING_WRITER = Path(__file__).parent / "file_store" / "dying_writer.py"
NAME = DocumentName("counter", DocumentKind.AUTHORITY)
Start = Callable[[], "subprocess.Popen[str]"]


def test_killed_at_every_step(tmp_path: Path) -> None:
    """Killed before, amid or after any call, the document is whole: old up to the rename, then new."""
    done = subprocess.run(
        [sys.executable, str(DYING_WRITER), str(tmp_path / "keys")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    reports = [json.loads(line) for line in done.stdout.splitlines()]
    points = [(report["step"], report["moment"]) for report in reports]
    renamed = points.index(("rename", "after"))
    assert {"lock", "remove", "create", "write", "flush", "rename", "unlock"} <= {step for step, _ in points}
    for place, report in enumerate(reports):
        assert report["killed"], report
        assert report["whole"], report
        assert report["listed"] == 1, report
        assert report["replaced"] == (1 if place >= renamed else 0), report
    assert sorted(path.name for path in (tmp_path / "keys" / "counter").parent.rglob("*.sealed*")) == [
        "authority.sealed"
    ]


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A store under a key that child processes inherit."""
    monkeypatch.setenv("KEYVAULT_JWT_MASTER_KEY", base64url.encode(os.urandom(32)))
    return f"file:{tmp_path / 'keys'}"


@pytest.fixture
def start(url: str) -> Iterator[Start]:
    """Start a process that counts the document up without end, telling each number it kept."""
    processes: list[subprocess.Popen[str]] = []

    def started() -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "keyvault_jwt.testing.increments", url, NAME.ring, "1000000"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        processes.append(process)
        return process

    yield started
    for process in processes:
        process.kill()
        with process:
            pass


def told(process: subprocess.Popen[str], lines: int) -> int:
    """Return the last of so many numbers that the process tells."""
    assert process.stdout is not None
    return [int(process.stdout.readline()) for _ in range(lines)][-1]


def test_killed_at_random(url: str, start: Start) -> None:
    """A writer killed at a random moment lost nothing that it told, and the next one goes on at once."""
    store, chance = open_store(url), random.Random(7)
    for _ in range(12):
        writer = start()
        told(writer, chance.randint(1, 40))
        writer.kill()
        rest = writer.communicate()[0].split()
        seen = store.read(NAME)
        assert seen is not None
        assert int(seen.draft.data) == seen.draft.revision
        if rest and rest[-1].isdigit():
            assert seen.draft.revision >= int(rest[-1])


def test_survivors_go_on(url: str, start: Start) -> None:
    """Of writers side by side one is killed again and again, and the others never wait for the dead."""
    survivors = [start(), start()]
    for _ in range(5):
        victim = start()
        reached = told(victim, 3)
        victim.kill()
        for survivor in survivors:
            while told(survivor, 1) <= reached:
                pass
    seen = open_store(url).read(NAME)
    assert seen is not None
    assert int(seen.draft.data) == seen.draft.revision

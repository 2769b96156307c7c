"""A full disk, a read-only one and a size limit lose nothing, and are told as what they are."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ON_SMALL_DISK = Path(__file__).parent / "file_store" / "on_small_disk.py"

LIMITED = """
import os, resource, sys
from uuid import uuid4
from keyvault_jwt.errors import StoreFull
from keyvault_jwt.jwk import Secret
from keyvault_jwt.store import DocumentKind, DocumentName, Draft
from keyvault_jwt.stores.file import FileStore

store = FileStore(sys.argv[1], master_key=Secret(os.urandom(32)))
name = DocumentName("payments", DocumentKind.AUTHORITY)
old = Draft(b"old", 1, uuid4())
version = store.replace(name, old, expected=None)
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
try:
    store.replace(name, Draft(b"x" * 20_000, 2, uuid4()), expected=version)
except StoreFull as full:
    print(full)
assert store.read(name).draft == old
store.replace(name, Draft(b"x" * 5_000, 2, uuid4()), expected=version)
"""


@pytest.fixture(scope="module")
def small_disk(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What happened on a disk of 64 KiB that was filled and then made read-only."""
    folder = tmp_path_factory.mktemp("small") / "disk"
    folder.mkdir()
    unshare = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount", "--map-root-user"]
    mount = [*unshare, "mount", "-t", "tmpfs", "none", str(folder)]
    if shutil.which("unshare") is None or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount a disk in a namespace, so none can be filled")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KEYVAULT_JWT_")}
    done = subprocess.run(
        [*unshare, sys.executable, str(ON_SMALL_DISK), str(folder)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    outcomes: dict[str, Any] = json.loads(done.stdout)
    return outcomes


@pytest.mark.parametrize(
    ("step", "size"), [("first", 16_000), ("with room again", 15_000), ("after making room", 13_000)]
)
def test_disk_with_room(small_disk: dict[str, Any], step: str, size: int) -> None:
    """With room the document is replaced; what failed before is no hindrance."""
    assert small_disk[step] == {"outcome": "replaced", "size": size, "aside": []}


@pytest.mark.parametrize(
    ("step", "size"),
    [
        ("too large for the room left", 16_000),
        ("on a full disk", 15_000),
        ("new keyring on a full disk", 15_000),
    ],
)
def test_full_disk(small_disk: dict[str, Any], step: str, size: int) -> None:
    """A real ENOSPC is StoreFull; the old document is read as before, and nothing is left aside."""
    outcome = small_disk[step]["outcome"]
    assert outcome.startswith("StoreFull: could not write ")
    assert "nothing was replaced" in outcome
    assert small_disk[step] == {"outcome": outcome, "size": size, "aside": []}


@pytest.mark.parametrize("step", ["read-only", "new keyring read-only"])
def test_read_only_disk(small_disk: dict[str, Any], step: str) -> None:
    """On a read-only disk documents are read and listed, and a write is StoreDenied and says why."""
    outcome = small_disk[step]["outcome"]
    assert outcome.startswith("StoreDenied: may not write ")
    assert "Read-only file system" in outcome
    assert small_disk[step] == {"outcome": outcome, "size": 13_000, "aside": []}
    assert "payments/authority" in small_disk["names"]


def test_marks_on_a_full_disk(small_disk: dict[str, Any]) -> None:
    """A mark that can't be saved is an error, and the old mark stays."""
    assert small_disk["first mark"] == {"outcome": "saved", "revision": 1}
    assert small_disk["mark on a full disk"]["outcome"].startswith("StoreFull: ")
    assert small_disk["mark on a full disk"]["revision"] == 1
    assert small_disk["mark after making room"] == {"outcome": "saved", "revision": 3}
    assert small_disk["mark read-only"]["outcome"].startswith("StoreDenied: ")
    assert small_disk["mark read-only"]["revision"] == 3


def test_master_key_on_a_full_disk(small_disk: dict[str, Any]) -> None:
    """A master key is made whole or not at all: a full disk leaves no half of one in its place."""
    assert small_disk["key on a full disk"]["outcome"].startswith("StoreFull: ")
    assert small_disk["key on a full disk"]["keys"] == []
    assert small_disk["key after making room"] == {"outcome": "prepared", "keys": [32]}


def test_limit_on_file_size(tmp_path: Path) -> None:
    """A process that may not write such large files is told, and loses nothing."""
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path / "keys")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "File too large; nothing was replaced" in done.stdout

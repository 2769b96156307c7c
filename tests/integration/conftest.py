"""A sealed store on disk that child processes can open, and processes that end with their test."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import keyvault_jwt as kj
from keyvault_jwt import base64url
from tests.faulty_store import FAST

PROGRAMS = Path(__file__).parent / "programs"
ISSUER = "https://id.example"
Spawn = Callable[[str], "subprocess.Popen[str]"]


@pytest.fixture
def store_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A file store's URL, its master key in the environment of this process and its children."""
    monkeypatch.setenv("KEYVAULT_JWT_MASTER_KEY", base64url.encode(os.urandom(32)))
    return f"file:{tmp_path / 'keys'}"


@pytest.fixture
def payments(store_url: str) -> Iterator[kj.KeyManager]:
    """A manager of the store, whose keyring `payments` has the policy of seconds."""
    with kj.KeyManager(kj.open_store(store_url), listener=lambda event: None) as manager:
        manager.create("payments", FAST, issuer=ISSUER)
        yield manager


@pytest.fixture
def spawn(store_url: str, tmp_path: Path) -> Iterator[Spawn]:
    """Start one of the programs over the store; its stdout is a pipe, its stderr a file."""
    processes: list[subprocess.Popen[str]] = []

    def start(program: str) -> subprocess.Popen[str]:
        with (tmp_path / f"stderr-{len(processes)}").open("w") as stderr:
            process = subprocess.Popen(
                [sys.executable, str(PROGRAMS / f"{program}.py"), store_url],
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        with process:
            pass

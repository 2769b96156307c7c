"""A command line to run in this process, over a store of the test's own."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from keyvault_jwt.cli import main

SECONDS = [
    *("--rotate-every=6s", "--token-ttl=2s", "--leeway=100ms", "--clock-skew=100ms"),
    *("--signer-poll=200ms", "--publisher-poll=200ms", "--signer-lease=1500ms", "--publisher-lease=1500ms"),
    *("--jwks-max-age=1s", "--max-stale=1s", "--rollback-window=1s"),
]
"""A policy of seconds that satisfies every inequality."""
ISSUER = "https://id.example"
DEADLINE = 30.0


@dataclass
class Cli:
    """`keyvault-jwt` in this process; what it writes is printed, so that the search for canaries sees it."""

    home: Path
    store: str

    def run(self, *words: str, status: int | None = 0, input: str | bytes | None = None) -> Result:  # noqa: A002
        """Run the words and return what came; the exit status must be `status`, if one is given."""
        result = CliRunner().invoke(main, words, input=input)
        print(result.stdout, result.stderr)
        assert status is None or result.exit_code == status, (words, result.exit_code, result.stderr)
        return result

    def json(self, *words: str, status: int = 0) -> Any:
        """Run the words with `--json` and return the object that they print."""
        return json.loads(self.run(*words, "--json", status=status).stdout)

    def error(self, *words: str, status: int) -> Any:
        """Run words that fail with `--json` and return the error that they print last."""
        result = self.run(*words, "--json", status=status)
        return json.loads(result.stderr.splitlines()[-1])["error"]

    def create(self, ring: str = "payments", *options: str) -> Any:
        """Make a keyring and return the outcome."""
        return self.json("create", ring, "--issuer", ISSUER, *options)

    def until(self, *words: str, wanted: Callable[[Any], bool]) -> Any:
        """Run the words with `--json` again and again until what they print is as wanted."""
        end = time.monotonic() + DEADLINE
        while not wanted(seen := self.json(*words)):
            assert time.monotonic() < end, seen
        return seen


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """The command line in an empty directory, with a store URL in the environment."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.chdir(home)
    for name in (
        "KEYVAULT_JWT_MASTER_KEY",
        "KEYVAULT_JWT_MASTER_KEY_FILE",
        "CREDENTIALS_DIRECTORY",
        "NO_COLOR",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KEYVAULT_JWT_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "80")
    store = f"file:{tmp_path / 'keys'}"
    monkeypatch.setenv("KEYVAULT_JWT_STORE", store)
    return Cli(home, store)

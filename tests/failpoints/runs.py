"""Runs of `one_command`, each a process of its own, and what they told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.failpoints.small_disk import own_mounts

_TREE = Path(__file__).parents[2]


@dataclass(frozen=True)
class Disturbed:
    """One failpoint: `kill` or `fill`, its name, how the command ended there, and what was wrong."""

    how: str
    point: str
    ended: str
    failure: str

    def __str__(self) -> str:
        end = f"FAILED\n{self.failure}" if self.failure else "converged"
        return f"{self.point} {'disk full: ' if self.how == 'fill' else ''}{self.ended} {end}"


def run(name: str, folder: Path, *, every: bool = False) -> list[Disturbed]:
    """Disturb a command on files in a process of its own; fails unless that process comes to its end.

    It is on a small disk of its own, which is filled, too, where the machine lets us mount one.
    """
    mounts = own_mounts()
    options = (["--every"] if every else []) + ([] if mounts is None else ["--mount"])
    return _told(name, folder, mounts or [], options, {})


def run_on_server(
    store: str, name: str, folder: Path, environment: Mapping[str, str], *, every: bool = False
) -> list[Disturbed]:
    """Disturb a command in the server that the environment tells of, in the same way; nothing is filled.

    `store` says what the server is: `vault`, `aws` or `aws-separate`.
    """
    return _told(name, folder, [], ["--store", store, *(["--every"] if every else [])], environment)


def _told(
    name: str, folder: Path, before: list[str], options: list[str], environment: Mapping[str, str]
) -> list[Disturbed]:
    with tempfile.TemporaryDirectory(dir=folder) as place:
        done = subprocess.run(
            [*before, sys.executable, "-m", "tests.failpoints.one_command", name, place, *options],
            cwd=_TREE,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, f"{name}: {done.stderr}"
    return [Disturbed(**json.loads(line)) for line in done.stdout.splitlines()]

"""Running the search over a copy of the package that has one fault in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.model.seeds import PACKAGE, Seed

ROOT: Final = Path(__file__).parents[2]
BROKEN: Final = 3
"""The exit status of a search that found a broken promise: no other failure looks like it."""
_SECONDS: Final = 300


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a search over the faulty copy ended with: the story of the broken promise, if it found it."""

    seed: Seed
    found: bool
    story: str


def tried(seed: Seed) -> Verdict:
    """Return what the small search of the seed's course finds, in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="seeded-") as folder:
        copy = Path(folder, "keyvault_jwt")
        shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
        for edit in seed.edits:
            edit.applied(copy)
        ran = subprocess.run(
            [sys.executable, "-m", "tests.model", "--course", seed.course, "--package", folder],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": os.pathsep.join((folder, str(ROOT))), "PYTHONHASHSEED": "0"},
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    assert ran.returncode in {0, BROKEN}, ran.stderr
    return Verdict(seed, ran.returncode == BROKEN, ran.stdout)

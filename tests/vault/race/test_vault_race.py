"""Processes race for one rotation in Vault: `make race ARGS='--store vault'` lets 64 do it 100 times."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

TREE = Path(__file__).parents[3]


def test_one_winner_each() -> None:
    """In each round exactly one promotes, the others find it done, and nobody meets an error."""
    command = [sys.executable, "-m", "tests.race", "--store", "vault", "--rounds", "5", "--processes", "12"]
    done = subprocess.run(command, cwd=TREE, capture_output=True, text=True, check=False, timeout=120)
    *rounds, totals, last = done.stdout.splitlines() or ("", "")
    assert last == "rounds=5 processes=12 winners=5 errors=0", done.stdout + done.stderr
    assert done.returncode == 0
    raced, gave_up = map(int, re.findall("[0-9]+", totals))
    assert raced > len(rounds), "nobody met anybody: it was no race"
    assert gave_up == 0

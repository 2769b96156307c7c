"""A fleet on three nodes whose leader is killed: `make chaos-vault` does it 20 times, here it is 2."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

TREE = Path(__file__).parents[3]


def test_killed_leaders() -> None:
    """Two leaders die by SIGKILL, one amid a rotation; no token is refused, no write doubled, no key lost."""
    command = [sys.executable, "-m", "tests.chaos_vault", "--kills", "2", "--seconds", "150"]
    done = subprocess.run(command, cwd=TREE, capture_output=True, text=True, check=False)
    told = done.stdout + done.stderr
    found = re.fullmatch(
        r"kills=2 rotations=(\d+) tokens=(\d+) refused=0 double=0 lost=0", done.stdout.splitlines()[-1]
    )
    assert found is not None, told
    assert min(map(int, found.groups())) > 0, told
    assert done.returncode == 0, told

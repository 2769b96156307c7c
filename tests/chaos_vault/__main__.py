"""`python -m tests.chaos_vault`: a fleet on three raft nodes whose leader is killed 20 times."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos_vault.chaos import Chaos


def main() -> int:
    """Run and count; 1 if a promise was broken or too little happened to show that it was kept."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos_vault")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=420, help="how long it may take at most")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32), help="of the moments of kills")
    asked = parser.parse_args()
    began = time.monotonic()
    print(f"seed {asked.seed}", flush=True)
    with (
        tempfile.TemporaryDirectory(prefix="chaos-vault-") as folder,
        Chaos(Path(folder), kills=asked.kills, seconds=asked.seconds, seed=asked.seed) as chaos,
    ):
        count = chaos.run()
        found = count.findings
        print(*chaos.remarks(), *found.remarks, sep="\n")
    print(*found.refused, *found.double, *found.lost, *found.other, sep="\n")
    print(f"took {time.monotonic() - began:.0f} s")
    print(count.line)
    return 0 if count.findings.good else 1


if __name__ == "__main__":
    sys.exit(main())

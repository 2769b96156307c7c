"""`python -m tests.chaos_aws`: a fleet on Secrets Manager in bad weather, two minutes or a little more."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos_aws.chaos import Chaos


def main() -> int:
    """Run and count; 1 if a promise was broken or too little happened to show that it was kept."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos_aws")
    parser.add_argument("--rounds", type=int, default=3, help="how often each trouble comes")
    parser.add_argument("--seconds", type=float, default=240, help="how long it may take at most")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32), help="of the troubles' order")
    asked = parser.parse_args()
    began = time.monotonic()
    print(f"seed {asked.seed}", flush=True)
    with (
        tempfile.TemporaryDirectory(prefix="chaos-aws-") as folder,
        Chaos(Path(folder), rounds=asked.rounds, seconds=asked.seconds, seed=asked.seed) as chaos,
    ):
        count = chaos.run()
        found = count.findings
        print(*chaos.remarks(), *found.remarks, sep="\n")
    print(*found.refused, *found.double, *found.lost, *found.other, sep="\n")
    print(f"rotations={found.rotations} tokens={found.tokens} took {time.monotonic() - began:.0f} s")
    print(count.line)
    return 0 if found.good and count.winners == count.races else 1


if __name__ == "__main__":
    sys.exit(main())

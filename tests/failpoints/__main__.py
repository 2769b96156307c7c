"""`python -m tests.failpoints [NAME…]`: disturb every command of a keyring's life at every system call.

Each failpoint is printed by its name: the command, the number of the system call, what it is
done to, the call, and whether it is before, amid or after it.  The process is killed there, and
in another run the disk is full from there.  The last line counts the processes killed.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.failpoints.lifecycle import LIFECYCLE
from tests.failpoints.runs import Disturbed, run
from tests.failpoints.small_disk import own_mounts


def disturbed(names: list[str], jobs: int) -> Iterator[Disturbed]:
    """Yield every failpoint of these commands, having been there."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(jobs) as pool:
        for points in pool.map(lambda name: run(name, Path(folder), every=True), names):
            for point in points:
                print(point, flush=True)
                yield point


def main() -> int:
    """Run and count; 1 if anything failed, or the disk could not be filled in CI."""
    parser = argparse.ArgumentParser(prog="python -m tests.failpoints")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(LIFECYCLE)}")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    points = list(disturbed(asked.names or list(LIFECYCLE), asked.jobs))
    killed = [point for point in points if point.how == "kill"]
    filled = [point for point in points if point.how == "fill"]
    if own_mounts() is None:
        print("disk full: left out, since this machine lets nobody mount a disk")
    else:
        ended = " ".join(f"{end}={n}" for end, n in Counter(point.ended for point in filled).most_common())
        print(f"disk-full={len(filled)} converged={_converged(filled)} ended: {ended}")
    died = sum(point.ended == "killed" for point in killed)
    print(f"failpoints={len(killed)} killed={died} converged={_converged(killed)}")
    missed = not filled and bool(os.environ.get("CI"))
    return 1 if missed or _converged(points) < len(points) else 0


def _converged(points: list[Disturbed]) -> int:
    return sum(not point.failure for point in points)


if __name__ == "__main__":
    sys.exit(main())

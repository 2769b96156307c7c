"""`python -m tests.failpoints [NAME…]`: disturb every command of a keyring's life at every step.

A step is a system call or, on a server (`--store vault`, `aws` or `aws-separate`), a request.  Each failpoint
is printed by its name: the command, the number of the step, what it is done to, the step, and whether
it is before, amid or after it.  The process is killed there, and in another run the disk is full
from there.  The last line counts the processes killed.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from keyvault_jwt.testing.bao_server import BaoServer
from tests.aws.moto_server import MotoServer
from tests.aws.strict_secretsmanager import StrictSecretsManager
from tests.failpoints.lifecycle import LIFECYCLE
from tests.failpoints.runs import Disturbed, run, run_on_server
from tests.failpoints.small_disk import own_mounts

Run = Callable[[str, Path], list[Disturbed]]


@contextmanager
def runner(store: str) -> Iterator[Run]:
    """Yield what disturbs one command in a folder at every point, with a server around it."""
    if store == "file":
        yield partial(run, every=True)
    elif store == "vault":
        with BaoServer() as bao:
            yield lambda name, folder: run_on_server("vault", name, folder, bao.environment, every=True)
    else:
        yield partial(_run_in_aws, store)


def _run_in_aws(store: str, name: str, folder: Path) -> list[Disturbed]:
    """Disturb one command; moto lists all secrets it has, so that each command has a server of its own."""
    with MotoServer() as moto, StrictSecretsManager(moto.url) as layer:
        return run_on_server(store, name, folder, layer.environment, every=True)


def disturbed(disturb: Run, names: list[str], jobs: int) -> Iterator[Disturbed]:
    """Yield every failpoint of these commands, having been there."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(jobs) as pool:
        for points in pool.map(lambda name: disturb(name, Path(folder)), names):
            for point in points:
                print(point, flush=True)
                yield point


def main() -> int:
    """Run and count; 1 if anything failed, or the disk could not be filled in CI."""
    parser = argparse.ArgumentParser(prog="python -m tests.failpoints")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(LIFECYCLE)}")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--store", choices=("file", "vault", "aws", "aws-separate"), default="file")
    asked = parser.parse_args()
    with runner(asked.store) as disturb:
        points = list(disturbed(disturb, asked.names or list(LIFECYCLE), asked.jobs))
    killed = [point for point in points if point.how == "kill"]
    filled = [point for point in points if point.how == "fill"]
    if asked.store != "file":
        pass
    elif own_mounts() is None:
        print("disk full: left out, since this machine lets nobody mount a disk")
    else:
        ended = " ".join(f"{end}={n}" for end, n in Counter(point.ended for point in filled).most_common())
        print(f"disk-full={len(filled)} converged={_converged(filled)} ended: {ended}")
    died = sum(point.ended == "killed" for point in killed)
    print(f"failpoints={len(killed)} killed={died} converged={_converged(killed)}")
    missed = asked.store == "file" and not filled and bool(os.environ.get("CI"))
    return 1 if missed or _converged(points) < len(points) else 0


def _converged(points: list[Disturbed]) -> int:
    return sum(not point.failure for point in points)


if __name__ == "__main__":
    sys.exit(main())

"""`one_command.py NAME FOLDER`: disturb one command at its points; a line of JSON for each.

First each process is killed there; then, with `--mount`, on a small disk of its own, for which
it needs a mount namespace, the disk is filled there.  With `--every`, at each point of each
system call; else at a part of them.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from tests.failpoints.proof import Left, Proof
from tests.failpoints.small_disk import SmallDisk
from tests.failpoints.trap import Point

Disturb = Callable[[Proof, Point], Left]


def a_part_of(points: Iterable[Point]) -> list[Point]:
    """Return the first and the last of each kind of point, and all around a rename, where states change."""
    kinds: dict[tuple[str, str], list[Point]] = {}
    for point in points:
        kinds.setdefault((point.step, point.moment), []).append(point)
    ends = {point for kind in kinds.values() for point in (kind[0], kind[-1])}
    return [point for kind in kinds.values() for point in kind if point in ends or point.step == "rename"]


def disturbances(points: list[Point], *, mounted: bool) -> Iterator[tuple[str, Disturb, Point]]:
    """Yield what is done at which point, by name.

    A disk that fills up after a call is full before the next one: the same point.
    """
    yield from (("kill", Proof.kill, point) for point in points)
    if mounted:
        yield from (("fill", Proof.fill, point) for point in points if point.moment != "after")


def main() -> None:
    """Disturb, and tell of each point by what name it goes, how the command ended, and what was wrong."""
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every", action="store_true")
    parser.add_argument("--mount", action="store_true")
    asked = parser.parse_args()
    disk = SmallDisk(asked.folder / "disk")
    disk.folder.mkdir()
    if asked.mount:
        disk.mount()
    for variable in [name for name in os.environ if name.startswith("KEYVAULT_JWT_")]:
        del os.environ[variable]
    os.environ["KEYVAULT_JWT_STATE"] = str(disk.folder / "state")
    proof = Proof(asked.name, asked.folder, disk)
    points = proof.points if asked.every else a_part_of(proof.points)
    for how, disturb, point in disturbances(points, mounted=asked.mount):
        told = {"how": how, "point": f"{asked.name}/{point.name}", "ended": "", "failure": ""}
        try:
            left = disturb(proof, point)
            told["ended"] = left.ending
            proof.converge(left)
        except Exception as error:
            told["failure"] = f"{error}\n{traceback.format_exc()}"
        sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()

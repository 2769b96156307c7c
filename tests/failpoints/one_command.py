"""`one_command.py NAME FOLDER`: disturb one command at its points; a line of JSON for each.

With `--store` it runs against the server of the environment, else on a disk: first each process is
killed there; then, with `--mount`, on a small disk of its own, for which it needs a mount namespace,
the disk is filled there.  With `--every`, at each point of each step; else at a part of them.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from uuid import uuid4

import keyvault_jwt_aws
import keyvault_jwt_vault
from tests.failpoints.aws_site import AwsSite
from tests.failpoints.disk_proof import DiskProof
from tests.failpoints.proof import Left, Proof
from tests.failpoints.site import Site
from tests.failpoints.small_disk import SmallDisk
from tests.failpoints.trap import Point
from tests.failpoints.vault_site import VaultSite

Disturb = Callable[[Point], Left]


def a_part_of(points: Iterable[Point], site: Site) -> list[Point]:
    """Return the first and the last of each kind of point, and all around a step that changes documents."""
    kinds: dict[tuple[str, str], list[Point]] = {}
    for point in points:
        kinds.setdefault((point.step, point.moment), []).append(point)
    ends = {point for kind in kinds.values() for point in (kind[0], kind[-1])}
    return [
        point
        for kind in kinds.values()
        for point in kind
        if point in ends or site.lands(point.document, point.step)
    ]


def disturbances(proof: Proof, points: list[Point], *, mounted: bool) -> Iterator[tuple[str, Disturb, Point]]:
    """Yield what is done at which point, by name.

    A disk that fills up after a call is full before the next one: the same point.
    """
    yield from (("kill", proof.kill, point) for point in points)
    if mounted and isinstance(proof, DiskProof):
        yield from (("fill", proof.fill, point) for point in points if point.moment != "after")


def on_disk(name: str, folder: Path, *, mount: bool) -> DiskProof:
    """Return the proof of a command on a disk."""
    disk = SmallDisk(folder / "disk")
    disk.folder.mkdir()
    if mount:
        disk.mount()
    os.environ["KEYVAULT_JWT_STATE"] = str(disk.folder / "state")
    return DiskProof(name, folder, disk)


def in_vault(name: str, folder: Path) -> Proof:
    """Return the proof of a command in the environment's Vault, below a prefix of its own."""
    address = keyvault_jwt_vault.Address(
        server=os.environ["BAO_ADDR"], mount="secret", prefix=f"failpoints/{name}-{uuid4().hex}"
    )
    return Proof(name, VaultSite(address, os.environ["BAO_TOKEN"], folder))


def in_aws(name: str, folder: Path, *, separate: bool = False) -> Proof:
    """Return the proof of a command in the environment's Secrets Manager, below a prefix of its own.

    `separate` gives every version of a private document a key of its own.
    """
    address = keyvault_jwt_aws.Address(
        region="us-east-1",
        prefix=f"failpoints/{name}-{uuid4().hex}",
        endpoint_url=os.environ["AWS_ENDPOINT_URL"],
        staleness=0,
        sparing=False,
        separate=separate,
    )
    return Proof(name, AwsSite(address, folder))


ON_SERVERS = {"vault": in_vault, "aws": in_aws, "aws-separate": partial(in_aws, separate=True)}


def main() -> None:
    """Disturb, and tell of each point by what name it goes, how the command ended, and what was wrong."""
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every", action="store_true")
    parser.add_argument("--mount", action="store_true")
    parser.add_argument("--store", choices=ON_SERVERS)
    asked = parser.parse_args()
    for variable in [name for name in os.environ if name.startswith("KEYVAULT_JWT_")]:
        del os.environ[variable]
    proof = (
        ON_SERVERS[asked.store](asked.name, asked.folder)
        if asked.store
        else on_disk(asked.name, asked.folder, mount=asked.mount)
    )
    points = proof.points if asked.every else a_part_of(proof.points, proof.site)
    for how, disturb, point in disturbances(proof, points, mounted=asked.mount):
        told = {"how": how, "point": f"{asked.name}/{point.name}", "ended": "", "failure": ""}
        try:
            left = disturb(point)
            told["ended"] = left.ending
            proof.converge(left)
        except Exception as error:
            told["failure"] = f"{error}\n{traceback.format_exc()}"
        sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()

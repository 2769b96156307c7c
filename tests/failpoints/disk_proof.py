"""The proof of one command on a disk, which may be full from any of its steps on."""

from __future__ import annotations

import os
from pathlib import Path

from tests.failpoints.file_site import FileSite
from tests.failpoints.proof import Left, Proof
from tests.failpoints.small_disk import SmallDisk
from tests.failpoints.trap import Point, Trap


class DiskProof(Proof):
    """One command with its scene on a disk that can be filled."""

    def __init__(self, name: str, folder: Path, disk: SmallDisk) -> None:
        self._disk = disk
        super().__init__(name, FileSite(disk.folder, folder / "start"))

    def fill(self, point: Point) -> Left:
        """Fill the disk at the point, see the command end in order, and return what it may have left."""

        def fill(here: Point) -> None:
            os.write(pipe[1], here.name.encode() + b"\n")
            self._disk.fill()

        self.site.restore()
        pipe = os.pipe()
        told, status = self.disturbed(Trap(point, fill), pipe)
        where, _, ending = told.partition("\n")
        assert where == point.name, f"the disk was filled at {where}"
        assert os.waitstatus_to_exitcode(status) == 0, f"the command broke: {ending}"
        self._disk.make_room()
        landed = len(self.states) if ending == "done" else self.landed_by(point)
        return Left(ending, self.states[landed - 1 :])

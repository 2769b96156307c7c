"""A disk that can be filled: every byte and every name it has to give."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

_BLOCK = bytes(1 << 16)


def own_mounts() -> list[str] | None:
    """Return what goes before a command that may mount disks of its own; None if this machine forbids it."""
    unshare = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount", "--map-root-user"]
    probe = [*unshare, "mount", "-t", "tmpfs", "none", "/mnt"]
    if shutil.which("unshare") is None or subprocess.run(probe, check=False, capture_output=True).returncode:
        return None
    return unshare


class SmallDisk:
    """A tmpfs of one MiB and 256 files, mounted on a folder in a mount namespace of this process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def mount(self) -> None:
        """Mount it."""
        options = "size=1m,nr_inodes=256,mode=755"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(self.folder)], check=True)

    def fill(self) -> None:
        """Write until the kernel says that there is no space, for names and for bytes."""
        self._filler.mkdir()
        with _until_full():
            for number in count():
                (self._filler / str(number)).touch()
        with (self._filler / "0").open("wb", buffering=0) as file, _until_full():
            while True:
                file.write(_BLOCK)

    def make_room(self) -> None:
        """Remove what filled it."""
        shutil.rmtree(self._filler)


@contextmanager
def _until_full() -> Iterator[None]:
    try:
        yield
    except OSError as failure:
        if failure.errno != errno.ENOSPC:
            raise

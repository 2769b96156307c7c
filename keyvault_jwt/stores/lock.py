"""An exclusive lock on a directory, between processes and threads, that dies with its process."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Final

from ..duration import format_duration
from ..errors import StoreUnavailable
from ..forks import survive_forks
from .directory import Directory
from .os_failure import told

PATIENCE: Final = timedelta(seconds=10)
"""How long a writer waits for another one: a write takes milliseconds."""

LOCK_NAME: Final = ".lock"
_FIRST_PAUSE, _LONGEST_PAUSE = 0.000_5, 0.02


class DirectoryLock:
    """flock(2) on a file of the directory, taken on a fresh descriptor each time.

    A fresh descriptor excludes other threads of this process too.  The kernel drops the lock
    when the last copy of the descriptor is closed, so a child forked meanwhile closes its
    copies; else it would keep the lock of a killed parent.
    """

    def __init__(self, patience: timedelta = PATIENCE) -> None:
        self._patience = patience
        self._open: set[int] = set()
        survive_forks(self)

    @contextmanager
    def hold(self, directory: Directory) -> Iterator[None]:
        """Hold the directory's lock; raises `StoreUnavailable` when it is not had in time."""
        with told("write to", directory.path):
            file = self._locked(directory)
        try:
            yield
        finally:
            directory.filesystem.unlock(file)
            self._closed(file)

    def _locked(self, directory: Directory) -> int:
        deadline = time.monotonic() + self._patience.total_seconds()
        pause = _FIRST_PAUSE
        while True:
            file = self._opened(directory)
            try:
                directory.adopt(file)
                directory.filesystem.lock(file)
                if _is_entry(file, directory):
                    return file
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise self._busy(file, directory) from None
            except BaseException:
                self._closed(file)
                raise
            self._closed(file)
            # Uneven pauses, so that waiters don't march in step.
            time.sleep(random.uniform(0.5, 1) * pause)  # noqa: S311
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _opened(self, directory: Directory) -> int:
        file = directory.filesystem.open_lock(LOCK_NAME, at=directory.fd)
        self._open.add(file)
        return file

    def _closed(self, file: int) -> None:
        self._open.discard(file)
        os.close(file)

    def _busy(self, file: int, directory: Directory) -> StoreUnavailable:
        holder = _holder(file)
        self._closed(file)
        who = f"process {holder}" if holder else "another process"
        return StoreUnavailable(
            f"{directory.path} is locked",
            why=f"{who} held the lock for longer than {format_duration(self._patience)}",
            fix=f"see what {who} is doing; the lock goes with its process",
        )

    def _after_fork(self) -> None:
        for file in self._open:
            with suppress(OSError):
                os.close(file)
        self._open.clear()


def _is_entry(file: int, directory: Directory) -> bool:
    """Whether the locked file is still the one that others will find, not one removed meanwhile."""
    try:
        return os.path.samestat(
            os.fstat(file), os.stat(LOCK_NAME, dir_fd=directory.fd, follow_symlinks=False)
        )
    except FileNotFoundError:
        return False


def _holder(file: int) -> int | None:
    """Return the pid that holds the lock, as the kernel lists it (Linux); None if it does not say."""
    facts = os.fstat(file)
    wanted = f"{os.major(facts.st_dev):02x}:{os.minor(facts.st_dev):02x}:{facts.st_ino}"
    with suppress(OSError, ValueError):
        for line in Path("/proc/locks").read_text(encoding="ascii").splitlines():
            fields = line.split()
            if len(fields) > 5 and fields[1] == "FLOCK" and fields[5] == wanted and int(fields[4]) > 0:
                return int(fields[4])
    return None

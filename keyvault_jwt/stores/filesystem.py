"""The system calls by which a store changes anything, as named steps.

They are an argument of the file store, so that a test can stop the process before and after
each, and see that every document is whole.
"""

from __future__ import annotations

import fcntl
import os
from typing import Protocol

_FULL_SYNC: int | None = getattr(fcntl, "F_FULLFSYNC", None)


class Filesystem(Protocol):
    """What the write path does, in this order; `at` is an open directory, names are entries of it."""

    def make_directory(self, name: str, *, at: int | None) -> None:
        """Make a directory; raises `FileExistsError`."""
        ...

    def open_lock(self, name: str, *, at: int) -> int:
        """Open the file that is locked, and make it if there is none."""
        ...

    def lock(self, file: int) -> None:
        """Lock an open file against every other; raises `BlockingIOError` while another is locked."""
        ...

    def unlock(self, file: int) -> None:
        """Give a lock back."""
        ...

    def create(self, name: str, *, at: int) -> int:
        """Create a file that must not exist, readable by its owner alone; return it open for writing."""
        ...

    def write(self, file: int, data: bytes) -> None:
        """Write all of `data`."""
        ...

    def own(self, file: int, uid: int, gid: int) -> None:
        """Give the file to a user and a group."""
        ...

    def grant(self, file: int, mode: int) -> None:
        """Set the file's mode."""
        ...

    def date(self, file: int, modified: int) -> None:
        """Set the file's time of modification, in nanoseconds since the Unix epoch."""
        ...

    def flush(self, file: int) -> None:
        """Wait until a file's content, or a directory's entries, would survive a power cut."""
        ...

    def close(self, file: int) -> None:
        """Close an open file."""
        ...

    def rename(self, source: str, target: str, *, at: int) -> None:
        """Put `source` in the place of `target`, atomically."""
        ...

    def link(self, source: str, target: str, *, at: int) -> None:
        """Give `source` the further name `target`, which must not exist, atomically."""
        ...

    def remove(self, name: str, *, at: int) -> None:
        """Remove an entry."""
        ...


class SystemFilesystem:
    """The operating system's own calls."""

    __slots__ = ()

    def make_directory(self, name: str, *, at: int | None) -> None:
        """Make a directory, under the caller's umask."""
        os.mkdir(name, 0o755, dir_fd=at)

    def open_lock(self, name: str, *, at: int) -> int:
        """Open or make a file of mode 0600; a link under that name is not followed."""
        return os.open(name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=at)

    def lock(self, file: int) -> None:
        """Take flock(2) without waiting."""
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def unlock(self, file: int) -> None:
        """Give flock(2) back."""
        fcntl.flock(file, fcntl.LOCK_UN)

    def create(self, name: str, *, at: int) -> int:
        """Create a file of mode 0600; a link under that name is not followed."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.open(name, flags, 0o600, dir_fd=at)

    def write(self, file: int, data: bytes) -> None:
        """Write all of `data`, in as many calls as it takes."""
        left = memoryview(data)
        while left:
            left = left[os.write(file, left) :]

    def own(self, file: int, uid: int, gid: int) -> None:
        """Give the file to a user and a group."""
        os.fchown(file, uid, gid)

    def grant(self, file: int, mode: int) -> None:
        """Set the file's mode, whatever the umask."""
        os.fchmod(file, mode)

    def date(self, file: int, modified: int) -> None:
        """Set the file's time of modification."""
        os.utime(file, ns=(modified, modified))

    def flush(self, file: int) -> None:
        """Wait for fsync; on macOS for F_FULLFSYNC, since fsync stops at the drive's cache there."""
        if _FULL_SYNC is not None:
            fcntl.fcntl(file, _FULL_SYNC)
        else:
            os.fsync(file)

    def close(self, file: int) -> None:
        """Close an open file."""
        os.close(file)

    def rename(self, source: str, target: str, *, at: int) -> None:
        """Rename within one directory."""
        os.rename(source, target, src_dir_fd=at, dst_dir_fd=at)

    def link(self, source: str, target: str, *, at: int) -> None:
        """Link within one directory."""
        os.link(source, target, src_dir_fd=at, dst_dir_fd=at, follow_symlinks=False)

    def remove(self, name: str, *, at: int) -> None:
        """Remove a file."""
        os.unlink(name, dir_fd=at)

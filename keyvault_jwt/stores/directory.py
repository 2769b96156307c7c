"""One directory, held open: its files are read whole and replaced whole."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from ..errors import CorruptDocument, StoreDenied
from .filesystem import Filesystem
from .os_failure import rename_error, unsettled

_LEFTOVER = ".tmp"
_COARSEST_DATE = 2_000_000_000
"""Two seconds in nanoseconds: no file system that this runs on keeps coarser dates."""


@dataclass(frozen=True, slots=True)
class Content:
    """A file's bytes, and its date in nanoseconds, which every replacement moves on."""

    data: bytes
    modified: int


@dataclass(frozen=True, slots=True)
class Directory:
    """An open directory; everything in it is reached through `fd`, so that no link can be slipped in.

    Writers hold its lock (`lock.DirectoryLock`); readers need none, since a rename is atomic.
    """

    path: Path
    fd: int
    filesystem: Filesystem

    def read(self, name: str, limit: int) -> Content | None:
        """Return the whole file, None if there is none; raises `OSError`, `CorruptDocument` above `limit`.

        Bytes and date are those of one open file, so they belong together.
        """
        try:
            file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=self.fd)
        except FileNotFoundError:
            return None
        try:
            facts = os.fstat(file)
            if not stat.S_ISREG(facts.st_mode) or facts.st_size > limit:
                raise CorruptDocument(
                    f"{self.path / name} can't be a document",
                    why=f"it is no regular file of at most {limit} bytes",
                    fix="restore it from a backup; it was left as it is",
                )
            return Content(FileIO(file, closefd=False).readall(), facts.st_mtime_ns)
        finally:
            os.close(file)

    def entries(self) -> list[str]:
        """Return the names in this directory, in no order; raises `OSError`."""
        return os.listdir(self.fd)  # noqa: PTH208  (an open directory has no path)

    def put(self, name: str, data: bytes, mode: int, *, after: int = 0) -> Content:
        """Replace the file, durably and dated later than `after`; return it as it stands now.

        Raises `OSError` when nothing was replaced, and `StoreTimeout` when that is not known.
        """
        modified = self._write_aside(name, data, mode, after)
        try:
            self.filesystem.rename(_aside(name), name, at=self.fd)
        except OSError as failure:
            self._discard(_aside(name))
            raise rename_error(failure, self.path / name) from failure
        try:
            self.filesystem.flush(self.fd)
        except OSError as failure:
            raise unsettled(failure, self.path / name) from failure
        return Content(data, modified)

    def put_once(self, name: str, data: bytes, mode: int) -> bool:
        """Put a file that must not be there yet, durably; return whether it was this call that did."""
        self._write_aside(name, data, mode, 0)
        try:
            self.filesystem.link(_aside(name), name, at=self.fd)
        except FileExistsError:
            return False
        finally:
            self._discard(_aside(name))
        self.filesystem.flush(self.fd)
        return True

    def make(self, name: str) -> None:
        """Make a directory in this one, durably, unless it is there."""
        try:
            self.filesystem.make_directory(name, at=self.fd)
        except FileExistsError:
            return
        with open_directory(self.filesystem, self.path / name, within=self) as made:
            self.adopt(made.fd)
        self.filesystem.flush(self.fd)

    def sweep(self, *names: str) -> None:
        """Remove what dead writers left: under the lock, no living one has anything aside.

        In a directory that holds more than ours, of the files named alone.
        """
        ours = {_aside(name) for name in names}
        for entry in self.entries():
            if entry in ours or (not ours and entry.startswith(".") and entry.endswith(_LEFTOVER)):
                self._discard(entry)

    def has_aside(self, name: str) -> bool:
        """Whether a writer of the file, dead or alive, has something aside."""
        return _aside(name) in self.entries()

    def adopt(self, file: int) -> None:
        """Give a file made by root to the directory's owner, who could not use it otherwise."""
        if os.geteuid() == 0:
            facts = os.fstat(self.fd)
            if (facts.st_uid, facts.st_gid) != (0, 0):
                self.filesystem.own(file, facts.st_uid, facts.st_gid)

    def _write_aside(self, name: str, data: bytes, mode: int, after: int) -> int:
        calls = self.filesystem
        file = calls.create(_aside(name), at=self.fd)
        try:
            try:
                calls.write(file, data)
                self.adopt(file)
                calls.grant(file, mode)
                calls.date(file, max(time.time_ns(), after + 1))
                if os.fstat(file).st_mtime_ns <= after:
                    calls.date(file, after + _COARSEST_DATE)
                calls.flush(file)
                return os.fstat(file).st_mtime_ns
            finally:
                calls.close(file)
        except BaseException:
            self._discard(_aside(name))
            raise

    def _discard(self, name: str) -> None:
        with suppress(OSError):
            self.filesystem.remove(name, at=self.fd)


def _aside(name: str) -> str:
    return f".{name}{_LEFTOVER}"


@contextmanager
def open_directory(
    filesystem: Filesystem, path: Path, *, within: Directory | None = None
) -> Iterator[Directory]:
    """Open `path`, or the entry `path.name` of `within`; raises `FileNotFoundError`, `StoreDenied`.

    An entry that is a link is refused; the outermost directory may be one, since an operator
    chose it.  A directory that anyone may write to is refused: documents could be removed,
    or put back from an older copy.
    """
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    if within is None:
        fd = os.open(path, flags)
    else:
        fd = os.open(path.name, flags | os.O_NOFOLLOW, dir_fd=within.fd)
    try:
        if os.fstat(fd).st_mode & stat.S_IWOTH:
            raise StoreDenied(
                f"{path} is not used as a store",
                why="every user of this machine may write to it",
                fix=f"chmod o-w {path}",
            )
        yield Directory(path, fd, filesystem)
    finally:
        os.close(fd)


def make_path(filesystem: Filesystem, path: Path) -> bool:
    """Make the directory and its parents, durably; return whether it was missing; raises `OSError`."""
    missing = [step for step in (path, *path.parents) if not step.exists()]
    for step in reversed(missing):
        try:
            filesystem.make_directory(str(step), at=None)
        except FileExistsError:
            continue
        parent = os.open(step.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            filesystem.flush(parent)
        finally:
            os.close(parent)
    return bool(missing)

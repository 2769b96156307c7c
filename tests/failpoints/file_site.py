"""File stores on a disk, watched at their system calls."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import MappingProxyType
from typing import cast

from keyvault_jwt.store import DocumentName, Draft, Version
from keyvault_jwt.stores.file import FileStore
from keyvault_jwt.stores.filesystem import Filesystem
from keyvault_jwt.stores.mark_files import MarkFiles
from tests.failpoints.site import STORE, TARGET, Documents, Told
from tests.failpoints.surface import documents_in
from tests.failpoints.trap import Trap, WatchedCalls


class TellingFileStore(FileStore):
    """A file store that tells of each write once it was answered."""

    def __init__(self, directory: Path, filesystem: Filesystem, told: Told) -> None:
        super().__init__(directory, filesystem=filesystem)
        self._told = told

    def replace(self, name: DocumentName, draft: Draft, *, expected: Version | None) -> Version:
        """Replace, and tell."""
        version = super().replace(name, draft, expected=expected)
        self._told(name, draft)
        return version


class FileSite:
    """Stores in `DISK/store` and `DISK/target`, marks in `DISK/state`; `kept` is where a copy goes."""

    def __init__(self, disk: Path, kept: Path) -> None:
        self._disk, self._kept = disk, kept

    def open(self, place: str, trap: Trap, told: Told) -> tuple[FileStore, MarkFiles]:
        """Open a store whose every system call the trap hears of, and those of its marks."""
        calls = cast("Filesystem", WatchedCalls(place, trap))
        noted = cast("Filesystem", WatchedCalls(f"{place}-marks", trap))
        marks = MarkFiles(self._disk / "state", place, filesystem=noted)
        return TellingFileStore(self._disk / place, calls, told), marks

    def documents(self) -> Documents:
        """Return every document of both stores."""
        found = {}
        for place in (STORE, TARGET):
            with FileStore(self._disk / place) as store:
                found |= documents_in(place, store)
        return MappingProxyType(found)

    def leftovers(self) -> list[str]:
        """Return the files that a writer puts aside."""
        return [str(path.relative_to(self._disk)) for path in self._disk.rglob("*.tmp")]

    def keep(self) -> None:
        """Copy the disk."""
        shutil.copytree(self._disk, self._kept)

    def restore(self) -> None:
        """Copy it back."""
        for entry in self._disk.iterdir():
            shutil.rmtree(entry)
        shutil.copytree(self._kept, self._disk, dirs_exist_ok=True)

    def lands(self, document: str, step: str) -> bool:
        """Return whether it is a rename: a file appears by it whole."""
        return step == "rename"

"""One machine: a folder with stores and state, its clock, and managers whose system calls are watched."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import cast
from uuid import UUID

from keyvault_jwt.clock import Instant, Milliseconds
from keyvault_jwt.key_manager import KeyManager
from keyvault_jwt.keyring import Keyring
from keyvault_jwt.report import Report
from keyvault_jwt.store import DocumentName, Draft, Version
from keyvault_jwt.stores.file import FileStore
from keyvault_jwt.stores.filesystem import Filesystem
from keyvault_jwt.stores.mark_files import MarkFiles
from keyvault_jwt.testing.fake_clock import FakeClock
from tests.failpoints.trap import Trap, WatchedCalls
from tests.model.counted_keys import CountedKeys
from tests.model.model_store import RING

STORE, TARGET = "store", "target"
Landed = Callable[[str, DocumentName, Draft, Instant], None]


class TellingStore(FileStore):
    """A file store that tells of each write once it was answered."""

    def __init__(self, directory: Path, filesystem: Filesystem, told: Callable[[DocumentName, Draft], None]):
        super().__init__(directory, filesystem=filesystem)
        self._told = told

    def replace(self, name: DocumentName, draft: Draft, *, expected: Version | None) -> Version:
        """Replace, and tell."""
        version = super().replace(name, draft, expected=expected)
        self._told(name, draft)
        return version


class Machine:
    """Managers over `FOLDER/store` and `FOLDER/target`, their marks in `FOLDER/state`.

    `seed` sets its keys and write ids apart from those of every other process; `landed` hears
    of each write; `trap` hears of each system call.
    """

    def __init__(
        self, folder: Path, now: Instant, seed: int, *, trap: Trap | None = None, landed: Landed | None = None
    ) -> None:
        self.folder, self.clock = folder, FakeClock(now)
        self._trap, self._landed = trap or Trap(), landed
        self._keys, self._numbers = CountedKeys(seed * 1000), count(1)
        self._seed = seed
        self.managers = {place: self._manager(place) for place in (STORE, TARGET)}

    @property
    def manager(self) -> KeyManager:
        """The manager of the store where the keyring lives at first."""
        return self.managers[STORE]

    @property
    def target(self) -> KeyManager:
        """The manager of the store that the keyring is copied to."""
        return self.managers[TARGET]

    @property
    def keyring(self) -> Keyring:
        """The keyring as its authority says."""
        return self.manager.keyring(RING)

    def later(self, by: Milliseconds) -> None:
        """Let time pass."""
        self.clock.advance(by)

    def reconcile(self) -> Report:
        """Run the pass that a scheduler would."""
        return self.manager.reconcile(RING)

    def _manager(self, place: str) -> KeyManager:
        def told(name: DocumentName, draft: Draft) -> None:
            if self._landed is not None:
                self._landed(place, name, draft, self.clock.wall())

        calls = cast("Filesystem", WatchedCalls(place, self._trap))
        noted = cast("Filesystem", WatchedCalls(f"{place}-marks", self._trap))
        marks = MarkFiles(self.folder / "state", place, filesystem=noted)
        return KeyManager(
            TellingStore(self.folder / place, calls, told),
            clock=self.clock,
            key_factory=self._keys,
            marks=marks,
            listener=lambda event: None,
            wait=lambda seconds: None,
            write_ids=lambda: UUID(int=(self._seed << 64) + next(self._numbers)),
        )

"""Stores on a server, each below a prefix: what is there can't be moved, so that a restart is elsewhere."""

from __future__ import annotations

import shutil
from abc import ABC, abstractmethod
from itertools import count
from pathlib import Path
from types import MappingProxyType

from keyvault_jwt.store import DocumentName, DocumentStore, Draft, Version
from keyvault_jwt.stores.mark_files import MarkFiles
from tests.failpoints.site import STORE, TARGET, Documents, Told
from tests.failpoints.surface import documents_in
from tests.failpoints.trap import Trap
from tests.passing_store import PassingStore


class TellingStore(PassingStore):
    """A store that tells of each write once it was answered."""

    def __init__(self, store: DocumentStore, told: Told) -> None:
        super().__init__(store)
        self._told = told

    def replace(self, name: DocumentName, draft: Draft, *, expected: Version | None) -> Version:
        """Replace, and tell."""
        version = super().replace(name, draft, expected=expected)
        self._told(name, draft)
        return version


class PrefixSite(ABC):
    """Stores below a prefix, marks in `FOLDER/state`.

    To be put back to its start it goes on below another prefix.
    """

    def __init__(self, folder: Path) -> None:
        self._state, self._kept = folder / "state", folder / "kept"
        self._start: Documents = {}
        self._rounds = count()
        self._round = next(self._rounds)

    def open(self, place: str, trap: Trap, told: Told) -> tuple[DocumentStore, MarkFiles]:
        """Open a store whose every request the trap hears of."""
        return TellingStore(self.store(place, trap), told), MarkFiles(self._state, place)

    def documents(self) -> Documents:
        """Return every document of both stores."""
        found = {}
        for place in (STORE, TARGET):
            found |= documents_in(place, self.store(place, Trap()))
        return MappingProxyType(found)

    def keep(self) -> None:
        """Note the documents, and copy the marks."""
        self._start = self.documents()
        self._state.mkdir(exist_ok=True)
        shutil.copytree(self._state, self._kept)

    def restore(self) -> None:
        """Write the documents below another prefix, and copy the marks back."""
        self._round = next(self._rounds)
        shutil.rmtree(self._state)
        shutil.copytree(self._kept, self._state)
        for place in (STORE, TARGET):
            store = self.store(place, Trap())
            for (where, name), draft in self._start.items():
                if where == place:
                    store.replace(name, draft, expected=None)

    def folder(self, place: str) -> str:
        """Return the part of a place's names that is its own for now."""
        return f"{self._round}/{place}"

    @abstractmethod
    def store(self, place: str, trap: Trap) -> DocumentStore:
        """Open a store whose every request the trap hears of."""

    @abstractmethod
    def leftovers(self) -> list[str]:
        """Return what a writer may put aside and should not leave."""

    @abstractmethod
    def lands(self, document: str, step: str) -> bool:
        """Return whether a document changes by such a step."""

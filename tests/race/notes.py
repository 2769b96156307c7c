"""What a racer notes of its own reads and writes: whether it found the rotation due, and what it won."""

from __future__ import annotations

from keyvault_jwt import document
from keyvault_jwt.store import DocumentKind, DocumentName, DocumentStore, Draft, Version, Versioned
from tests.passing_store import PassingStore


class Notes:
    """`took`: the kids that answered writes made the signing one; `raced`: whether a read found it due."""

    def __init__(self) -> None:
        self.begin("")

    def begin(self, signing: str) -> None:
        """Forget the last round; `signing` is the key to replace."""
        self._due, self._signing, self.raced, self.took = signing, "", False, list[str]()

    def saw(self, name: DocumentName, seen: Versioned | None) -> None:
        """Note which key signs in what was read."""
        if name.kind is DocumentKind.AUTHORITY and seen is not None:
            self._signing = _signing_in(name, seen.draft)
            self.raced |= self._signing == self._due

    def wrote(self, name: DocumentName, draft: Draft) -> None:
        """Note which key signs in what was written, if that is another than before."""
        if name.kind is DocumentKind.AUTHORITY:
            before, self._signing = self._signing, _signing_in(name, draft)
            self.took += [self._signing] if self._signing != before else []


class NotingStore(PassingStore):
    """A store whose reads and answered writes are noted."""

    def __init__(self, store: DocumentStore, notes: Notes) -> None:
        super().__init__(store)
        self._notes = notes

    def read(self, name: DocumentName) -> Versioned | None:
        """Read, and note."""
        seen = super().read(name)
        self._notes.saw(name, seen)
        return seen

    def replace(self, name: DocumentName, draft: Draft, *, expected: Version | None) -> Version:
        """Replace, and note."""
        version = super().replace(name, draft, expected=expected)
        self._notes.wrote(name, draft)
        return version


def _signing_in(name: DocumentName, draft: Draft) -> str:
    active = document.decode_authority(name.ring, draft.data).active
    return "" if active is None else active.kid

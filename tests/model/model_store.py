"""A store as an immutable value: documents with compare-and-swap, nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

from keyvault_jwt.clock import Instant, Milliseconds
from keyvault_jwt.store import DocumentKind, DocumentName, Draft, Version, Versioned

RING = "model"
AUTHORITY = DocumentName(RING, DocumentKind.AUTHORITY)
PUBLIC = DocumentName(RING, DocumentKind.PUBLIC)
SIGNING = DocumentName(RING, DocumentKind.SIGNING)
VERIFICATION = DocumentName(RING, DocumentKind.VERIFICATION)


@dataclass(frozen=True, slots=True)
class Stored:
    """One document: what it is (None: deleted), since when, and what it was, until when, before that."""

    now: Versioned | None
    since: Instant
    writes: int
    past: tuple[tuple[Versioned | None, Instant], ...] = ()


_NEVER = Stored(None, 0, 0)


@dataclass(frozen=True)
class ModelStore:
    """Documents by name; a version counts the writes of its document, so none comes twice.

    It remembers what a document was for as long as a read may show it: `staleness` (S).
    """

    staleness: Milliseconds = 0
    documents: Mapping[DocumentName, Stored] = field(default_factory=lambda: MappingProxyType({}))

    def read(self, name: DocumentName) -> Versioned | None:
        """Return the document, or None."""
        return self.documents.get(name, _NEVER).now

    def read_stale(self, name: DocumentName, now: Instant) -> Versioned | None:
        """Return the document as old as a read may show it."""
        return self.read_any(name, now)[0]

    def read_any(self, name: DocumentName, now: Instant) -> tuple[Versioned | None, ...]:
        """Return every state that a read may show, oldest first."""
        stored = self.documents.get(name, _NEVER)
        return (*(was for was, until in stored.past if now - until <= self.staleness), stored.now)

    def replaced(
        self, name: DocumentName, draft: Draft, expected: Version | None, now: Instant
    ) -> ModelStore | None:
        """Return the store after the write, None if another version is there."""
        there = self.read(name)
        if (None if there is None else there.version) != expected:
            return None
        return self.put(name, draft, now)

    def put(self, name: DocumentName, draft: Draft | None, now: Instant) -> ModelStore:
        """Return the store with a document put in place whatever was there, as a restore does."""
        old = self.documents.get(name, _NEVER)
        new = None if draft is None else Versioned(draft, Version(str(old.writes + 1)))
        past = (*old.past, (old.now, now)) if self.staleness else ()
        past = tuple((was, until) for was, until in past if now - until <= self.staleness)
        stored = Stored(new, now, old.writes + 1, past)
        return ModelStore(self.staleness, MappingProxyType({**self.documents, name: stored}))

    def restored(self, backup: ModelStore, now: Instant, *names: DocumentName) -> ModelStore:
        """Return the store with documents (all, if none is named) as they were in `backup`."""
        store = self
        for name in names or tuple(self.documents):
            copy = backup.read(name)
            store = store.put(name, None if copy is None else copy.draft, now)
        return store

    @cached_property
    def mark(self) -> int:
        """The hash of its key, worked out once."""
        return hash(self.key)

    @cached_property
    def digest(self) -> str:
        """A digest of all bytes and versions, the same in every process."""
        found = hashlib.sha256()
        for name, stored in sorted(self.documents.items()):
            found.update(f"{name} {stored.writes} {stored.since} ".encode())
            found.update(b"" if stored.now is None else stored.now.draft.data)
        return found.hexdigest()

    @property
    def key(self) -> tuple[object, ...]:
        """What tells this state of the store from every other."""
        return tuple(
            (
                name.kind,
                name.number,
                stored.writes,
                stored.since,
                stored.now and hash(stored.now.draft.data),
                tuple((was and hash(was.draft.data), until) for was, until in stored.past),
            )
            for name, stored in sorted(self.documents.items())
        )

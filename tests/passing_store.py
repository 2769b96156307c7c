"""A store that passes everything on to another one: what listens at a store's calls is built on it."""

from __future__ import annotations

from collections.abc import Iterable

from keyvault_jwt.clock import Milliseconds
from keyvault_jwt.store import (
    DocumentName,
    DocumentStore,
    Draft,
    Limits,
    Version,
    Versioned,
    limits_of,
    staleness_of,
)


class PassingStore:
    """A store with another one's documents and declarations."""

    def __init__(self, store: DocumentStore) -> None:
        self._store = store

    @property
    def staleness(self) -> Milliseconds:
        return staleness_of(self._store)

    @property
    def limits(self) -> Limits:
        return limits_of(self._store)

    def read(self, name: DocumentName) -> Versioned | None:
        return self._store.read(name)

    def replace(self, name: DocumentName, draft: Draft, *, expected: Version | None) -> Version:
        return self._store.replace(name, draft, expected=expected)

    def names(self) -> Iterable[DocumentName]:
        return self._store.names()

    def close(self) -> None:
        close = getattr(self._store, "close", None)
        if close is not None:
            close()

"""A store whose answers get lost, as a time-out or a 5xx after sending loses them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from ..clock import Milliseconds
from ..errors import StoreTimeout
from ..store import (
    DocumentName,
    DocumentStore,
    Draft,
    Limits,
    Version,
    Versioned,
    limits_of,
    staleness_of,
)


class UncertainStore:
    """Passes everything on to `store`, but loses the answers of the next writes.

    `lose(landed=True)` lets the next write land and raises `StoreTimeout`; `landed=False` keeps
    it from landing and raises the same.  Calls queue up; after them answers come through.
    """

    def __init__(self, store: DocumentStore) -> None:
        self._store = store
        self._losses: deque[bool] = deque()

    def lose(self, *, landed: bool) -> None:
        """Lose the answer of one more write."""
        self._losses.append(landed)

    @property
    def staleness(self) -> Milliseconds:
        """S of the store beneath."""
        return staleness_of(self._store)

    @property
    def limits(self) -> Limits:
        """The caps of the store beneath."""
        return limits_of(self._store)

    def read(self, name: DocumentName) -> Versioned | None:
        """Read from the store beneath."""
        return self._store.read(name)

    def replace(self, name: DocumentName, draft: Draft, *, expected: Version | None) -> Version:
        """Write to the store beneath, or not, and answer, or raise `StoreTimeout`."""
        if not self._losses:
            return self._store.replace(name, draft, expected=expected)
        if self._losses.popleft():
            self._store.replace(name, draft, expected=expected)
        raise StoreTimeout(f"the answer to the write of {name} was lost", why="this test asked for it")

    def names(self) -> Iterable[DocumentName]:
        """List the store beneath."""
        return self._store.names()

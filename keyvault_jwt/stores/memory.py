"""`memory:`: a store that lasts as long as the process, for tests and trials."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Final, Self

from ..clock import Milliseconds
from ..errors import BadStoreURL, Conflict, DocumentTooLarge
from ..forks import survive_forks
from ..store import DocumentName, Draft, Limits, Version, Versioned

LIMITS: Final = Limits(document_bytes=64 * 1024 * 1024)
"""Caps by default, as the file store's."""


class MemoryStore:
    """Documents in a dict; thread-safe, fork-safe, linearizable, gone with the process."""

    def __init__(self, *, limits: Limits = LIMITS) -> None:
        self._limits = limits
        self._guard = threading.Lock()
        self._documents: dict[DocumentName, Versioned] = {}
        self._versions = itertools.count(1)
        survive_forks(self)

    def __repr__(self) -> str:
        return f"MemoryStore(<{len(self._documents)} documents>)"

    @property
    def staleness(self) -> Milliseconds:
        """S is 0: a read sees every write that was answered before it began."""
        return 0

    @property
    def limits(self) -> Limits:
        """The store's caps."""
        return self._limits

    def read(self, name: DocumentName) -> Versioned | None:
        """Return the document, or None if there is none."""
        with self._guard:
            return self._documents.get(name)

    def replace(self, name: DocumentName, draft: Draft, *, expected: Version | None) -> Version:
        """Put `draft` in place of the version `expected` (None: only if absent).

        Raises `Conflict` and `DocumentTooLarge`.
        """
        if len(draft.data) > self._limits.document_bytes:
            raise DocumentTooLarge(
                f"{name} has {len(draft.data)} bytes",
                why=f"this store takes at most {self._limits.document_bytes}; nothing was written",
                fix="let `reconcile` archive old keys and events",
            )
        with self._guard:
            current = self._documents.get(name)
            if (current.version if current else None) != expected:
                raise Conflict(
                    f"{name} is not as it was read",
                    why="another writer was first" if current else "it is not there",
                    fix="read it again and decide again",
                )
            version = Version(str(next(self._versions)))
            self._documents[name] = Versioned(draft, version)
            return version

    def names(self) -> Iterator[DocumentName]:
        """Yield every document's name, sorted."""
        with self._guard:
            present = sorted(self._documents)
        yield from present

    def close(self) -> None:
        """Do nothing: there is nothing to give back."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _after_fork(self) -> None:
        # A thread of the parent process may hold the old one for ever.
        self._guard = threading.Lock()


def open_url(url: str) -> MemoryStore:
    """Return a fresh store for `memory:`; raises `BadStoreURL` for anything after the colon."""
    if url != "memory:":
        raise BadStoreURL("a memory store URL is memory: and nothing more", fix="write memory:")
    return MemoryStore()

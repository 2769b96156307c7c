"""What a store is: named documents, read whole and replaced by compare-and-swap."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NewType, Protocol, runtime_checkable
from uuid import UUID

from .clock import Milliseconds
from .errors import BadRingName, DocumentTooLarge

Version = NewType("Version", str)
"""The store's own name for one state of a document: opaque, compared only for equality."""

_RING = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}", re.ASCII)


class DocumentKind(StrEnum):
    """The documents of a keyring; each role is granted only its own."""

    AUTHORITY = "authority"
    SIGNING = "signing"
    PUBLIC = "public"
    VERIFICATION = "verification"
    ARCHIVE = "archive"

    @property
    def is_private(self) -> bool:
        """Whether the bytes hold key material and must be sealed at rest."""
        return self is not DocumentKind.PUBLIC


@dataclass(frozen=True, slots=True, order=True)
class DocumentName:
    """One document's place: `number` counts archives and is 0 for all others.

    Raises `BadRingName` for a ring outside `[a-z0-9][a-z0-9._-]{0,62}` or with `..` in it.
    """

    ring: str
    kind: DocumentKind
    number: int = 0

    def __post_init__(self) -> None:
        check_ring_name(self.ring)
        if self.number < 0 or (self.number and self.kind is not DocumentKind.ARCHIVE):
            raise ValueError("only archives are numbered, from 0 up")

    def __str__(self) -> str:
        tail = f"-{self.number}" if self.kind is DocumentKind.ARCHIVE else ""
        return f"{self.ring}/{self.kind}{tail}"


def check_ring_name(ring: str) -> str:
    """Return `ring` if it may name a keyring; raises `BadRingName`."""
    if not _RING.fullmatch(ring) or ".." in ring:
        raise BadRingName(
            f"{ring[:80]!r} can't name a keyring",
            why="a name becomes a path in every store",
            fix="use 1 to 63 of a-z 0-9 . _ - , beginning with a letter or digit, without '..'",
        )
    return ring


@dataclass(frozen=True, slots=True)
class Draft:
    """A document's bytes on their way in or out, with the authority write they belong to."""

    data: bytes
    revision: int
    write_id: UUID

    def __repr__(self) -> str:
        return f"Draft(<{len(self.data)} bytes>, revision={self.revision}, write_id={self.write_id})"


@dataclass(frozen=True, slots=True)
class Versioned:
    """A document as read, with the version that a replacement must name."""

    draft: Draft
    version: Version


class DocumentStore(Protocol):
    """Documents with compare-and-swap.

    The promise: `replace` with the version of the last read either takes effect whole and
    once, or raises and leaves the document as it was.  `StoreContract` in
    `keyvault_jwt.testing` tells whether an implementation keeps it.
    """

    def read(self, name: DocumentName) -> Versioned | None:
        """Return the document, or None if there is none.

        Raises `StoreError` when the store can't answer and `DocumentError` when what it
        answers can't be a document.
        """
        ...

    def replace(self, name: DocumentName, draft: Draft, *, expected: Version | None) -> Version:
        """Put `draft` in place of the version `expected` (None: only if absent).

        Raises `Conflict` when another version is there, `StoreTimeout` when the outcome is
        not known, and other `StoreError`s when nothing was written.
        """
        ...

    def names(self) -> Iterable[DocumentName]:
        """Yield the name of every document that this caller may see."""
        ...


@runtime_checkable
class DeclaresStaleness(Protocol):
    """A store that knows how old a read may be; without it, `UNDECLARED_STALENESS` counts."""

    @property
    def staleness(self) -> Milliseconds:
        """The parameter S in milliseconds; 0 for linearizable reads."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """What a store and the verifiers can hold: bytes per document, keys per published set.

    `write_interval` is the time between two writes of one document that the store sustains; 0 for any.
    """

    document_bytes: int
    published_keys: int = 100
    write_interval: Milliseconds = 0

    def require_room(self, draft: Draft, share: float = 1.0) -> None:
        """Raise `DocumentTooLarge` unless the bytes fit into `share` of the document limit."""
        room = int(self.document_bytes * share)
        if len(draft.data) > room:
            raise DocumentTooLarge(
                f"a document would have {len(draft.data)} bytes",
                why=f"{room} of the store's {self.document_bytes} may be used, so that a revocation fits",
                fix="lower `standbys`, let retiring keys go first, or use a store that holds more",
            )


@runtime_checkable
class DeclaresLimits(Protocol):
    """A store that refuses documents above some size."""

    @property
    def limits(self) -> Limits:
        """The store's caps."""
        ...


@runtime_checkable
class PurgesVersions(Protocol):
    """A store that keeps history and can destroy old versions that hold dropped private halves."""

    def purge(self, name: DocumentName, *, before: Version) -> None:
        """Destroy every version of `name` older than `before`."""
        ...


UNDECLARED_STALENESS: Milliseconds = 5_000
"""S in milliseconds for a store that does not declare it."""

UNDECLARED_LIMITS = Limits(document_bytes=1_048_576)
"""Caps for a store that declares none: 1 MiB, as Vault's default max_request_size allows."""


def staleness_of(store: DocumentStore) -> Milliseconds:
    """Return the store's S in milliseconds."""
    return store.staleness if isinstance(store, DeclaresStaleness) else UNDECLARED_STALENESS


def limits_of(store: DocumentStore) -> Limits:
    """Return the store's caps."""
    return store.limits if isinstance(store, DeclaresLimits) else UNDECLARED_LIMITS

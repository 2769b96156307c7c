"""HeldBack: the store of a keyring, whose next authority is held back rather than made current."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from keyvault_jwt.clock import Milliseconds
from keyvault_jwt.errors import KeyvaultJWTError
from keyvault_jwt.store import DocumentKind, DocumentName, Draft, Limits, Version, Versioned

from ..secrets_store import AwsStore
from .remaining import Remaining


class Held(KeyvaultJWTError):
    """Ends a pass at its first write of the authority: not a failure, and never shown."""

    code = "aws_held_back"


class HeldBack:
    """A store in which a pass decides and repairs as in any other, and ends where it would commit.

    `take` is given what would be written and the version that it would replace.
    """

    def __init__(self, store: AwsStore, remaining: Remaining, take: Callable[[Draft, Version], None]) -> None:
        self._store, self._remaining, self._take = store, remaining, take

    @property
    def staleness(self) -> Milliseconds:
        """S, as the store's."""
        return self._store.staleness

    @property
    def limits(self) -> Limits:
        """The store's caps."""
        return self._store.limits

    def read(self, name: DocumentName) -> Versioned | None:
        """Return the document."""
        self._remaining.require()
        return self._store.read(name)

    def replace(self, name: DocumentName, draft: Draft, *, expected: Version | None) -> Version:
        """Put the draft in place, unless it is the authority's, which ends the pass by `Held`."""
        self._remaining.require()
        if name.kind is not DocumentKind.AUTHORITY or expected is None:
            return self._store.replace(name, draft, expected=expected)
        self._take(draft, expected)
        raise Held(f"the next revision of {name} is held back")

    def names(self) -> Iterable[DocumentName]:
        """Yield the name of every document."""
        return self._store.names()

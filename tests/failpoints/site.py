"""Where a command is disturbed: stores that can be put back to where it starts from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, TypeAlias

from keyvault_jwt.marks import MarkStore
from keyvault_jwt.store import DocumentName, DocumentStore, Draft
from tests.failpoints.trap import Trap

STORE, TARGET = "store", "target"
"""The places at a site: where the keyring lives at first, and where it is copied to."""

Documents: TypeAlias = Mapping[tuple[str, DocumentName], Draft]
Told: TypeAlias = Callable[[DocumentName, Draft], None]


class Site(Protocol):
    """Two stores, and the marks of one machine that uses them."""

    def open(self, place: str, trap: Trap, told: Told) -> tuple[DocumentStore, MarkStore]:
        """Open a store; `trap` hears of each step to the outside, `told` of each write once answered."""
        ...

    def documents(self) -> Documents:
        """Return every document of both stores, as another process reads it."""
        ...

    def leftovers(self) -> list[str]:
        """Return what a writer may put aside and should not leave."""
        ...

    def keep(self) -> None:
        """Remember what is there now as what the command starts from."""
        ...

    def restore(self) -> None:
        """Put everything back to that."""
        ...

    def lands(self, document: str, step: str) -> bool:
        """Return whether a document changes by such a step."""
        ...

"""Whether a document continues the history its reader has already seen, or was rolled back or forked."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from .errors import RolledBack
from .keyring import Commit, Keyring
from .marks import Mark


class Point(Protocol):
    """A place in history, such as a reader remembers."""

    @property
    def epoch(self) -> int:
        """The epoch: a keyring's creation or recovery time in milliseconds."""
        ...

    @property
    def revision(self) -> int:
        """The authority revision, counted from 1."""
        ...

    @property
    def write_id(self) -> UUID:
        """The authority write of that revision."""
        ...


class Head(Point, Protocol):
    """Where in a keyring's history a document stands."""

    @property
    def ring(self) -> str:
        """The keyring's name."""
        ...

    @property
    def lineage(self) -> tuple[Commit, ...]:
        """The latest authority writes up to this revision, oldest first."""
        ...


def is_behind(head: Head, seen: Point) -> bool:
    """Whether the document is of an older (epoch, revision) than what was seen."""
    return (head.epoch, head.revision) < (seen.epoch, seen.revision)


def is_forked(head: Head, seen: Point) -> bool:
    """Whether the document's lineage reaches over the seen revision but holds another write there.

    A seen revision older than the lineage is merely late, and a newer epoch begins anew.
    """
    if head.epoch != seen.epoch or is_behind(head, seen) or not head.lineage:
        return False
    if seen.revision < head.lineage[0].revision:
        return False
    return Commit(seen.revision, seen.write_id) not in head.lineage


def require_continuation(head: Head, seen: Point | None) -> None:
    """Raise `RolledBack` unless the document continues what was seen."""
    if seen is None or not (is_behind(head, seen) or is_forked(head, seen)):
        return
    raise rolled_back(head, seen)


def contradiction(keyring: Keyring | None, mark: Mark | None) -> RolledBack | None:
    """Return how the keyring denies what was seen of it before: its place in history, or a revocation."""
    if keyring is None or mark is None:
        return None
    if is_behind(keyring, mark) or is_forked(keyring, mark):
        return rolled_back(keyring, mark)
    for record in keyring.records:
        if record.state.published and record.kid in mark.revoked:
            return RolledBack(
                f"the store shows {record.kid} of keyring {keyring.ring} as {record.state}",
                why="it was seen revoked: the store was restored, and recovered where nobody knew of that",
                fix=f"run `recover {keyring.ring}` on this machine, which remembers it",
            )
    return None


def rolled_back(head: Head, seen: Point) -> RolledBack:
    """Return the error that names both places in history."""
    return RolledBack(
        f"the store shows keyring {head.ring} at ({head.epoch}, {head.revision})",
        why=f"({seen.epoch}, {seen.revision}) was already seen: the store was restored or forked",
        fix=f"find out who restored it, then run `recover {head.ring}`; nothing was changed",
    )

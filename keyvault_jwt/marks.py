"""High-water marks: the newest state of a keyring that was ever seen, kept outside its store.

A store that was restored from a backup shows an older history as if it were the present; only
a memory that was not restored with it can tell (`RolledBack`).
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import Protocol
from uuid import UUID

from .forks import survive_forks


@dataclass(frozen=True, slots=True)
class Mark:
    """The highest (epoch, revision) seen, the write it was, and every kid seen revoked.

    `usable` are the kids that signed at that revision or might come to, and `verifying` those that
    had stopped and were still published; `usable` is None for a reader who can't know.
    """

    epoch: int
    revision: int
    write_id: UUID
    revoked: frozenset[str] = frozenset()
    usable: frozenset[str] | None = None
    verifying: frozenset[str] = frozenset()

    @property
    def position(self) -> tuple[int, int]:
        """What marks are ordered by: epoch first, then revision."""
        return self.epoch, self.revision

    def raised_to(self, seen: Mark) -> Mark:
        """Return this mark moved up to `seen`: never lower, and no revoked kid forgotten.

        At an equal position this mark's `write_id` stays: two writes that claim one revision
        are a fork, and the first one seen is the one to compare with.
        """
        higher = seen if seen.position > self.position else self
        return replace(higher, revoked=self.revoked | seen.revoked)


class MarkStore(Protocol):
    """Where marks are kept."""

    def load(self, ring: str) -> Mark | None:
        """Return the keyring's mark, None if there is none; raises `CorruptDocument`."""
        ...

    def save(self, ring: str, mark: Mark) -> Mark:
        """Raise the keyring's mark to `mark` and return what is kept now."""
        ...

    def reset(self, ring: str) -> None:
        """Forget the keyring's mark: for an operator who restored a store on purpose."""
        ...


class MemoryMarks:
    """Marks that last as long as the process; thread-safe and fork-safe."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._marks: dict[str, Mark] = {}
        survive_forks(self)

    def load(self, ring: str) -> Mark | None:
        """Return the keyring's mark, None if there is none."""
        with self._guard:
            return self._marks.get(ring)

    def save(self, ring: str, mark: Mark) -> Mark:
        """Raise the keyring's mark to `mark` and return what is kept now."""
        with self._guard:
            kept = self._marks.get(ring)
            self._marks[ring] = raised = mark if kept is None else kept.raised_to(mark)
            return raised

    def reset(self, ring: str) -> None:
        """Forget the keyring's mark."""
        with self._guard:
            self._marks.pop(ring, None)

    def _after_fork(self) -> None:
        # A thread of the parent process may hold the old one for ever.
        self._guard = threading.Lock()

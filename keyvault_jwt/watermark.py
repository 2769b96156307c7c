"""Watermark: what a reader has seen of a keyring's history, in this process and before it."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from .clock import Clock, Milliseconds, Stopwatch
from .errors import RolledBack, StoreError
from .history import Head, require_continuation, rolled_back
from .marks import Mark, MarkStore


class Watermark:
    """Admits only documents that continue what was seen; not thread-safe.

    `marks` must be this reader's own: the `signing` document may rightly stay at a lower
    revision than `authority`, and a mark of the one would condemn the other.  `staleness` is
    the store's S: until it has passed, an older document may just be an old replica's answer.
    """

    def __init__(self, ring: str, marks: MarkStore, *, staleness: Milliseconds, clock: Clock) -> None:
        self._ring, self._marks = ring, marks
        self._staleness, self._clock = staleness, clock
        self._seen: Mark | None = None
        self._loaded = False
        self._doubt: Stopwatch | None = None

    @property
    def doubtful(self) -> bool:
        """Whether the last document was older than one seen before."""
        return self._doubt is not None

    def admit(self, head: Head, *, kids: AbstractSet[str], revoked: AbstractSet[str] = frozenset()) -> Mark:
        """Return the mark that now must be kept; `kids` are those the document holds good.

        Raises `RolledBack` for a history that does not continue what was seen, `StoreError`
        for one that may only be late, and what `marks` raises when they can't be read.
        """
        if not self._loaded:
            self._seen, self._loaded = self._marks.load(self._ring), True
        seen = self._seen
        try:
            require_continuation(head, seen)
            if seen is not None and not seen.revoked.isdisjoint(kids):
                raise rolled_back(head, seen)
        except RolledBack as error:
            raise self._judged(error) from None
        self._doubt = None
        mark = Mark(head.epoch, head.revision, head.write_id, frozenset(revoked))
        return mark if seen is None else seen.raised_to(mark)

    def keep(self, mark: Mark) -> None:
        """Remember what was admitted; raises what `marks` raises, having remembered it here."""
        if mark == self._seen:
            return
        self._seen = mark
        self._seen = self._marks.save(self._ring, mark)

    def _judged(self, error: RolledBack) -> RolledBack | StoreError:
        if self._doubt is None:
            self._doubt = Stopwatch(self._clock)
        if self._doubt.elapsed() >= self._staleness:
            return error
        return StoreError(
            f"the store showed an older state of keyring {self._ring} than before",
            why="its reads may be late; it is read again before anything is concluded",
        )

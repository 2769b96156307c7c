"""Unclaimed: keys that this process made, and that no document was seen to name yet."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from keyvault_jwt.document import decode_authority
from keyvault_jwt.errors import DocumentError
from keyvault_jwt.key_factory import FreshKey
from keyvault_jwt.store import Versioned

ABSENT = -1
"""The revision of an authority that is not there."""


@dataclass(slots=True)
class Made:
    """A key, and the revision of the authority on which it was made; `fresh` once its public half is known.

    `taken` is true while the pass that it was given to may still be under way.
    """

    ring: str
    algorithm: str
    arn: str
    thread: int
    base: int
    fresh: FreshKey | None = None
    taken: bool = True


class Unclaimed:
    """What becomes of fresh keys: named by a document, given to the next pass, or let go; thread-safe.

    A pass that made a key on revision r writes by compare-and-swap on r.  So when a later revision
    does not name the key, none ever will; and while r is still what is read, the same thread's next
    pass may have it.
    """

    def __init__(self) -> None:
        self._made: list[Made] = []
        self._seen: dict[tuple[int, str], int] = {}
        self._lock = threading.Lock()

    def again(self, ring: str, algorithm: str) -> Made | None:
        """Return a key that an earlier pass of this thread made and did not get into a document, if any."""
        thread = threading.get_ident()
        with self._lock:
            for made in self._made:
                if (made.ring, made.algorithm, made.thread) == (ring, algorithm, thread) and not made.taken:
                    made.taken = True
                    return made
        return None

    def add(self, ring: str, algorithm: str, arn: str) -> Made:
        """Take note of a new key of this thread's pass."""
        thread = threading.get_ident()
        with self._lock:
            base = self._seen.get((thread, ring), ABSENT)
            made = Made(ring, algorithm, arn, thread, base)
            self._made.append(made)
            return made

    def seen(self, ring: str, found: Versioned | None) -> tuple[str, ...]:
        """Take note of the authority as this thread read or wrote it; return what no document will name."""
        thread = threading.get_ident()
        revision = ABSENT if found is None else found.draft.revision
        with self._lock:
            self._seen[thread, ring] = revision
            decided = [made for made in self._made if made.ring == ring and made.base < revision]
            named = _named(ring, found) if decided else None
            if named is not None:
                self._made = [made for made in self._made if made not in decided]
            for made in self._made:
                if made.ring == ring and made.thread == thread:
                    made.taken = made.base != revision
        return () if named is None else tuple(made.arn for made in decided if made.arn not in named)


def _named(ring: str, found: Versioned | None) -> frozenset[str] | None:
    """Return the ARNs that an authority refers to; None if it can't be read."""
    assert found is not None
    try:
        records = decode_authority(ring, found.draft.data).records
    except DocumentError:
        return None
    return frozenset(r.reference.partition("#")[0] for r in records if r.reference is not None)

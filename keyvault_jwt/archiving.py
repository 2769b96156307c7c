"""Moving tombstones and old ledger entries out of `authority`, into a document written once before.

`limits` are the store's caps everywhere: how much stays depends on them.
"""

from __future__ import annotations

import hashlib

from . import document
from .clock import Instant
from .document import Archive
from .errors import CorruptDocument, ForeignDocument
from .keyring import ArchiveRef, Keyring
from .keys import KeyRecord
from .plan import KeptHistory
from .store import UNDECLARED_LIMITS, Draft, Limits, Versioned


def is_due(keyring: Keyring, limits: Limits = UNDECLARED_LIMITS) -> bool:
    """Whether the committed keyring holds enough to fill an archive."""
    return bool(_records(keyring, limits) or _entries(keyring, limits))


def next_number(keyring: Keyring) -> int:
    """Return the number after the last archive that `authority` lists; the first is 1."""
    return max((ref.number for ref in keyring.archives), default=0) + 1


def draft(keyring: Keyring, number: int, limits: Limits = UNDECLARED_LIMITS) -> Draft:
    """Return the archive's document: the same bytes for the same committed keyring."""
    records, entries = _records(keyring, limits), _entries(keyring, limits)
    return document.archive_draft(keyring, number, records, entries)


def reference(keyring: Keyring, number: int, limits: Limits = UNDECLARED_LIMITS) -> ArchiveRef:
    """Return what `authority` will say of the archive: its number and SHA-256."""
    return ArchiveRef(number, hashlib.sha256(draft(keyring, number, limits).data).hexdigest())


def moved_out(
    keyring: Keyring, before: Keyring, ref: ArchiveRef, now: Instant, limits: Limits = UNDECLARED_LIMITS
) -> Keyring:
    """Return `keyring` without what archive `ref` took from it as it was committed `before`.

    The steps decided since can't have touched that part: tombstones never change, and the
    ledger only grows at its end.
    """
    kids = frozenset(record.kid for record in _records(before, limits))
    return keyring.archived(ref, kids, _entries(before, limits), now)


def opened(ring: str, ref: ArchiveRef | None, found: Versioned | None) -> Archive | None:
    """Return an archive as read; raises `CorruptDocument` if it is listed and not what the list says.

    One that nobody lists (`ref` is None) may still tell of what was lost, as far as it can be read.
    """
    if ref is not None:
        return _open_listed(ring, ref, found)
    try:
        return None if found is None else document.decode_archive(ring, found.draft.data)
    except (CorruptDocument, ForeignDocument):
        return None


def _open_listed(ring: str, ref: ArchiveRef, found: Versioned | None) -> Archive:
    if found is None or hashlib.sha256(found.draft.data).hexdigest() != ref.sha256:
        raise CorruptDocument(
            f"archive {ref.number} of keyring {ring} is not what authority lists",
            why="it is missing" if found is None else "its SHA-256 differs",
            fix="restore it from a backup; nothing was changed",
        )
    return document.decode_archive(ring, found.draft.data)


def _records(keyring: Keyring, limits: Limits) -> tuple[KeyRecord, ...]:
    """Return the older half of the tombstones, if there are too many."""
    kept = KeptHistory.of(keyring, limits).tombstones
    tombs = sorted((r for r in keyring.records if r.is_tombstone), key=lambda r: (r.removed or 0, r.kid))
    return tuple(tombs[: len(tombs) - kept // 2]) if len(tombs) > kept else ()


def _entries(keyring: Keyring, limits: Limits) -> int:
    """Return how many entries leave: down to half of what is kept, once there are too many."""
    kept = KeptHistory.of(keyring, limits).entries
    count = len(keyring.ledger.entries)
    return count - kept // 2 if count > kept else 0

"""The history of a keyring: entries chained by hash, so that a change to the past shows."""

from __future__ import annotations

import hashlib
from typing import Final

import msgspec

from .clock import Instant
from .errors import CorruptDocument

GENESIS: Final = "0" * 64
"""What the first entry of a keyring is chained to."""


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that was done: `hash` is SHA-256 over the hash before it and these fields."""

    seq: int
    at: Instant
    action: str
    hash: str
    kid: str = ""
    detail: str = ""


class Ledger(msgspec.Struct, frozen=True, kw_only=True):
    """The entries still in the document; `base` is the hash of the last one moved to an archive."""

    base: str = GENESIS
    entries: tuple[Entry, ...] = ()
    next_seq: int = 1

    @property
    def head(self) -> str:
        """The hash that the next entry will be chained to."""
        return self.entries[-1].hash if self.entries else self.base

    def append(self, at: Instant, action: str, *, kid: str = "", detail: str = "") -> Ledger:
        """Return the ledger with one more entry."""
        entry = Entry(
            seq=self.next_seq,
            at=at,
            action=action,
            kid=kid,
            detail=detail,
            hash=_hash(self.head, self.next_seq, at, action, kid, detail),
        )
        return Ledger(base=self.base, entries=(*self.entries, entry), next_seq=self.next_seq + 1)

    def without_first(self, count: int) -> Ledger:
        """Return the ledger after its first `count` entries moved out; the chain goes on."""
        if count == 0:
            return self
        return Ledger(base=self.entries[count - 1].hash, entries=self.entries[count:], next_seq=self.next_seq)

    def verify(self) -> None:
        """Raise `CorruptDocument` where an entry does not follow from the one before."""
        check_chain(self.base, self.entries)
        first = self.next_seq - len(self.entries)
        if self.entries and self.entries[0].seq != first:
            raise _broken(self.entries[0].seq)
        if self.base == GENESIS and first != 1:
            # Nothing moved to an archive, so the first entry ever must still be here.
            raise _broken(1)


def check_chain(base: str, entries: tuple[Entry, ...]) -> None:
    """Raise `CorruptDocument` unless `entries` follow one another from the hash `base`."""
    previous, seq = base, entries[0].seq if entries else 0
    for entry in entries:
        expected = _hash(previous, seq, entry.at, entry.action, entry.kid, entry.detail)
        if entry.seq != seq or entry.hash != expected:
            raise _broken(entry.seq)
        previous, seq = entry.hash, seq + 1


def _hash(previous: str, seq: int, at: Instant, *facts: str) -> str:
    line = msgspec.json.encode([previous, seq, at, *facts])
    return hashlib.sha256(line).hexdigest()


def _broken(seq: int) -> CorruptDocument:
    return CorruptDocument(
        f"the ledger's chain is broken at entry {seq}",
        why="an entry was altered, removed or reordered",
        fix="compare with an older copy and restore it, or move the document away and run `recover`",
    )

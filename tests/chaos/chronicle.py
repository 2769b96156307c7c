"""Chronicle: everything the authority of each keyring was ever seen to say, looked at again and again."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from types import TracebackType
from typing import Self
from uuid import UUID

from keyvault_jwt import archiving, document, invariants
from keyvault_jwt.clock import Milliseconds
from keyvault_jwt.demo.acts import SCHEDULED
from keyvault_jwt.document import Archive
from keyvault_jwt.errors import StoreError
from keyvault_jwt.keyring import Keyring
from keyvault_jwt.keys import KeyRecord
from keyvault_jwt.ledger import Entry
from keyvault_jwt.store import DocumentKind, DocumentName, DocumentStore

_PAUSE = 0.5


class Past:
    """One keyring's past: every commit, entry and kid that was seen, and what contradicts itself."""

    def __init__(self) -> None:
        self.latest: Keyring | None = None
        self.commits: dict[int, UUID] = {}
        self.entries: dict[int, Entry] = {}
        self.kids: set[str] = set()
        self.double: list[str] = []
        self.lost: list[str] = []

    def note(self, keyring: Keyring) -> None:
        """Take in a look at the authority; a later look must continue an earlier one."""
        ring, before = keyring.ring, self.latest
        if before is not None and keyring.revision < before.revision:
            self.lost.append(f"{ring}: revision {before.revision} went back to {keyring.revision}")
        for commit in keyring.lineage:
            first = self.commits.setdefault(commit.revision, commit.write_id)
            if first != commit.write_id:
                self.double.append(f"{ring}: revision {commit.revision} by {first} and {commit.write_id}")
        self._note_entries(ring, keyring.ledger.entries)
        if before is not None:
            self.lost += _walked_back(before, keyring)
        self.kids |= {record.kid for record in keyring.records}
        self.latest = keyring

    def close(self, archives: Sequence[Archive]) -> None:
        """Say what is missing in the end: commits that no look covered, and keys that are nowhere."""
        keyring = self.latest
        assert keyring is not None
        for archive in archives:
            self._note_entries(keyring.ring, archive.entries)
        records = [*keyring.records, *(record for archive in archives for record in archive.records)]
        kept = {record.kid for record in records}
        self.kids |= {entry.kid for entry in self.entries.values() if entry.kid}
        self.lost += [f"{keyring.ring}: key {kid} is nowhere" for kid in sorted(self.kids - kept)]
        self.lost += _unlawful(keyring, records)
        missing = set(range(1, keyring.ledger.next_seq)) - self.entries.keys()
        self.lost += [f"{keyring.ring}: entry {seq} is nowhere" for seq in sorted(missing)]
        unseen = set(range(1, keyring.revision + 1)) - self.commits.keys()
        self.lost += [f"{keyring.ring}: nobody saw revision {number}" for number in sorted(unseen)]
        if keyring.active is None or not keyring.active.can_sign:
            self.lost.append(f"{keyring.ring}: no key signs")

    def rotations(self) -> list[Entry]:
        """Return the promotions that the schedule made, oldest first."""
        found = (self.entries[seq] for seq in sorted(self.entries))
        return [entry for entry in found if entry.action == "promoted" and entry.detail == SCHEDULED]

    def hasty(self, least: Milliseconds) -> list[str]:
        """Return each rotation that came sooner after another than the schedule has it: it was done twice."""
        return [
            f"{one.kid} and {other.kid} were promoted {other.at - one.at} ms apart"
            for one, other in pairwise(self.rotations())
            if other.at - one.at < least
        ]

    def _note_entries(self, ring: str, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if self.entries.setdefault(entry.seq, entry) != entry:
                self.double.append(f"{ring}: entry {entry.seq} was written twice")


class Chronicle:
    """Looks from a thread of its own, through whichever of the stores answers."""

    def __init__(self, stores: Sequence[DocumentStore]) -> None:
        self._stores = list(stores)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="chronicle")
        self.pasts: defaultdict[str, Past] = defaultdict(Past)
        self.failure: Exception | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def end(self) -> None:
        """Look no more."""
        self._ended.set()
        self._thread.join()

    def look(self, ring: str) -> Keyring:
        """Look once; raises what the store raises."""
        found = self._stores[0].read(DocumentName(ring, DocumentKind.AUTHORITY))
        assert found is not None, f"{ring} is gone"
        keyring = document.decode_authority(ring, found.draft.data)
        self.pasts[ring].note(keyring)
        return keyring

    def close(self) -> None:
        """Look for the last time, with the archives; after the thread has ended."""
        for ring, past in self.pasts.items():
            past.close(list(self._archives(self.look(ring))))

    def _archives(self, keyring: Keyring) -> Iterator[Archive]:
        for ref in keyring.archives:
            name = DocumentName(keyring.ring, DocumentKind.ARCHIVE, ref.number)
            opened = archiving.opened(keyring.ring, ref, self._stores[0].read(name))
            assert opened is not None
            yield opened

    def _run(self) -> None:
        while not self._ended.wait(_PAUSE):
            for ring in list(self.pasts):
                try:
                    self.look(ring)
                except StoreError:
                    self._stores.append(self._stores.pop(0))  # another node may be up
                except Exception as error:  # whatever it is, somebody must be told
                    self.failure = error


def _walked_back(before: Keyring, after: Keyring) -> Iterator[str]:
    """Yield each key that is now another, or in an earlier state, than when it was last seen."""
    now = {record.kid: record for record in after.records}
    for old in before.records:
        new = now.get(old.kid, old)
        if new.fingerprint != old.fingerprint or new.state.retirement < old.state.retirement:
            yield f"{after.ring}: key {old.kid} went from {old.state} back to {new.state}"


def _unlawful(keyring: Keyring, records: Iterable[KeyRecord]) -> Iterator[str]:
    """Yield each key that signed before all could know it, or went while a token could need it."""
    for record in records:
        checks = []
        if record.activated is not None and not record.founding:
            checks.append(invariants.lead(keyring, record, record.activated, 0))
        if record.destroyed is not None and record.compromised is None:
            checks.append(invariants.retire(keyring, record, record.destroyed, 0))
        for check in checks:
            if not check.holds:
                yield f"{keyring.ring}: {record.kid} has {check.left}, not {check.formula} {check.right}"

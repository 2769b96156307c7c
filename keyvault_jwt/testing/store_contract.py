"""The conformance suite of `DocumentStore`: every promise of its docstrings, as a test.

    class TestMyStore(StoreContract):
        @pytest.fixture
        def store(self):
            with MyStore(...) as store:
                yield store

A store that other processes can reach also takes `SharedStoreContract`, and one with roles
`StoreRolesContract`.  Each test uses a keyring name of its own, so that one server may serve all.
"""

from __future__ import annotations

import json
import threading
import time
from functools import partial
from uuid import uuid4

import pytest

from ..errors import BadRingName, Conflict, DocumentTooLarge, StoreTimeout
from ..store import DocumentKind, DocumentName, DocumentStore, Draft, Version, limits_of, staleness_of
from .contract_steps import at_once, draft, read_at, settled, won
from .uncertain_store import UncertainStore

CONTENTS = {
    "empty": b"",
    "nul": b"\x00",
    "every-byte": bytes(range(256)),
    "not-utf8": b'{"name": "\xff\xfe"}',
    "json": b'{"revision":1,"write_id":"00000000-0000-4000-8000-000000000000"}',
    "spaced-json": b' {\r\n\t"revision" : 1e0 } \n\n',
    "json-twice": b"{}{}",
    "trailing-newline": b"text\n",
    "unicode": "ключ \u2028 🔑".encode(),
}


class StoreContract:
    """Subclass it, give it a `store` fixture, and pytest runs the suite."""

    writers = 8
    """How many threads write at once where the tests let writers race."""
    patience = 60.0
    """How many seconds a race may go on before the store counts as stuck."""

    @pytest.fixture
    def store(self) -> DocumentStore:
        """The store under test, ready to be written to: for the subclass to define."""
        raise NotImplementedError("define a fixture named `store` that returns your store")

    @pytest.fixture
    def ring(self) -> str:
        """A keyring name that nothing else uses."""
        return f"contract-{uuid4().hex[:16]}"

    @pytest.fixture
    def name(self, ring: str) -> DocumentName:
        """A private document's name."""
        return DocumentName(ring, DocumentKind.AUTHORITY)

    @pytest.mark.parametrize("kind", DocumentKind)
    def test_absent_document_reads_as_none(self, store: DocumentStore, ring: str, kind: DocumentKind) -> None:
        """A document that was never written is None, of whatever kind: no error, no empty document."""
        seen = store.read(DocumentName(ring, kind))
        assert seen is None, f"a {kind} document that was never written reads as {seen}"

    @pytest.mark.parametrize("kind", DocumentKind)
    @pytest.mark.parametrize("data", CONTENTS.values(), ids=CONTENTS)
    def test_bytes_come_back_exactly(
        self, store: DocumentStore, ring: str, kind: DocumentKind, data: bytes
    ) -> None:
        """Bytes, revision and write_id come back as they went in, whatever the bytes."""
        name, given = DocumentName(ring, kind), draft(data, revision=41)
        kept = read_at(store, name, store.replace(name, given, expected=None)).draft
        assert kept.data == given.data, f"{given.data!r} came back as {kept.data!r}"
        assert kept == given, f"{given} came back as {kept}"

    def test_write_answers_with_the_version_that_is_read(
        self, store: DocumentStore, name: DocumentName
    ) -> None:
        """Reads show the version that the last write returned, whatever was read before it."""
        version = None
        assert store.read(name) is None
        for revision in range(1, 4):
            version = store.replace(name, draft(revision=revision), expected=version)
            first, second = read_at(store, name, version), read_at(store, name, version)
            assert first == second, f"two reads without a write between them differ: {first} and {second}"

    @pytest.mark.parametrize("kind", [DocumentKind.AUTHORITY, DocumentKind.PUBLIC])
    def test_every_write_has_a_version_of_its_own(
        self, store: DocumentStore, ring: str, kind: DocumentKind
    ) -> None:
        """Even the same draft written again is a new version, so that no old read matches it."""
        name, version = DocumentName(ring, kind), None
        same = draft(json.dumps({"revision": 1, "write_id": str(uuid4())}).encode())
        versions: list[Version] = []
        for _ in range(5):
            version = store.replace(name, same, expected=version)
            versions.append(version)
        assert len(set(versions)) == 5, f"5 writes of the same draft share versions: {versions}"

    def test_create_only_once(self, store: DocumentStore, name: DocumentName) -> None:
        """`expected=None` creates, and is a `Conflict` when the document is there; it stays as it was."""
        first = draft(b"first")
        version = store.replace(name, first, expected=None)
        with pytest.raises(Conflict):
            store.replace(name, draft(b"second"), expected=None)
        assert read_at(store, name, version).draft == first, "a refused creation replaced the document"

    def test_stale_expected_is_refused(self, store: DocumentStore, name: DocumentName) -> None:
        """A write that expects an older version is a `Conflict` and changes nothing."""
        old = store.replace(name, draft(b"one"), expected=None)
        newest = draft(b"two", revision=2)
        version = store.replace(name, newest, expected=old)
        with pytest.raises(Conflict):
            store.replace(name, draft(b"late", revision=2), expected=old)
        assert read_at(store, name, version).draft == newest, "a stale write replaced the document"

    @pytest.mark.parametrize("kind", [DocumentKind.AUTHORITY, DocumentKind.PUBLIC])
    def test_stale_expected_is_refused_when_bytes_return(
        self, store: DocumentStore, ring: str, kind: DocumentKind
    ) -> None:
        """A document that went from A to B and back to A still refuses what was decided on the first A."""
        name = DocumentName(ring, kind)
        first, other = draft(b'{"is":"A"}'), draft(b'{"is":"B"}', revision=2)
        seen = store.replace(name, first, expected=None)
        between = store.replace(name, other, expected=seen)
        store.replace(name, first, expected=between)
        with pytest.raises(Conflict):
            store.replace(name, draft(b"decided on the first A"), expected=seen)

    def test_expected_of_an_absent_document_is_refused(
        self, store: DocumentStore, ring: str, name: DocumentName
    ) -> None:
        """A write that expects some version of a document that is not there is a `Conflict`."""
        elsewhere = store.replace(DocumentName(ring, DocumentKind.SIGNING), draft(), expected=None)
        with pytest.raises(Conflict):
            store.replace(name, draft(), expected=elsewhere)
        assert store.read(name) is None, "a refused write created the document"

    def test_one_of_many_creators_wins(self, store: DocumentStore, name: DocumentName) -> None:
        """Of N writers that create at once one wins, and its document is the one that stays."""
        drafts = [draft(b"writer %d" % number) for number in range(self.writers)]
        self._one_wins(store, name, drafts, expected=None)

    def test_one_of_many_replacers_wins(self, store: DocumentStore, name: DocumentName) -> None:
        """Of N writers that replace the same version at once one wins, again and again."""
        version = store.replace(name, draft(), expected=None)
        for revision in range(2, 6):
            drafts = [draft(b"writer %d" % number, revision) for number in range(self.writers)]
            version = self._one_wins(store, name, drafts, expected=version)

    def _one_wins(
        self, store: DocumentStore, name: DocumentName, drafts: list[Draft], expected: Version | None
    ) -> Version:
        start = threading.Barrier(len(drafts))

        def write(mine: Draft) -> Version | None:
            start.wait()
            return won(store, name, mine, expected)

        results = at_once([partial(write, mine) for mine in drafts])
        winners = [(mine, version) for mine, version in zip(drafts, results, strict=True) if version]
        assert len(winners) == 1, f"{len(winners)} of {len(drafts)} writers expecting {expected} won"
        mine, version = winners[0]
        assert read_at(store, name, version).draft == mine, "the document is not the winner's"
        return version

    def test_lost_answer_of_a_write_that_landed(self, store: DocumentStore, name: DocumentName) -> None:
        """After a lost answer a read shows our write_id, and sending it again is a `Conflict`."""
        uncertain, mine = UncertainStore(store), draft(b"mine", revision=2)
        before = store.replace(name, draft(), expected=None)
        uncertain.lose(landed=True)
        with pytest.raises(StoreTimeout):
            uncertain.replace(name, mine, expected=before)
        seen = settled(store, lambda: store.read(name), lambda it: it is not None and it.draft == mine)
        assert seen is not None, "the document is gone after a write whose answer was lost"
        assert seen.draft.write_id == mine.write_id, "a landed write does not show in a read"
        with pytest.raises(Conflict):
            uncertain.replace(name, mine, expected=before)

    def test_lost_answer_of_a_write_that_did_not_land(self, store: DocumentStore, name: DocumentName) -> None:
        """After a write that never arrived a read shows the old document, and sending it again wins."""
        uncertain, mine = UncertainStore(store), draft(b"mine", revision=2)
        before = store.replace(name, draft(), expected=None)
        uncertain.lose(landed=False)
        with pytest.raises(StoreTimeout):
            uncertain.replace(name, mine, expected=before)
        assert read_at(store, name, before).version == before
        version = uncertain.replace(name, mine, expected=before)
        assert read_at(store, name, version).draft == mine

    def test_derived_document_never_goes_back(self, store: DocumentStore, ring: str) -> None:
        """Writers that each write only over a lower revision, by the same read, leave the highest."""
        name, highest = DocumentName(ring, DocumentKind.PUBLIC), 3 * self.writers
        watched: list[int] = []
        done = threading.Event()

        def publish(revision: int) -> None:
            deadline = time.monotonic() + self.patience
            while time.monotonic() < deadline:
                seen = store.read(name)
                if seen is not None and seen.draft.revision >= revision:
                    return
                if won(store, name, draft(b'{"public":true}', revision), seen.version if seen else None):
                    return
            pytest.fail(f"a writer of revision {revision} met nothing but Conflict for {self.patience} s")

        def watch() -> None:
            while not done.is_set():
                seen = store.read(name)
                watched.append(0 if seen is None else seen.draft.revision)

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            for base in (2, 1, 0):
                at_once([partial(publish, 3 * each + 3 - base) for each in reversed(range(self.writers))])
        finally:
            done.set()
            watcher.join()
        last = settled(
            store, lambda: store.read(name), lambda it: it is not None and it.draft.revision == highest
        )
        assert last is not None, "the derived document is absent after it was written"
        assert last.draft.revision == highest, f"revision {last.draft.revision} stayed, not {highest}"
        if staleness_of(store) == 0:
            assert watched == sorted(watched), f"a reader saw revisions go back: {watched}"

    def test_large_document_up_to_the_limit(self, store: DocumentStore, name: DocumentName) -> None:
        """A document of exactly the store's declared limit is kept."""
        limit = limits_of(store).document_bytes
        large = draft(bytes(range(251)) * (limit // 251) + b"x" * (limit % 251))
        kept = read_at(store, name, store.replace(name, large, expected=None))
        assert kept.draft == large, f"{limit} bytes came back as other {len(kept.draft.data)} bytes"

    @pytest.mark.parametrize("kind", [DocumentKind.AUTHORITY, DocumentKind.PUBLIC])
    def test_document_over_the_limit_is_refused(
        self, store: DocumentStore, ring: str, kind: DocumentKind
    ) -> None:
        """One byte more than the limit is `DocumentTooLarge`, and what was there stays."""
        name, small = DocumentName(ring, kind), draft(b"small")
        version = store.replace(name, small, expected=None)
        with pytest.raises(DocumentTooLarge):
            store.replace(name, draft(bytes(limits_of(store).document_bytes + 1), 2), expected=version)
        assert read_at(store, name, version).draft == small, "a refused document replaced the one there"

    def test_documents_are_independent_and_listed(self, store: DocumentStore, ring: str) -> None:
        """Each document of each keyring is its own, also where names are close, and all are listed."""
        rings = [ring, f"{ring}.json", f"{ring}-0", f"{ring}.public", f"{ring}_", ring.ljust(63, "z")]
        names = [DocumentName(each, kind) for each in rings for kind in DocumentKind]
        names += [DocumentName(ring, DocumentKind.ARCHIVE, number) for number in (1, 2, 10)]
        given = {name: draft(str(name).encode()) for name in names}
        versions = {name: store.replace(name, given[name], expected=None) for name in names}
        for name in names:
            seen = read_at(store, name, versions[name]).draft
            assert seen == given[name], f"{name} holds {seen.data!r}"

        def missing() -> set[DocumentName]:
            return set(names) - set(store.names())

        absent = settled(store, missing, lambda left: not left)
        assert not absent, f"not listed: {sorted(map(str, absent))}"

    def test_refused_write_is_not_listed(self, store: DocumentStore, name: DocumentName) -> None:
        """A write that failed leaves no name behind."""
        with pytest.raises(DocumentTooLarge):
            store.replace(name, draft(bytes(limits_of(store).document_bytes + 1)), expected=None)
        assert name not in set(store.names()), "a document that was never kept is listed"

    @pytest.mark.parametrize(
        "bad", ["", ".", "..", "a..b", "../a", "a/b", "A", "a b", "-a", ".a", "a" * 64, "a\n", "é"]
    )
    def test_names_that_would_leave_their_place_are_refused(self, store: DocumentStore, bad: str) -> None:
        """No name that could escape its path, or collide when letters are folded, reaches a store."""
        with pytest.raises(BadRingName):
            store.read(DocumentName(bad, DocumentKind.PUBLIC))

"""The conformance suite of a store that grants each role only its own documents."""

from __future__ import annotations

from uuid import uuid4

import pytest

from ..errors import StoreDenied
from ..store import DocumentKind, DocumentName, DocumentStore
from .contract_steps import draft, read_at

_PRIVATE = [kind for kind in DocumentKind if kind.is_private]


class StoreRolesContract:
    """Give it three views of one store: `owner`, `signer` and `publisher`."""

    @pytest.fixture
    def owner(self) -> DocumentStore:
        """The store as the rotator sees it: for the subclass to define."""
        raise NotImplementedError("define a fixture named `owner`")

    @pytest.fixture
    def signer(self) -> DocumentStore:
        """The store as one who may read `signing` sees it: for the subclass to define."""
        raise NotImplementedError("define a fixture named `signer`")

    @pytest.fixture
    def publisher(self) -> DocumentStore:
        """The store as one who may read `public` sees it: for the subclass to define."""
        raise NotImplementedError("define a fixture named `publisher`")

    @pytest.fixture
    def ring(self, owner: DocumentStore) -> str:
        """A keyring with every kind of document."""
        ring = f"roles-{uuid4().hex[:16]}"
        for kind in DocumentKind:
            owner.replace(DocumentName(ring, kind), draft(), expected=None)
        return ring

    def test_publisher_reads_public(self, publisher: DocumentStore, ring: str) -> None:
        """The publisher may read what is public."""
        assert publisher.read(DocumentName(ring, DocumentKind.PUBLIC)) is not None

    def test_signer_reads_signing(self, signer: DocumentStore, ring: str) -> None:
        """The signer may read the active private half."""
        assert signer.read(DocumentName(ring, DocumentKind.SIGNING)) is not None

    @pytest.mark.parametrize("kind", _PRIVATE)
    def test_publisher_reads_nothing_private(
        self, publisher: DocumentStore, ring: str, kind: DocumentKind
    ) -> None:
        """Whatever holds key material is `StoreDenied` to the publisher, never absent."""
        with pytest.raises(StoreDenied):
            publisher.read(DocumentName(ring, kind))

    @pytest.mark.parametrize("kind", [DocumentKind.AUTHORITY, DocumentKind.ARCHIVE])
    def test_signer_reads_no_standby(self, signer: DocumentStore, ring: str, kind: DocumentKind) -> None:
        """The documents with standby keys and tombstones are `StoreDenied` to the signer."""
        with pytest.raises(StoreDenied):
            signer.read(DocumentName(ring, kind))

    @pytest.mark.parametrize("kind", DocumentKind)
    @pytest.mark.parametrize("role", ["signer", "publisher"])
    def test_readers_write_nothing(
        self, request: pytest.FixtureRequest, owner: DocumentStore, ring: str, role: str, kind: DocumentKind
    ) -> None:
        """Neither reader may replace any document, even one that it may read."""
        reader: DocumentStore = request.getfixturevalue(role)
        name = DocumentName(ring, kind)
        before = owner.read(name)
        assert before is not None
        with pytest.raises(StoreDenied):
            reader.replace(name, draft(b"not theirs", 2), expected=before.version)
        assert read_at(owner, name, before.version) == before, f"a {role} replaced {name}"

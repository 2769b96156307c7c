"""Documents: the same bytes for the same keyring, whole or refused, and each role shown only its own."""

from __future__ import annotations

from uuid import UUID

import msgspec
import pytest

from keyvault_jwt import base64url, document
from keyvault_jwt.document import PUBLIC_EVENTS, PublicDocument, SigningDocument, VerificationDocument
from keyvault_jwt.errors import CorruptDocument, DocumentError, ForeignDocument
from keyvault_jwt.frame import encode
from keyvault_jwt.keyring import Commit, Keyring
from keyvault_jwt.keys import KeyState
from keyvault_jwt.store import DocumentKind, DocumentName
from tests.model.model_store import RING
from tests.model.scenes import active, ready, rotated
from tests.model.world import World


@pytest.fixture(params=["Ed25519", "HS256"])
def world(request: pytest.FixtureRequest) -> World:
    """A keyring in its middle age: a key in every living state."""
    return rotated(request.param)


def derived(kind: DocumentKind, ring: Keyring) -> document.Derived:
    """Return a derived document as its reader gets it."""
    name = DocumentName(RING, kind)
    return document.decode_derived(name, document.derived_draft(kind, document.derive(kind, ring)).data)


def secrets_of(ring: Keyring, *, but: str = "") -> list[bytes]:
    """Return every private half, as it would stand in a document."""
    halves = [record.private for record in ring.records if record.private and record.kid != but]
    return [
        spelt
        for half in halves
        for spelt in (msgspec.json.encode(half)[1:-1], base64url.encode(half).encode())
    ]


def test_a_keyring_comes_back_whole(world: World) -> None:
    """What the authority holds reads back equal, private halves, stamps and policy included."""
    data = document.authority_draft(world.keyring).data
    assert document.decode_authority(RING, data) == world.keyring
    assert document.authority_draft(document.decode_authority(RING, data)).data == data


def test_derived_documents_are_functions_of_the_keyring(world: World) -> None:
    """The same revision derives the same bytes, and they read back as what was derived."""
    for kind in document.derived_kinds(world.keyring):
        wanted = document.derive(kind, world.keyring)
        assert derived(kind, world.keyring) == wanted
        assert document.derived_draft(kind, wanted) == document.derived_draft(
            kind,
            document.derive(
                kind, document.decode_authority(RING, document.authority_draft(world.keyring).data)
            ),
        )


def test_the_signing_document_holds_one_private_half() -> None:
    """A leaked signer exposes the active key and no standby."""
    ring = ready().keyring
    signing = document.derived_draft(DocumentKind.SIGNING, document.derive(DocumentKind.SIGNING, ring)).data
    assert not any(secret in signing for secret in secrets_of(ring, but=active(ready())))
    there = derived(DocumentKind.SIGNING, ring)
    assert isinstance(there, SigningDocument)
    assert there.key is not None
    assert (there.key.kid, there.token_ttl, there.lease, there.poll) == (active(ready()), 2000, 1500, 200)


def test_public_holds_no_private_half(world: World) -> None:
    """Neither a private half nor a symmetric key's fingerprint is in what anyone may read."""
    ring = world.keyring
    public = document.derived_draft(DocumentKind.PUBLIC, document.derive(DocumentKind.PUBLIC, ring)).data
    assert not any(secret in public for secret in secrets_of(ring))
    prints = [record.fingerprint.encode() for record in ring.records if record.symmetric]
    assert not any(print_ in public for print_ in prints)


def test_public_shows_living_keys_the_signing_one_first() -> None:
    """Standbys, the signing and the verify-only keys are published; revoked and destroyed ones are not."""
    ring = rotated().keyring
    revoked = next(r.kid for r in ring.records if r.state is KeyState.DEACTIVATED)
    ring = ring.revoked(revoked, 1, reason="leaked")
    public = derived(DocumentKind.PUBLIC, ring)
    assert isinstance(public, PublicDocument)
    assert public.kids == {r.kid for r in ring.records if r.state.published}
    assert public.keys[0]["kid"] == active(rotated())
    assert {r.kid for r in public.records} == {r.kid for r in ring.records}
    assert all(record.private is None and record.public is None for record in public.records)


def test_verification_shows_the_secrets_of_living_keys() -> None:
    """`oct` JWKs for the verifiers of a symmetric keyring, none of a destroyed key."""
    ring = rotated("HS256").keyring
    there = derived(DocumentKind.VERIFICATION, ring)
    assert isinstance(there, VerificationDocument)
    assert there.kids == {r.kid for r in ring.records if r.state.published}
    halves = {r.kid: r.private for r in ring.records}
    assert all(base64url.decode(key["k"]) == halves[key["kid"]] for key in there.keys)
    public = derived(DocumentKind.PUBLIC, ring)
    assert isinstance(public, PublicDocument)
    assert public.keys == ()


def test_public_shows_late_events_on_their_chain() -> None:
    """At most 32 of the latest entries, with the hash that the first of them is chained to."""
    ring = ready().keyring
    for number in range(PUBLIC_EVENTS * 2):
        ring = ring.told(number, "noted")
    public = derived(DocumentKind.PUBLIC, ring)
    assert isinstance(public, PublicDocument)
    assert public.events == ring.ledger.entries[-PUBLIC_EVENTS:]
    assert public.events_base == ring.ledger.entries[-PUBLIC_EVENTS - 1].hash
    forged = msgspec.structs.replace(public, events_base="0" * 64)
    with pytest.raises(CorruptDocument, match="chain"):
        document.decode_public(RING, document.derived_draft(DocumentKind.PUBLIC, forged).data)


def test_a_keyring_without_active_key_derives_none() -> None:
    """Where nothing may sign the signing document says so."""
    ring = ready().keyring.revoked(active(ready()), 1, reason="leaked")
    there = derived(DocumentKind.SIGNING, ring)
    assert isinstance(there, SigningDocument)
    assert there.key is None


def test_documents_of_one_kind_are_no_other() -> None:
    """A document read from another kind's or keyring's place is foreign."""
    ring = ready().keyring
    authority = document.authority_draft(ring).data
    with pytest.raises(ForeignDocument):
        document.decode_signing(RING, authority)
    with pytest.raises(ForeignDocument):
        document.decode_authority("another", authority)
    with pytest.raises(ForeignDocument):
        document.decode_archive(RING, authority)


@pytest.mark.parametrize(
    "forged",
    [
        lambda ring: ring.replaced(lineage=()),
        lambda ring: ring.replaced(write_id=UUID(int=5)),
        lambda ring: ring.replaced(revision=ring.revision + 1),
        lambda ring: ring.replaced(lineage=(*ring.lineage, Commit(99, UUID(int=99)))),
    ],
    ids=["no lineage", "another write", "another revision", "a later commit"],
)
def test_an_authority_must_be_the_last_of_its_lineage(forged: object) -> None:
    """Even with a right digest, a revision that its own lineage denies is refused."""
    ring = forged(ready().keyring)  # type: ignore[operator]
    with pytest.raises(CorruptDocument, match="lineage"):
        document.decode_authority(RING, document.authority_draft(ring).data)


def test_a_broken_chain_is_refused_though_the_digest_is_right() -> None:
    """Who rewrites history must rewrite all of it: the ledger is checked at every read."""
    ring = ready().keyring
    entries = ring.ledger.entries
    altered = msgspec.structs.replace(entries[3], detail="nothing happened")
    ledger = msgspec.structs.replace(ring.ledger, entries=(*entries[:3], altered, *entries[4:]))
    with pytest.raises(CorruptDocument, match=f"entry {altered.seq}"):
        document.decode_authority(RING, document.authority_draft(ring.replaced(ledger=ledger)).data)


@pytest.mark.parametrize("kind", [DocumentKind.AUTHORITY, *document.derived_kinds(ready("HS256").keyring)])
def test_a_cut_or_flipped_document_is_refused(kind: DocumentKind) -> None:
    """At every 97th place: a cut, a flipped bit, a doubled tail; always a document error, never a crash."""
    ring = ready("HS256").keyring
    drafts = {DocumentKind.AUTHORITY: document.authority_draft(ring)}
    data = (drafts.get(kind) or document.derived_draft(kind, document.derive(kind, ring))).data
    name = DocumentName(RING, kind)

    def read(altered: bytes) -> object:
        if kind is DocumentKind.AUTHORITY:
            return document.decode_authority(RING, altered)
        return document.decode_derived(name, altered)

    read(data)
    for at in range(0, len(data), 97):
        flipped = bytes([*data[:at], data[at] ^ 1, *data[at + 1 :]])
        for altered in (data[:at], flipped, data + data[at:]):
            with pytest.raises(DocumentError) as broken:
                read(altered)
            assert not any(secret.decode() in str(broken.value) for secret in secrets_of(ring))


def test_an_archive_is_chained_too() -> None:
    """An archive whose entries don't follow one another is refused."""
    ring = ready().keyring
    draft = document.archive_draft(ring, 1, (), 5)
    archive = document.decode_archive(RING, draft.data)
    assert archive.entries == ring.ledger.entries[:5]
    forged = msgspec.structs.replace(archive, entries=archive.entries[1:])
    with pytest.raises(CorruptDocument):
        document.decode_archive(RING, encode(DocumentKind.ARCHIVE, forged))


def test_nothing_private_shows_in_a_repr(world: World) -> None:
    """No derived document tells a private half in its repr."""
    for kind in document.derived_kinds(world.keyring):
        shown = repr(document.derive(kind, world.keyring))
        for record in world.keyring.records:
            if record.private:
                assert repr(record.private)[2:12] not in shown
                assert base64url.encode(record.private)[:12] not in shown

"""A keyring's documents as bytes: framed, versioned, checked, and derived from one committed revision.

Every document is one JSON object that says its format, schema, kind, ring, epoch, revision and
write, and ends with the SHA-256 of all bytes before it.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import msgspec

from . import frame, jwk, jwks
from .clock import Milliseconds
from .duration import milliseconds
from .jwk import Secret
from .keyring import Commit, Keyring
from .keys import KeyRecord, KeyState
from .ledger import Entry, check_chain
from .policy import RotationPolicy
from .store import DocumentKind, DocumentName, Draft

PUBLIC_EVENTS: Final = 32
"""How many of the latest ledger entries `public` shows."""


class ActiveHalf(msgspec.Struct, frozen=True, kw_only=True):
    """The active key's private half (PKCS #8 DER or raw secret), or the remote signer's reference."""

    kid: str
    algorithm: str
    private: bytes | None = None
    reference: str | None = None
    public: dict[str, str] | None = None

    def __repr__(self) -> str:
        return f"ActiveHalf({self.kid!r}, {self.algorithm}, private=<redacted>)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("kid", self.kid), ("algorithm", self.algorithm)]

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("a private key is not pickled")


class SigningDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What a signer may know; `key` is None while nothing may sign.  Durations in milliseconds.

    `ledger_head` keeps a state that comes back (a rollback) from reading as the one before it.
    """

    ring: str
    epoch: int
    revision: int
    write_id: UUID
    lineage: tuple[Commit, ...]
    issuer: str
    ledger_head: str
    token_ttl: Milliseconds
    lease: Milliseconds
    poll: Milliseconds
    key: ActiveHalf | None


class PublicDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What anyone may know: the JWKS, the policy, the record without private halves, late events."""

    ring: str
    epoch: int
    revision: int
    write_id: UUID
    lineage: tuple[Commit, ...]
    issuer: str
    policy: RotationPolicy
    jwks: dict[str, tuple[dict[str, str], ...]]
    records: tuple[KeyRecord, ...]
    events_base: str
    events: tuple[Entry, ...]

    @property
    def keys(self) -> tuple[dict[str, str], ...]:
        """The published JWKs, the signing one first."""
        return self.jwks["keys"]

    @property
    def kids(self) -> frozenset[str]:
        """The kids of the published keys."""
        return frozenset(key["kid"] for key in self.keys)


class VerificationDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The secrets that verify a symmetric keyring's tokens, as `oct` JWKs; never served over HTTP.

    `ledger_head` as in `SigningDocument`; `revoked` are the kids never to be accepted again.
    """

    ring: str
    epoch: int
    revision: int
    write_id: UUID
    lineage: tuple[Commit, ...]
    issuer: str
    ledger_head: str
    policy: RotationPolicy
    keys: tuple[dict[str, str], ...]
    revoked: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"VerificationDocument({self.ring!r}, revision={self.revision}, kids={sorted(self.kids)})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("ring", self.ring), ("revision", self.revision), ("kids", sorted(self.kids))]

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("a secret is not pickled")

    @property
    def kids(self) -> frozenset[str]:
        """The kids of the keys it holds."""
        return frozenset(key["kid"] for key in self.keys)


class Archive(msgspec.Struct, frozen=True, kw_only=True):
    """Tombstones and the ledger entries that left `authority`; `base` is the hash before the first."""

    ring: str
    epoch: int
    revision: int
    write_id: UUID
    number: int
    records: tuple[KeyRecord, ...]
    base: str
    entries: tuple[Entry, ...]


# Made here, at import: see msgspec in docs/dependencies.md.
_KEYRING: Final = msgspec.json.Decoder(Keyring, dec_hook=frame.decode_policy)
_ARCHIVE: Final = msgspec.json.Decoder(Archive)
_SIGNING: Final = msgspec.json.Decoder(SigningDocument)
_PUBLIC: Final = msgspec.json.Decoder(PublicDocument, dec_hook=frame.decode_policy)
_VERIFICATION: Final = msgspec.json.Decoder(VerificationDocument, dec_hook=frame.decode_policy)

Derived = SigningDocument | PublicDocument | VerificationDocument


# --- authority and archives ------------------------------------------------------------------


def authority_draft(keyring: Keyring) -> Draft:
    """Return the `authority` document of a committed keyring."""
    return _draft(DocumentKind.AUTHORITY, keyring)


def decode_authority(ring: str, data: bytes) -> Keyring:
    """Return the keyring that the bytes hold, its ledger's chain checked.

    Raises `CorruptDocument`, `ForeignDocument` or `NewerSchema`.
    """
    keyring = frame.decode(DocumentKind.AUTHORITY, ring, data, _KEYRING)
    keyring.ledger.verify()
    if not keyring.lineage or keyring.lineage[-1] != Commit(keyring.revision, keyring.write_id):
        raise frame.corrupt(ring, DocumentKind.AUTHORITY, "its revision is not the last of its lineage")
    return keyring


def archive_draft(keyring: Keyring, number: int, records: tuple[KeyRecord, ...], entries: int) -> Draft:
    """Return archive `number`: some tombstones and the first `entries` entries of the ledger."""
    archive = Archive(
        ring=keyring.ring,
        epoch=keyring.epoch,
        revision=keyring.revision,
        write_id=keyring.write_id,
        number=number,
        records=records,
        base=keyring.ledger.base,
        entries=keyring.ledger.entries[:entries],
    )
    return _draft(DocumentKind.ARCHIVE, archive)


def decode_archive(ring: str, data: bytes) -> Archive:
    """Return the archive that the bytes hold; raises as `decode_authority`."""
    archive = frame.decode(DocumentKind.ARCHIVE, ring, data, _ARCHIVE)
    check_chain(archive.base, archive.entries)
    return archive


# --- derived documents -----------------------------------------------------------------------


def derived_kinds(keyring: Keyring | None) -> tuple[DocumentKind, ...]:
    """Return the documents derived from a keyring, in the order in which they are written.

    What verifiers read goes first: a key must be known before it signs, and a revocation is
    most urgent there.  Without a keyring, all that an older one may have left.
    """
    if keyring is None or keyring.symmetric:
        return (DocumentKind.VERIFICATION, DocumentKind.PUBLIC, DocumentKind.SIGNING)
    return (DocumentKind.PUBLIC, DocumentKind.SIGNING)


def derive(kind: DocumentKind, keyring: Keyring) -> Derived:
    """Return what `kind` must say at the keyring's committed revision: a pure function of it."""
    if kind is DocumentKind.SIGNING:
        return _signing(keyring)
    return _public(keyring) if kind is DocumentKind.PUBLIC else _verification(keyring)


def derived_draft(kind: DocumentKind, document: Derived) -> Draft:
    """Return a derived document's bytes, under the authority write it was derived from."""
    return _draft(kind, document)


def decode_signing(ring: str, data: bytes) -> SigningDocument:
    """Return the `signing` document; raises as `decode_authority`."""
    return frame.decode(DocumentKind.SIGNING, ring, data, _SIGNING)


def decode_public(ring: str, data: bytes) -> PublicDocument:
    """Return the `public` document; raises as `decode_authority`."""
    public = frame.decode(DocumentKind.PUBLIC, ring, data, _PUBLIC)
    check_chain(public.events_base, public.events)
    return public


def decode_verification(ring: str, data: bytes) -> VerificationDocument:
    """Return the `verification` document; raises as `decode_authority`."""
    return frame.decode(DocumentKind.VERIFICATION, ring, data, _VERIFICATION)


def decode_derived(name: DocumentName, data: bytes) -> Derived:
    """Return the derived document of that name; raises as `decode_authority`."""
    if name.kind is DocumentKind.SIGNING:
        return decode_signing(name.ring, data)
    if name.kind is DocumentKind.PUBLIC:
        return decode_public(name.ring, data)
    return decode_verification(name.ring, data)


def says_the_same(one: Derived, other: Derived) -> bool:
    """Whether two derived documents differ at most in where they stand in history.

    Then nothing that verifiers or signers use was changed between them: the ledger is part of
    what they say, so a state that only came back does not pass for the same.
    """
    return _without_head(one) == _without_head(other)


def _without_head(document: Derived) -> Derived:
    return msgspec.structs.replace(document, epoch=0, revision=0, write_id=UUID(int=0), lineage=())


def _head(keyring: Keyring) -> dict[str, Any]:
    return {
        "ring": keyring.ring,
        "epoch": keyring.epoch,
        "revision": keyring.revision,
        "write_id": keyring.write_id,
        "lineage": keyring.lineage,
        "issuer": keyring.issuer,
    }


def _signing(keyring: Keyring) -> SigningDocument:
    active, timing = keyring.active, keyring.policy.timing(0)
    key = None
    if active is not None:
        key = ActiveHalf(
            kid=active.kid,
            algorithm=active.algorithm,
            private=active.private,
            reference=active.reference,
            public=active.public,
        )
    return SigningDocument(
        **_head(keyring),
        ledger_head=keyring.ledger.head,
        token_ttl=timing.token_ttl,
        lease=timing.signer_lease,
        poll=milliseconds(keyring.policy.signer_poll),
        key=key,
    )


def _public(keyring: Keyring) -> PublicDocument:
    keys = tuple(
        jwks.published(record.kid, record.algorithm, record.public)
        for record in _published(keyring)
        if record.public is not None
    )
    latest = keyring.ledger.entries[-PUBLIC_EVENTS:]
    before = keyring.ledger.entries[: -len(latest)] if latest else ()
    return PublicDocument(
        **_head(keyring),
        policy=keyring.policy,
        jwks={"keys": keys},
        records=tuple(record.redacted() for record in keyring.records),
        events_base=before[-1].hash if before else keyring.ledger.base,
        events=latest,
    )


def _verification(keyring: Keyring) -> VerificationDocument:
    keys = tuple(
        {
            **jwk.secret_members(Secret(record.private)),
            "kid": record.kid,
            "alg": record.algorithm,
            "use": "sig",
        }
        for record in _published(keyring)
        if record.private is not None
    )
    return VerificationDocument(
        **_head(keyring),
        ledger_head=keyring.ledger.head,
        policy=keyring.policy,
        keys=keys,
        revoked=tuple(record.kid for record in keyring.records if record.compromised is not None),
    )


def _published(keyring: Keyring) -> list[KeyRecord]:
    """Return the keys verifiers may use, the signing one first for readers that take the first."""
    published = [record for record in keyring.records if record.state.published]
    return sorted(published, key=lambda record: record.state is not KeyState.ACTIVE)


def _draft(kind: DocumentKind, document: Keyring | Derived | Archive) -> Draft:
    return Draft(frame.encode(kind, document), document.revision, document.write_id)

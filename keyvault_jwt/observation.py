"""What the derived documents, as read back, prove: the stamps that start clocks (DESIGN section 4)."""

from __future__ import annotations

from collections.abc import Mapping

from .clock import Instant
from .document import Derived, PublicDocument, SigningDocument, VerificationDocument
from .keyring import Keyring
from .keys import KeyRecord, KeyState
from .store import DocumentKind


def observe(keyring: Keyring, read: Mapping[DocumentKind, Derived], now: Instant) -> Keyring:
    """Return the keyring with every fact stamped that the documents in `read` prove.

    A fact that no longer holds (a store restored to an older copy) loses its stamp, and its
    clock starts again when the repair is read back.  Returns the same object if nothing is new.
    """
    kids, signing = _verifiable(keyring, read), read.get(DocumentKind.SIGNING)
    for record in keyring.records:
        if kids is not None:
            keyring = _published(keyring, record, kids, now)
        if isinstance(signing, SigningDocument):
            keyring = _stopped(keyring, record, signing, now)
    public = read.get(DocumentKind.PUBLIC)
    if not isinstance(public, PublicDocument) or public.policy != keyring.policy:
        return keyring
    return keyring.policy_observed(now) if any(s.changed is None for s in keyring.superseded) else keyring


def _verifiable(keyring: Keyring, read: Mapping[DocumentKind, Derived]) -> frozenset[str] | None:
    """Return the kids that verifiers were shown to have; None if their document was not read."""
    kind = DocumentKind.VERIFICATION if keyring.symmetric else DocumentKind.PUBLIC
    document = read.get(kind)
    return document.kids if isinstance(document, PublicDocument | VerificationDocument) else None


def _published(keyring: Keyring, record: KeyRecord, kids: frozenset[str], now: Instant) -> Keyring:
    there = record.kid in kids
    if record.state is KeyState.PRE_ACTIVATION:
        if there is (record.published is None):
            return keyring.stamped(record.kid, published=now if there else None)
    elif record.state is KeyState.COMPROMISED:
        return _withdrawn(keyring, record, "revoked", there=there, now=now)
    elif record.state is KeyState.DESTROYED:
        return _withdrawn(keyring, record, "removed", there=there, now=now)
    return keyring


def _withdrawn(keyring: Keyring, record: KeyRecord, stamp: str, *, there: bool, now: Instant) -> Keyring:
    """Stamp a key read back as gone, and drop its private half with the same write (I10)."""
    if there is (getattr(record, stamp) is None):
        return keyring
    if there:
        return keyring.stamped(record.kid, **{stamp: None})
    gone = keyring.stamped(record.kid, **{stamp: now})
    return gone.private_dropped(record.kid, now) if record.can_sign else gone


def _stopped(keyring: Keyring, record: KeyRecord, signing: SigningDocument, now: Instant) -> Keyring:
    if record.state is not KeyState.DEACTIVATED:
        return keyring
    signs = signing.key is not None and signing.key.kid == record.kid
    if signs is (record.stopped is None):
        return keyring
    return keyring.stamped(record.kid, stopped=None if signs else now)

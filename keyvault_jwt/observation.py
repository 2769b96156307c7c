"""What the derived documents, as read back, prove: the stamps that start clocks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from . import document
from .clock import Instant
from .document import Derived, PublicDocument, SigningDocument, VerificationDocument
from .keyring import Keyring
from .keys import KeyRecord, KeyState
from .policy import RotationPolicy
from .store import DocumentKind


def observe(keyring: Keyring, read: Mapping[DocumentKind, Derived], now: Instant) -> Keyring:
    """Return the keyring with every fact stamped that the documents in `read` prove.

    A document that lags proves nothing for good: a slower pass may still put in its place what
    lies between it and the keyring.  Yet a fact that any document denies (a store restored to
    an older copy) loses its stamp, and its clock starts again when the repair is read back.
    So does an older policy that any document shows: verifiers obey what they were shown last (I8).
    Returns the same object if nothing is new.
    """
    older = _older_policies(keyring, read)
    observed = keyring
    for policy in older:
        observed = observed.policy_shown_again(policy)
    for kind, there in read.items():
        proves = document.says_the_same(there, document.derive(kind, keyring))
        for record in keyring.records:
            for stamp, holds in _facts(keyring, record, there):
                observed = _noted(observed, record, stamp, now if holds else None, proves=proves)
        if (
            proves
            and not older
            and isinstance(there, PublicDocument)
            and any(s.changed is None for s in keyring.superseded)
        ):
            observed = observed.policy_observed(now)
    return observed


def _older_policies(keyring: Keyring, read: Mapping[DocumentKind, Derived]) -> tuple[RotationPolicy, ...]:
    """Return the policies shown to verifiers whose times are not those of the keyring's own."""
    shown = (d.policy for d in read.values() if isinstance(d, PublicDocument | VerificationDocument))
    return tuple(policy for policy in shown if policy.timing(0) != keyring.policy.timing(0))


def _facts(keyring: Keyring, record: KeyRecord, there: Derived) -> Iterator[tuple[str, bool]]:
    """Yield each stamp that the document tells of, and whether the fact holds in it."""
    if isinstance(there, SigningDocument):
        if record.state is KeyState.DEACTIVATED:
            yield "stopped", there.key is None or there.key.kid != record.kid
    elif isinstance(there, VerificationDocument if keyring.symmetric else PublicDocument):
        if record.state is KeyState.PRE_ACTIVATION:
            yield "published", record.kid in there.kids
        elif record.state is KeyState.COMPROMISED:
            yield "revoked", record.kid not in there.kids
        elif record.state is KeyState.DESTROYED:
            yield "removed", record.kid not in there.kids


def _noted(keyring: Keyring, record: KeyRecord, stamp: str, at: Instant | None, *, proves: bool) -> Keyring:
    """Return the keyring with one stamp set or withdrawn; a key read back as gone loses its private half."""
    if (getattr(record, stamp) is None) is (at is None) or (at is not None and not proves):
        return keyring
    noted = keyring.stamped(record.kid, **{stamp: at})
    if at is None or stamp not in {"revoked", "removed"} or not record.can_sign:
        return noted
    return noted.private_dropped(record.kid, at)  # with the same write (I10)

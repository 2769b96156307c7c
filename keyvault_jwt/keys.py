"""KeyRecord: one key's life, with its private half never shown."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Any

import msgspec

from . import jwk
from .algorithms import algorithm_named
from .clock import Instant, Milliseconds
from .key_factory import FreshKey, load_private, public_half


class KeyState(StrEnum):
    """The states of NIST SP 800-57 part 1 that a signing key goes through, in order of retirement."""

    PRE_ACTIVATION = "pre-activation"
    ACTIVE = "active"
    DEACTIVATED = "deactivated"
    COMPROMISED = "compromised"
    DESTROYED = "destroyed"

    @property
    def published(self) -> bool:
        """Whether keys of this state belong in the JWKS."""
        return self in _PUBLISHED

    @property
    def retirement(self) -> int:
        """How far along the one-way road the state is; `recover` takes the furthest seen."""
        return list(KeyState).index(self)

    @property
    def plain(self) -> str:
        """The word people read for it."""
        return _PLAIN[self]


_PUBLISHED = frozenset({KeyState.PRE_ACTIVATION, KeyState.ACTIVE, KeyState.DEACTIVATED})
_PLAIN = {
    KeyState.PRE_ACTIVATION: "standby",
    KeyState.ACTIVE: "signing",
    KeyState.DEACTIVATED: "verify-only",
    KeyState.COMPROMISED: "revoked",
    KeyState.DESTROYED: "gone",
}


class KeyRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One key of a keyring.

    `created`, `activated`, `deactivated`, `compromised` and `destroyed` are the times of the
    writes that said so; `published`, `stopped`, `revoked` and `removed` are stamps of
    *observed* facts, and only these start clocks.  All are milliseconds
    since the Unix epoch.  `token_ttl_max` and `lease_max` are L_max and P_max, only ever raised.
    """

    kid: str
    algorithm: str
    state: KeyState
    fingerprint: str
    created: Instant
    public: dict[str, str] | None = None
    private: bytes | None = None
    reference: str | None = None
    founding: bool = False
    imported: bool = False
    barred: bool = False
    token_ttl_max: Milliseconds = 0
    lease_max: Milliseconds = 0
    published: Instant | None = None
    activated: Instant | None = None
    deactivated: Instant | None = None
    stopped: Instant | None = None
    compromised: Instant | None = None
    revoked: Instant | None = None
    destroyed: Instant | None = None
    removed: Instant | None = None
    reason: str = ""

    def __repr__(self) -> str:
        private = "<redacted>" if self.private else None
        return f"KeyRecord({self.kid!r}, {self.algorithm}, {self.state.value}, private={private})"

    def __rich_repr__(self) -> Any:
        yield "kid", self.kid
        yield "state", self.state.value

    def __reduce__(self) -> str | tuple[Any, ...]:
        if self.private is not None:
            raise TypeError("a private key is not pickled")
        return super().__reduce__()

    @property
    def symmetric(self) -> bool:
        """Whether signing and verifying share one secret."""
        return algorithm_named(self.algorithm).symmetric

    @property
    def can_sign(self) -> bool:
        """Whether a private half is at hand, here or with a remote signer."""
        return self.private is not None or self.reference is not None

    @property
    def is_tombstone(self) -> bool:
        """Whether nothing of the key is left but its name, and that was observed."""
        return self.state is KeyState.DESTROYED and self.removed is not None

    def redacted(self) -> KeyRecord:
        """Return the record as anyone may read it: no private half, no trace of a secret."""
        fingerprint = "" if self.symmetric else self.fingerprint
        return msgspec.structs.replace(
            self, private=None, reference=None, public=None, fingerprint=fingerprint
        )


def new_record(fresh: FreshKey, now: Instant, *, founding: bool = False, imported: bool = False) -> KeyRecord:
    """Return a fresh key's first record, in pre-activation."""
    return KeyRecord(
        kid=fresh.kid,
        algorithm=fresh.algorithm,
        state=KeyState.PRE_ACTIVATION,
        fingerprint=fingerprint(fresh),
        created=now,
        public=fresh.public,
        private=fresh.private,
        reference=fresh.reference,
        founding=founding,
        imported=imported,
    )


def fingerprint(fresh: FreshKey) -> str:
    """Return what identifies the key bytes for I9, and can stay when they are gone.

    The RFC 7638 thumbprint of the public half; of a secret a hash that never leaves the
    private `authority` document.
    """
    if fresh.public is not None:
        return jwk.thumbprint(fresh.public)
    return "secret-" + hashlib.sha256(b"keyvault-jwt fingerprint\0" + (fresh.private or b"")).hexdigest()


def check_halves(fresh: FreshKey) -> None:
    """Raise `KeyMismatch` unless the private half belongs to the public one, `WeakKey` if weak."""
    if fresh.private is None:
        return
    key = public_half(load_private(fresh.algorithm, fresh.private))
    if fresh.public is not None and not isinstance(key, jwk.Secret):
        jwk.require_same(fresh.public, jwk.public_members(key))

"""What documents showed, and for how long it counts: the witness's own arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

from keyvault_jwt import document
from keyvault_jwt.clock import Instant, Milliseconds
from keyvault_jwt.keyring import Keyring
from keyvault_jwt.policy import RotationPolicy
from keyvault_jwt.store import DocumentName


@lru_cache(maxsize=4096)
def authority_of(data: bytes, ring: str) -> Keyring:
    """Return the keyring that an `authority` holds."""
    return document.decode_authority(ring, data)


@lru_cache(maxsize=4096)
def derived_of(name: DocumentName, data: bytes) -> document.Derived:
    """Return a derived document."""
    return document.decode_derived(name, data)


def ms(duration: timedelta) -> Milliseconds:
    """Return whole milliseconds."""
    return duration // timedelta(milliseconds=1)


def held_for(policy: RotationPolicy, staleness: Milliseconds) -> Milliseconds:
    """Return D + S + C + G + ε."""
    p = policy
    return ms(p.publisher_lease + p.jwks_max_age + p.max_stale + p.clock_skew) + staleness


@dataclass(frozen=True, slots=True)
class Shown:
    """A policy that `public` showed, since when and until when (None: it still does)."""

    policy: RotationPolicy
    since: Instant
    until: Instant | None = None


@dataclass(frozen=True, slots=True)
class Signed:
    """A key's time in the signing document: longest L and P it was given, and since when it is out."""

    token_ttl: Milliseconds
    lease: Milliseconds
    out_since: Instant | None = None

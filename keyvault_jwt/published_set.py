"""PublishedSet: a keyring's JWK Set as it goes out, with what caches are told about it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Final

from . import jwks
from .document import PublicDocument

HASH_DIGITS: Final = 16
"""How many hexadecimal digits of the body's SHA-256 an ETag shows."""


@dataclass(frozen=True, slots=True)
class PublishedSet:
    """One set: `body` is its JSON; `max_age` (C) and `max_stale` (G) are in whole seconds.

    `etag` is `"EPOCH-REVISION-HASH16"` with its quotes, so that a verifier's `If-None-Match`
    tells which set it holds; `algorithms` are those of its keys, the signing one first.
    """

    body: bytes
    etag: str
    max_age: int
    max_stale: int
    epoch: int
    revision: int
    issuer: str
    algorithms: tuple[str, ...]
    document: PublicDocument = field(repr=False)

    @property
    def cache_control(self) -> str:
        """The Cache-Control that the lead I1 counts on (RFC 9111, RFC 5861)."""
        return f"public, max-age={self.max_age}, stale-if-error={self.max_stale}"


def published_set(public: PublicDocument) -> PublishedSet:
    """Return what the `public` document says must go out; empty for a symmetric keyring."""
    origin = jwks.Origin(public.ring, public.epoch, public.revision)
    body, timing = jwks.render(public.keys, origin=origin), public.policy.timing(0)
    return PublishedSet(
        body=body,
        etag=f'"{public.epoch}-{public.revision}-{hashlib.sha256(body).hexdigest()[:HASH_DIGITS]}"',
        max_age=timing.jwks_max_age // 1000,
        max_stale=timing.max_stale // 1000,
        epoch=public.epoch,
        revision=public.revision,
        issuer=public.issuer,
        algorithms=tuple(dict.fromkeys(key["alg"] for key in public.keys)),
        document=public,
    )

"""Fresh keys without randomness: real Ed25519 pairs and secrets, made from a number."""

from __future__ import annotations

import hashlib
from functools import cache

from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from keyvault_jwt import base64url, jwk
from keyvault_jwt.key_factory import FreshKey, private_bytes

_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@cache
def counted_key(algorithm: str, number: int) -> FreshKey:
    """Return the same key of `Ed25519`, `ES256` or an HMAC algorithm for the same number."""
    seed = hashlib.sha256(f"{algorithm} {number}".encode()).digest()
    if algorithm.startswith("HS"):
        kid = base64url.encode(hashlib.sha256(b"kid" + seed).digest()[:16])
        return FreshKey(kid=kid, algorithm=algorithm, public=None, private=seed * 2)
    private: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey
    if algorithm == "Ed25519":
        private = ed25519.Ed25519PrivateKey.from_private_bytes(seed)
    else:
        private = ec.derive_private_key(int.from_bytes(seed, "big") % _P256_ORDER, ec.SECP256R1())
    members = jwk.public_members(private.public_key())
    return FreshKey(
        kid=jwk.thumbprint(members), algorithm=algorithm, public=members, private=private_bytes(private)
    )


class CountedKeys:
    """A `KeyFactory` that hands out `counted_key`s in turn."""

    def __init__(self, first: int = 0) -> None:
        self.made = first

    def make(self, algorithm: str) -> FreshKey:
        """Return the next key."""
        self.made += 1
        return counted_key(algorithm, self.made)

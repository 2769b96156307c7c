"""Real keys of every algorithm, made from a seed's dice, so that each run makes the same ones."""

from __future__ import annotations

import random

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa

from keyvault_jwt import base64url, jwk
from keyvault_jwt.key_factory import FreshKey, private_bytes

CURVES: dict[str, ec.EllipticCurve] = {
    "ES256": ec.SECP256R1(),
    "ES384": ec.SECP384R1(),
    "ES512": ec.SECP521R1(),
}
MODULE_LATTICE: dict[
    str, type[mldsa.MLDSA44PrivateKey | mldsa.MLDSA65PrivateKey | mldsa.MLDSA87PrivateKey]
] = {
    "ML-DSA-44": mldsa.MLDSA44PrivateKey,
    "ML-DSA-65": mldsa.MLDSA65PrivateKey,
    "ML-DSA-87": mldsa.MLDSA87PrivateKey,
}
PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | jwk.MLDSAPrivateKey
SECRET_BYTES = {"HS256": 32, "HS384": 48, "HS512": 64}
PUBLIC_KEY = ("Ed25519", *CURVES, *MODULE_LATTICE)


class SeededKeys:
    """A `KeyFactory`; RSA is left out, since its keys can't be made from given bytes."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice

    def make(self, algorithm: str) -> FreshKey:
        """Return the next key."""
        if algorithm in SECRET_BYTES:
            kid, secret = self._dice.randbytes(16), self._dice.randbytes(SECRET_BYTES[algorithm])
            return FreshKey(kid=base64url.encode(kid), algorithm=algorithm, public=None, private=secret)
        private = self._private(algorithm)
        members = jwk.public_members(private.public_key())
        return FreshKey(
            kid=jwk.thumbprint(members), algorithm=algorithm, public=members, private=private_bytes(private)
        )

    def _private(self, algorithm: str) -> PrivateKey:
        if algorithm == "Ed25519":
            return ed25519.Ed25519PrivateKey.from_private_bytes(self._dice.randbytes(32))
        if algorithm in CURVES:
            curve = CURVES[algorithm]
            # Half the bits: any such number is below every curve's order, and is no weaker for a test.
            return ec.derive_private_key(1 + self._dice.getrandbits(curve.key_size // 2), curve)
        return MODULE_LATTICE[algorithm].from_seed_bytes(self._dice.randbytes(32))

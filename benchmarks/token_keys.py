"""Keys and tokens that verifiers are measured by, and the bare check of the same bytes."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, TypeAlias

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

import keyvault_jwt as kj
from keyvault_jwt import base64url, jwk
from keyvault_jwt.engine import CRYPTOGRAPHY, Engine

ISSUER: Final = "https://id.example"
AUDIENCE: Final = "api"
KID: Final = "k1"
Check: TypeAlias = Callable[[bytes, bytes], None]
"""(signature as the library wants it, signing input): what `cryptography` is asked, and nothing else."""


@dataclass(frozen=True, slots=True)
class TokenKey:
    """A key of an algorithm: its private and public halves, and `members`, a JWK's of the key's own type."""

    algorithm: str
    private: Any
    public: Any
    members: dict[str, str]

    @property
    def name(self) -> str:
        """The algorithm as other libraries call it."""
        return "EdDSA" if self.algorithm == "Ed25519" else self.algorithm

    @property
    def jwk(self) -> dict[str, Any]:
        """The JWK as an issuer publishes it, for this algorithm's signatures."""
        return self.members | {"kid": KID, "alg": self.algorithm, "use": "sig"}

    def token(self, **changes: object) -> str:
        """Return a token that lives for an hour, its claims changed so."""
        now = int(time.time())
        claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "u1", "iat": now, "exp": now + 3600, "scope": "read"}
        return jwt.encode(claims | changes, self.private, self.name, headers={"kid": KID})

    def verifier(self, *, remember: int = 0, engine: Engine = CRYPTOGRAPHY) -> kj.Verifier:
        """Return our verifier of its tokens."""
        keys = kj.JWKSCache.from_document({"keys": [self.jwk]}, allow_symmetric=self.algorithm == "HS256")
        return kj.Verifier(
            keys,
            issuer=ISSUER,
            audience=AUDIENCE,
            algorithms=[self.algorithm],
            remember=remember,
            engine=engine,
        )

    def bare(self, token: str) -> Callable[[], None]:
        """Return the check of the token's signature alone, on bytes that are ready for it."""
        signing_input, _, encoded = token.encode().rpartition(b".")
        signature = base64url.decode(encoded)
        if self.algorithm == "ES256":
            r, s = signature[:32], signature[32:]
            signature = encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))
        check = _check(self)
        return lambda: check(signature, signing_input)


@cache
def token_key(algorithm: str) -> TokenKey:
    """Return the process's key of an algorithm; RSA has 2048 bits."""
    if algorithm == "HS256":
        secret = secrets.token_bytes(32)
        return TokenKey(algorithm, secret, secret, {"kty": "oct", "k": base64url.encode(secret)})
    private: Any
    if algorithm == "RS256":
        private = rsa.generate_private_key(65537, 2048)
    elif algorithm == "ES256":
        private = ec.generate_private_key(ec.SECP256R1())
    else:
        private = ed25519.Ed25519PrivateKey.generate()
    public = private.public_key()
    return TokenKey(algorithm, private, public, dict(jwk.public_members(public)))


def _check(key: TokenKey) -> Check:
    public = key.public
    if key.algorithm == "RS256":
        scheme, digest = padding.PKCS1v15(), SHA256()
        return lambda signature, data: public.verify(signature, data, scheme, digest)
    if key.algorithm == "ES256":
        curve = ec.ECDSA(SHA256())
        return lambda signature, data: public.verify(signature, data, curve)
    if key.algorithm == "Ed25519":
        bare: Check = public.verify
        return bare
    return lambda signature, data: _check_mac(public, signature, data)


def _check_mac(secret: bytes, signature: bytes, data: bytes) -> None:
    mac = HMAC(secret, SHA256())
    mac.update(data)
    mac.verify(signature)

"""Fresh keys, and private halves as stored bytes: the one place that draws key material."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any, Final, Protocol, runtime_checkable

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, rsa

from . import base64url, jwk
from .algorithms import ECDSA, HMAC, RSA, Algorithm, algorithm_named
from .errors import KeyRefused, WrongKeyType
from .jwk import Secret, SigningKey, VerificationKey

GENERATED_RSA_BITS: Final = 3072
"""Modulus of the RSA keys made here, in bits: 128 bits of strength (NIST SP 800-57 part 1, table 2)."""


class FreshKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key that no keyring holds yet.

    `public` is None for symmetric keys; `private` is PKCS #8 DER, or the raw secret;
    `reference` names a key whose private half stays with a remote signer.
    """

    kid: str
    algorithm: str
    public: dict[str, str] | None
    private: bytes | None = None
    reference: str | None = None

    def __repr__(self) -> str:
        return f"FreshKey(kid={self.kid!r}, algorithm={self.algorithm!r}, private=<redacted>)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        # msgspec's own, which rich's tracebacks with locals ask for, has every member.
        return [("kid", self.kid), ("algorithm", self.algorithm)]

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("a private key is not pickled")


class KeyFactory(Protocol):
    """Where new keys come from: this process, or a remote signer that keeps the private half."""

    def make(self, algorithm: str) -> FreshKey:
        """Return a new key for the exact `alg` name; raises `WrongKeyType` for an unknown one."""
        ...


@runtime_checkable
class MakesKeys(Protocol):
    """A store beside which keys are made, whose private halves it keeps."""

    def key_factory(self, ring: str) -> KeyFactory:
        """Return what makes the keys of a keyring."""
        ...


class LocalKeyFactory:
    """Keys made by `cryptography` in this process from the system's randomness."""

    __slots__ = ()

    def make(self, algorithm: str) -> FreshKey:
        """Return a new key: kid is the RFC 7638 thumbprint, random (128 bits) if symmetric."""
        row = algorithm_named(algorithm)
        private = _generate(row)
        if isinstance(private, Secret):
            kid = base64url.encode(secrets.token_bytes(16))
            return FreshKey(kid=kid, algorithm=row.name, public=None, private=private.reveal())
        members = jwk.public_members(private.public_key())
        return FreshKey(
            kid=jwk.thumbprint(members), algorithm=row.name, public=members, private=private_bytes(private)
        )


def _generate(row: Algorithm) -> SigningKey:
    if isinstance(row, ECDSA):
        return ec.generate_private_key(row.curve)
    if isinstance(row, RSA):
        return rsa.generate_private_key(public_exponent=65537, key_size=GENERATED_RSA_BITS)
    if isinstance(row, HMAC):
        return Secret(secrets.token_bytes(row.hash.digest_size))
    makers: dict[str, Callable[[], SigningKey]] = {
        "Ed25519": ed25519.Ed25519PrivateKey.generate,
        "ML-DSA-44": mldsa.MLDSA44PrivateKey.generate,
        "ML-DSA-65": mldsa.MLDSA65PrivateKey.generate,
        "ML-DSA-87": mldsa.MLDSA87PrivateKey.generate,
    }
    return makers[row.name]()


def private_bytes(key: SigningKey) -> bytes:
    """Return the stored form of a private half: PKCS #8 DER, or the raw secret."""
    if isinstance(key, Secret):
        return key.reveal()
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def load_private(algorithm: str, data: bytes) -> SigningKey:
    """Return the private half from its stored form; raises `KeyRefused` when it is none.

    The exception is raised without a cause: a parser's message may quote key bytes.
    """
    row = algorithm_named(algorithm)
    if row.symmetric:
        secret = Secret(data)
        row.check(secret)
        return secret
    try:
        key = serialization.load_der_private_key(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyRefused("these bytes are no private key (PKCS #8 DER)") from None
    if not isinstance(key, SigningKey):
        raise WrongKeyType(f"{row.name} can't use this type of private key")
    row.check(public_half(key))
    return key


def public_half(key: SigningKey) -> VerificationKey:
    """Return what verifies the signatures of `key`; the secret itself if symmetric."""
    return key if isinstance(key, Secret) else key.public_key()

"""The algorithm table: for each `alg` its JWK form, its strength, and how it signs and verifies.

Signatures, hashes and key maths are `cryptography`'s; each row only says which ones.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from .errors import WeakKey, WrongKeyType
from .jwk import MLDSA_PUBLIC, MLDSAPrivateKey, Secret, SigningKey, VerificationKey

Sign: TypeAlias = Callable[[bytes], bytes]
"""Signing input to JWS signature bytes."""
Verify: TypeAlias = Callable[[bytes, bytes], bool]
"""(signature, signing input) to whether it is good; never raises for a bad signature."""


@dataclass(frozen=True, slots=True)
class Algorithm(ABC):
    """One row: the JWS `alg` name, the JWK `kty`, its `crv` if any, and the security in bits."""

    name: str
    kty: str
    crv: str | None
    strength: int

    @property
    def symmetric(self) -> bool:
        """Whether verifying takes the same secret as signing."""
        return self.kty == "oct"

    @abstractmethod
    def check(self, key: VerificationKey) -> None:
        """Raise `WrongKeyType` or `WeakKey` unless `key` may serve this algorithm."""

    @abstractmethod
    def signer(self, key: SigningKey) -> Sign:
        """Return the function that signs with `key`."""

    @abstractmethod
    def verifier(self, key: VerificationKey) -> Verify:
        """Return the function that checks signatures with `key`; raises as `check`."""

    def _wrong(self, key: object) -> WrongKeyType:
        return WrongKeyType(f"{self.name} can't use a key of type {type(key).__name__.lstrip('_')}")


@dataclass(frozen=True, slots=True)
class ECDSA(Algorithm):
    """ES256/384/512: RFC 7518 section 3.4, R and S side by side at the curve's width."""

    hash: hashes.HashAlgorithm
    curve: ec.EllipticCurve

    def check(self, key: VerificationKey) -> None:
        if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != self.curve.name:
            raise self._wrong(key)

    def signer(self, key: SigningKey) -> Sign:
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise self._wrong(key)
        self.check(key.public_key())
        scheme, width, sign = ec.ECDSA(self.hash), self._width, key.sign

        def es_sign(data: bytes) -> bytes:
            r, s = decode_dss_signature(sign(data, scheme))
            return r.to_bytes(width, "big") + s.to_bytes(width, "big")

        return es_sign

    def verifier(self, key: VerificationKey) -> Verify:
        self.check(key)
        assert isinstance(key, ec.EllipticCurvePublicKey)
        scheme, width, verify = ec.ECDSA(self.hash), self._width, key.verify

        def es_verify(signature: bytes, data: bytes) -> bool:
            if len(signature) != 2 * width:
                return False
            r, s = int.from_bytes(signature[:width], "big"), int.from_bytes(signature[width:], "big")
            try:
                verify(encode_dss_signature(r, s), data, scheme)
            except InvalidSignature:
                return False
            return True

        return es_verify

    @property
    def _width(self) -> int:
        return (self.curve.key_size + 7) // 8


@dataclass(frozen=True, slots=True)
class Ed25519(Algorithm):
    """RFC 8037 and RFC 9864; the older name `EdDSA` means the same with an Ed25519 key."""

    def check(self, key: VerificationKey) -> None:
        if not isinstance(key, ed25519.Ed25519PublicKey):
            raise self._wrong(key)

    def signer(self, key: SigningKey) -> Sign:
        if not isinstance(key, ed25519.Ed25519PrivateKey):
            raise self._wrong(key)
        return key.sign

    def verifier(self, key: VerificationKey) -> Verify:
        if not isinstance(key, ed25519.Ed25519PublicKey):
            raise self._wrong(key)
        verify = key.verify

        def ed_verify(signature: bytes, data: bytes) -> bool:
            try:
                verify(signature, data)
            except InvalidSignature:
                return False
            return True

        return ed_verify


@dataclass(frozen=True, slots=True)
class RSA(Algorithm):
    """RS256/384/512 and PS256/384/512: RFC 7518 sections 3.3 and 3.5; 2048 bits at least."""

    hash: hashes.HashAlgorithm
    pss: bool

    def check(self, key: VerificationKey) -> None:
        if not isinstance(key, rsa.RSAPublicKey):
            raise self._wrong(key)
        if key.key_size < 2048:
            raise WeakKey(
                f"an RSA key of {key.key_size} bits is too weak", why="RFC 7518 asks for 2048 bits or more"
            )

    def signer(self, key: SigningKey) -> Sign:
        if not isinstance(key, rsa.RSAPrivateKey):
            raise self._wrong(key)
        self.check(key.public_key())
        pad, digest, sign = self._padding, self.hash, key.sign
        return lambda data: sign(data, pad, digest)

    def verifier(self, key: VerificationKey) -> Verify:
        # Verifiers set their own floor (`min_rsa_bits`), so only the type is checked here.
        if not isinstance(key, rsa.RSAPublicKey):
            raise self._wrong(key)
        pad, digest, verify, width = self._padding, self.hash, key.verify, (key.key_size + 7) // 8

        def rsa_verify(signature: bytes, data: bytes) -> bool:
            if len(signature) != width:
                return False
            try:
                verify(signature, data, pad, digest)
            except InvalidSignature:
                return False
            return True

        return rsa_verify

    @property
    def _padding(self) -> padding.PKCS1v15 | padding.PSS:
        if not self.pss:
            return padding.PKCS1v15()
        return padding.PSS(padding.MGF1(self.hash), self.hash.digest_size)


@dataclass(frozen=True, slots=True)
class HMAC(Algorithm):
    """HS256/384/512: RFC 7518 section 3.2, a secret of at least the hash's size."""

    hash: hashes.HashAlgorithm

    def check(self, key: VerificationKey) -> None:
        if not isinstance(key, Secret):
            raise self._wrong(key)
        if len(key.reveal()) < self.hash.digest_size:
            raise WeakKey(
                f"{self.name} needs a secret of {self.hash.digest_size} bytes or more",
                why="RFC 7518 section 3.2",
            )

    def signer(self, key: SigningKey) -> Sign:
        if not isinstance(key, Secret):
            raise self._wrong(key)
        self.check(key)
        secret, digest = key.reveal(), self.hash

        def hs_sign(data: bytes) -> bytes:
            mac = hmac.HMAC(secret, digest)
            mac.update(data)
            return mac.finalize()

        return hs_sign

    def verifier(self, key: VerificationKey) -> Verify:
        self.check(key)
        assert isinstance(key, Secret)
        secret, digest = key.reveal(), self.hash

        def hs_verify(signature: bytes, data: bytes) -> bool:
            mac = hmac.HMAC(secret, digest)
            mac.update(data)
            try:
                mac.verify(signature)
            except InvalidSignature:
                return False
            return True

        return hs_verify


@dataclass(frozen=True, slots=True)
class MLDSA(Algorithm):
    """ML-DSA-44/65/87: RFC 9964, pure mode with an empty context (FIPS 204)."""

    def check(self, key: VerificationKey) -> None:
        if not isinstance(key, MLDSA_PUBLIC[self.name]):
            raise self._wrong(key)

    def signer(self, key: SigningKey) -> Sign:
        if not isinstance(key, MLDSAPrivateKey):
            raise self._wrong(key)
        self.check(key.public_key())
        sign = key.sign

        def mldsa_sign(data: bytes) -> bytes:
            return sign(data)

        return mldsa_sign

    def verifier(self, key: VerificationKey) -> Verify:
        kind = MLDSA_PUBLIC[self.name]
        if not isinstance(key, kind):
            raise self._wrong(key)
        verify = key.verify

        def mldsa_verify(signature: bytes, data: bytes) -> bool:
            try:
                verify(signature, data)
            except InvalidSignature:
                return False
            return True

        return mldsa_verify


_SHA = ((256, hashes.SHA256()), (384, hashes.SHA384()), (512, hashes.SHA512()))
_ROWS: tuple[Algorithm, ...] = (
    ECDSA("ES256", "EC", "P-256", 128, hashes.SHA256(), ec.SECP256R1()),
    ECDSA("ES384", "EC", "P-384", 192, hashes.SHA384(), ec.SECP384R1()),
    ECDSA("ES512", "EC", "P-521", 256, hashes.SHA512(), ec.SECP521R1()),
    Ed25519("Ed25519", "OKP", "Ed25519", 128),
    *(RSA(f"RS{size}", "RSA", None, 128, digest, pss=False) for size, digest in _SHA),
    *(RSA(f"PS{size}", "RSA", None, 128, digest, pss=True) for size, digest in _SHA),
    *(HMAC(f"HS{size}", "oct", None, size, digest) for size, digest in _SHA),
    MLDSA("ML-DSA-44", "AKP", None, 128),
    MLDSA("ML-DSA-65", "AKP", None, 192),
    MLDSA("ML-DSA-87", "AKP", None, 256),
)
ALGORITHMS: Final[Mapping[str, Algorithm]] = MappingProxyType({row.name: row for row in _ROWS})
"""Every algorithm by its exact `alg` name (strength in bits after NIST SP 800-57; RSA at 3072)."""

VERIFY_ALIASES: Final[Mapping[str, str]] = MappingProxyType({"EdDSA": "Ed25519"})
"""Older header names that mean a row of the table when verifying (RFC 9864 section 2.2)."""


def algorithm_named(name: str, *, verifying: bool = False) -> Algorithm:
    """Return the row for an exact `alg` name; raises `WrongKeyType` for any other."""
    row = ALGORITHMS.get(VERIFY_ALIASES.get(name, name) if verifying else name)
    if row is None:
        raise WrongKeyType(
            f"{name[:40]!r} is not an algorithm we know", fix="use one of " + ", ".join(ALGORITHMS)
        )
    return row

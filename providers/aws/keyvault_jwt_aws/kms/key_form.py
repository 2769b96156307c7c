"""What KMS calls the keys and signatures of each JWS algorithm, and in which form it takes messages.

Key specs: https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html;
messages: https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from keyvault_jwt.jwk import VerificationKey

from .errors import MessageTooLong, NoSuchAlgorithm

LONGEST_MESSAGE: Final = 4096
"""The most bytes that Sign takes."""


@dataclass(frozen=True, slots=True)
class KeyForm:
    """One algorithm: keys of the first of `specs` are made, those of any may sign by `signing`."""

    algorithm: str
    specs: tuple[str, ...]
    signing: str

    def message(self, key: VerificationKey, data: bytes) -> tuple[str, bytes]:
        """Return MessageType and Message for what is to be signed; raises `MessageTooLong`."""
        return ("RAW", data) if len(data) <= LONGEST_MESSAGE else self._shortened(key, data)

    def signature(self, told: bytes) -> bytes:
        """Return the JWS form of a signature as KMS gives it; raises `ValueError`."""
        return told

    def _shortened(self, _key: VerificationKey, data: bytes, /) -> tuple[str, bytes]:
        raise MessageTooLong(
            f"{len(data)} bytes are too many for {self.algorithm}",
            why=f"KMS signs at most {LONGEST_MESSAGE}, and {self.signing} can't be given a digest instead",
            fix="put less into the token, or `migrate` the keyring to ES256, which has no such limit",
        )


@dataclass(frozen=True, slots=True)
class _Digested(KeyForm):
    hash: hashes.HashAlgorithm

    def _shortened(self, _key: VerificationKey, data: bytes, /) -> tuple[str, bytes]:
        return "DIGEST", _hashed(self.hash, data)


@dataclass(frozen=True, slots=True)
class _Ecdsa(_Digested):
    width: int

    def signature(self, told: bytes) -> bytes:
        """R and S side by side (RFC 7518 section 3.4); KMS gives them as DER."""
        r, s = decode_dss_signature(told)
        try:
            return r.to_bytes(self.width, "big") + s.to_bytes(self.width, "big")
        except OverflowError:
            raise ValueError from None


@dataclass(frozen=True, slots=True)
class _Mldsa(KeyForm):
    def _shortened(self, key: VerificationKey, data: bytes, /) -> tuple[str, bytes]:
        """µ of FIPS 204 section 6.2, with the empty context of RFC 9964: the same signature as of RAW."""
        raw: bytes = key.public_bytes_raw()  # type: ignore[union-attr]
        shake = hashes.SHAKE256(64)
        return "EXTERNAL_MU", _hashed(shake, _hashed(shake, raw) + b"\x00\x00" + data)


def key_form(algorithm: str) -> KeyForm:
    """Return the row of an exact `alg` name; raises `NoSuchAlgorithm` for one that KMS does not sign."""
    form = KEY_FORMS.get(algorithm)
    if form is None:
        raise NoSuchAlgorithm(
            f"KMS signs no {algorithm[:40]}",
            why="it has no such keys, or would give their secret to whoever verifies",
            fix="use one of " + ", ".join(KEY_FORMS),
        )
    return form


def _hashed(kind: hashes.HashAlgorithm, data: bytes) -> bytes:
    digest = hashes.Hash(kind)
    digest.update(data)
    return digest.finalize()


def _rsa(scheme: str, size: int, kind: hashes.HashAlgorithm) -> KeyForm:
    padding = {"RS": "PKCS1_V1_5", "PS": "PSS"}[scheme]
    specs = ("RSA_3072", "RSA_2048", "RSA_4096")
    return _Digested(f"{scheme}{size}", specs, f"RSASSA_{padding}_SHA_{size}", kind)


_SHA: Final = ((256, hashes.SHA256()), (384, hashes.SHA384()), (512, hashes.SHA512()))
KEY_FORMS: Final[Mapping[str, KeyForm]] = MappingProxyType(
    {
        form.algorithm: form
        for form in (
            *(
                _Ecdsa(f"ES{size}", (f"ECC_NIST_P{bits}",), f"ECDSA_SHA_{size}", kind, (bits + 7) // 8)
                for (size, kind), bits in zip(_SHA, (256, 384, 521), strict=True)
            ),
            KeyForm("Ed25519", ("ECC_NIST_EDWARDS25519",), "ED25519_SHA_512"),
            *(_rsa(scheme, size, kind) for scheme in ("RS", "PS") for size, kind in _SHA),
            *(_Mldsa(f"ML-DSA-{size}", (f"ML_DSA_{size}",), "ML_DSA_SHAKE_256") for size in (44, 65, 87)),
        )
    }
)
"""Every algorithm that KMS signs, by its exact `alg` name."""

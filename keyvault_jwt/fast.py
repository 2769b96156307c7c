"""AWSLC: RS256, PS256 and ES256 checked by AWS-LC, which takes about four fifths of the time.

    from keyvault_jwt.fast import AWSLC

    verifier = kj.Verifier(cache, issuer=…, audience=…, algorithms=["RS256"], engine=AWSLC())

Needs the `fast` extra; importing this without it raises `MissingExtra`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from types import MappingProxyType
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from .algorithms import Algorithm, Verify
from .errors import MissingExtra
from .jwk import VerificationKey

try:
    from awscrt.crypto import EC, RSA, ECRawSignature, RSASignatureAlgorithm
except ImportError as missing:
    raise MissingExtra(
        "checking signatures by AWS-LC needs a package that is not installed, or only an older one",
        why=f"{missing.name} is missing, or lacks what is asked of it",
        fix="pip install 'keyvault-jwt[fast]'",
    ) from missing

_PADDINGS: Final[Mapping[str, RSASignatureAlgorithm]] = MappingProxyType(
    # PSS means a salt as long as the hash there, as RFC 7518 section 3.5 asks; tests hold it to that.
    {"RS256": RSASignatureAlgorithm.PKCS1_5_SHA256, "PS256": RSASignatureAlgorithm.PSS_SHA256}
)
SERVED: Final = frozenset({*_PADDINGS, "ES256"})
"""The algorithms that AWS-LC checks."""
_NO_ANSWER: Final = (RuntimeError, ValueError)
"""What awscrt raises for a key that AWS-LC won't take, or a check that it can't make."""


@dataclass(frozen=True, slots=True)
class AWSLC:
    """An engine that asks AWS-LC about what is `SERVED`, and leaves everything else to `cryptography`.

    So it does with keys that AWS-LC won't take, such as RSA with an exponent of more than 33 bits
    (no key set holds one), and with a check that fails without an answer.  awscrt keeps the
    interpreter's lock while it checks, and `cryptography` does not: where several threads verify at
    once on several cores, the default gets more done.
    """

    def verifier(self, algorithm: Algorithm, key: VerificationKey) -> Verify:
        """Return AWS-LC's check if it has one, else the row's own; raises as `Algorithm.verifier`."""
        own = algorithm.verifier(key)
        try:
            if algorithm.name == "ES256" and isinstance(key, ec.EllipticCurvePublicKey):
                return _es256(key, own)
            if algorithm.name in _PADDINGS and isinstance(key, rsa.RSAPublicKey):
                return _rsa(key, _PADDINGS[algorithm.name], own)
        except _NO_ANSWER:
            pass
        return own


def _rsa(key: rsa.RSAPublicKey, padding: RSASignatureAlgorithm, own: Verify) -> Verify:
    loaded, width = RSA.new_public_key_from_der_data(_der(key, PublicFormat.PKCS1)), (key.key_size + 7) // 8
    verify: Callable[[RSASignatureAlgorithm, bytes, bytes], bool] = loaded.verify

    def rsa_verify(signature: bytes, data: bytes) -> bool:
        if len(signature) != width:
            return False
        try:
            return verify(padding, sha256(data).digest(), signature)
        except _NO_ANSWER:  # which does not say that the signature is bad
            return own(signature, data)

    return rsa_verify


def _es256(key: ec.EllipticCurvePublicKey, own: Verify) -> Verify:
    loaded = EC.new_key_from_der_data(_der(key, PublicFormat.SubjectPublicKeyInfo))
    verify: Callable[[bytes, bytes], bool] = loaded.verify
    encode: Callable[[ECRawSignature], bytes] = EC.encode_raw_signature

    def es256_verify(signature: bytes, data: bytes) -> bool:
        if len(signature) != 64:
            return False
        try:
            return verify(sha256(data).digest(), encode(ECRawSignature(signature[:32], signature[32:])))
        except _NO_ANSWER:
            return own(signature, data)

    return es256_verify


def _der(key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey, form: PublicFormat) -> bytes:
    return key.public_bytes(Encoding.DER, form)

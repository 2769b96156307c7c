"""A key of the KMS stand-in: a real key of `cryptography`'s, and what AWS documents of keys like it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.aws.documented_secret import Refused

ACCOUNT = "111122223333"
LONGEST = 4096
SHA = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
RSA_SIGNS = tuple(f"RSASSA_{scheme}_SHA_{size}" for scheme in ("PSS", "PKCS1_V1_5") for size in SHA)
SPECS: dict[str, tuple[Callable[[], Any], tuple[str, ...]]] = {
    **{
        f"RSA_{bits}": (lambda bits=bits: rsa.generate_private_key(65537, bits), RSA_SIGNS)
        for bits in (2048, 3072, 4096)
    },
    "ECC_NIST_P256": (lambda: ec.generate_private_key(ec.SECP256R1()), ("ECDSA_SHA_256",)),
    "ECC_NIST_P384": (lambda: ec.generate_private_key(ec.SECP384R1()), ("ECDSA_SHA_384",)),
    "ECC_NIST_P521": (lambda: ec.generate_private_key(ec.SECP521R1()), ("ECDSA_SHA_512",)),
    "ECC_SECG_P256K1": (lambda: ec.generate_private_key(ec.SECP256K1()), ("ECDSA_SHA_256",)),
    "ECC_NIST_EDWARDS25519": (
        ed25519.Ed25519PrivateKey.generate,
        ("ED25519_SHA_512", "ED25519_PH_SHA_512"),
    ),
    "ML_DSA_44": (mldsa.MLDSA44PrivateKey.generate, ("ML_DSA_SHAKE_256",)),
    "ML_DSA_65": (mldsa.MLDSA65PrivateKey.generate, ("ML_DSA_SHAKE_256",)),
    "ML_DSA_87": (mldsa.MLDSA87PrivateKey.generate, ("ML_DSA_SHAKE_256",)),
}


@dataclass
class KmsKey:
    """One key; `made` is when, in seconds, by the stand-in's clock."""

    spec: str
    usage: str
    region: str
    made: float
    tags: dict[str, str]
    policy: str
    id: str = field(default_factory=lambda: str(uuid4()))
    state: str = "Enabled"
    window: int = 0

    def __post_init__(self) -> None:
        self.private: Any = SPECS[self.spec][0]()

    @property
    def arn(self) -> str:
        """The key's ARN."""
        return f"arn:aws:kms:{self.region}:{ACCOUNT}:key/{self.id}"

    @property
    def metadata(self) -> dict[str, Any]:
        """What DescribeKey tells."""
        return {
            "AWSAccountId": ACCOUNT,
            "Arn": self.arn,
            "CreationDate": self.made,
            "Enabled": self.state == "Enabled",
            "KeyId": self.id,
            "KeyManager": "CUSTOMER",
            "KeySpec": self.spec,
            "KeyState": self.state,
            "KeyUsage": self.usage,
            "MultiRegion": False,
            "Origin": "AWS_KMS",
            "SigningAlgorithms": list(SPECS[self.spec][1]),
        }

    def require_enabled(self) -> None:
        """Refuse what only enabled keys do, as the table of key states says."""
        if self.state == "Disabled":
            raise Refused("DisabledException", f"{self.arn} is disabled.")
        if self.state != "Enabled":
            raise Refused("KMSInvalidStateException", f"{self.arn} is pending deletion.")

    def public(self) -> bytes:
        """Return the public half, DER-encoded X.509 SubjectPublicKeyInfo."""
        encoded: bytes = self.private.public_key().public_bytes(
            Encoding.DER, PublicFormat.SubjectPublicKeyInfo
        )
        return encoded

    def sign(self, message: bytes, kind: str, algorithm: str) -> bytes:
        """Sign as documented for the message type; refuse what does not go together."""
        self.require_enabled()
        if algorithm not in SPECS[self.spec][1] or self.usage != "SIGN_VERIFY":
            raise Refused(
                "InvalidKeyUsageException", f"{self.arn} key usage is not compatible with {algorithm}."
            )
        if len(message) > LONGEST:
            raise _invalid(f"Value at 'message' failed to satisfy constraint: length at most {LONGEST}")
        signed: bytes = self._rule(kind, algorithm)(message)
        return signed

    def _rule(self, kind: str, algorithm: str) -> Callable[[bytes], bytes]:
        if algorithm == "ML_DSA_SHAKE_256":
            return {"RAW": self.private.sign, "EXTERNAL_MU": self._sign_mu}.get(kind) or _no(kind, algorithm)
        if algorithm == "ED25519_SHA_512":
            return self.private.sign if kind == "RAW" else _no(kind, algorithm)
        if kind not in {"RAW", "DIGEST"} or algorithm.startswith("ED25519"):
            return _no(kind, algorithm)
        digest = SHA[algorithm[-3:]]
        what = utils.Prehashed(digest) if kind == "DIGEST" else digest

        def sign(message: bytes) -> bytes:
            if kind == "DIGEST" and len(message) != digest.digest_size:
                raise _invalid(f"Digest is invalid length for algorithm {algorithm}.")
            signed: bytes
            if algorithm.startswith("ECDSA"):
                signed = self.private.sign(message, ec.ECDSA(what))
            elif "PSS" in algorithm:
                signed = self.private.sign(
                    message, padding.PSS(padding.MGF1(digest), digest.digest_size), what
                )
            else:
                signed = self.private.sign(message, padding.PKCS1v15(), what)
            return signed

        return sign

    def _sign_mu(self, message: bytes) -> bytes:
        if len(message) != 64:
            raise _invalid("The message representative must be 64 bytes long.")
        signed: bytes = self.private.sign_mu(message)
        return signed


def _no(kind: str, algorithm: str) -> Callable[[bytes], bytes]:
    raise _invalid(f"MessageType {kind} is not supported for {algorithm}.")


def _invalid(message: str) -> Refused:
    return Refused("ValidationException", message)

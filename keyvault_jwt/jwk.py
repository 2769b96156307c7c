"""One JSON Web Key in and out: members on one side, `cryptography` keys on the other."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, rsa

from . import base64url
from .errors import KeyMismatch, KeyRefused, PrivateMember, WeakKey, WrongKeyType


class Secret:
    """A symmetric key: raw bytes that never show in a repr, a pickle or a traceback line."""

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = bytes(value)

    def reveal(self) -> bytes:
        """Return the raw bytes."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(<redacted>)"

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("a secret is not pickled")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash((Secret, self._value))


MLDSAPublicKey: TypeAlias = mldsa.MLDSA44PublicKey | mldsa.MLDSA65PublicKey | mldsa.MLDSA87PublicKey
MLDSAPrivateKey: TypeAlias = mldsa.MLDSA44PrivateKey | mldsa.MLDSA65PrivateKey | mldsa.MLDSA87PrivateKey
VerificationKey: TypeAlias = (
    rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | MLDSAPublicKey | Secret
)
"""What checks a signature: a public key of `cryptography`, or a symmetric `Secret`."""
SigningKey: TypeAlias = (
    rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | MLDSAPrivateKey | Secret
)
"""What makes a signature."""

CURVES: Final[Mapping[str, ec.EllipticCurve]] = MappingProxyType(
    {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}
)
MLDSA_PUBLIC: Final[Mapping[str, type[MLDSAPublicKey]]] = MappingProxyType(
    {
        "ML-DSA-44": mldsa.MLDSA44PublicKey,
        "ML-DSA-65": mldsa.MLDSA65PublicKey,
        "ML-DSA-87": mldsa.MLDSA87PublicKey,
    }
)
PRIVATE_MEMBERS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"})
"""Members that only a private or symmetric JWK has (RFC 7518 section 6, RFC 9964)."""

MAX_RSA_BITS: Final = 8192
"""The widest modulus we load, in bits: checking a wider one is a way to burn our time."""
_MIN_RSA_BITS: Final = 1024
_MAX_EXPONENT_BITS: Final = 32
_MAX_SECRET_BYTES: Final = 1024

_THUMBPRINT_MEMBERS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "EC": ("crv", "kty", "x", "y"),
        "OKP": ("crv", "kty", "x"),
        "RSA": ("e", "kty", "n"),
        "AKP": ("alg", "kty", "pub"),
        "oct": ("k", "kty"),
    }
)


def thumbprint(members: Mapping[str, Any]) -> str:
    """Return the RFC 7638 SHA-256 thumbprint, base64url (AKP: RFC 9964 section 6)."""
    names = _THUMBPRINT_MEMBERS.get(members["kty"])
    if names is None:
        raise WrongKeyType("no thumbprint is defined for this kty")
    canonical = msgspec.json.encode({name: members[name] for name in names}, order="sorted")
    return base64url.encode(hashlib.sha256(canonical).digest())


def public_members(key: VerificationKey) -> dict[str, str]:
    """Return the members that make the public key.

    Raises `PrivateMember` for a secret and `WrongKeyType` for a key on a curve we don't know.
    """
    if isinstance(key, Secret):
        raise PrivateMember("a symmetric key has no public form", fix="use an asymmetric algorithm")
    if isinstance(key, rsa.RSAPublicKey):
        numbers = key.public_numbers()
        return {
            "kty": "RSA",
            "n": base64url.encode_integer(numbers.n),
            "e": base64url.encode_integer(numbers.e),
        }
    if isinstance(key, ec.EllipticCurvePublicKey):
        point, width = key.public_numbers(), (key.curve.key_size + 7) // 8
        crv = next((name for name, curve in CURVES.items() if curve.name == key.curve.name), None)
        if crv is None:
            raise _unknown_ec_curve()
        x, y = (base64url.encode(value.to_bytes(width, "big")) for value in (point.x, point.y))
        return {"kty": "EC", "crv": crv, "x": x, "y": y}
    raw = base64url.encode(key.public_bytes_raw())
    if isinstance(key, ed25519.Ed25519PublicKey):
        return {"kty": "OKP", "crv": "Ed25519", "x": raw}
    alg = next((name for name, kind in MLDSA_PUBLIC.items() if isinstance(key, kind)), None)
    if alg is None:
        raise _unknown_okp_curve()
    return {"kty": "AKP", "alg": alg, "pub": raw}


def require_same(stated: Mapping[str, str], derived: Mapping[str, str]) -> None:
    """Raise `KeyMismatch` unless the stated public half is the one the private half gives."""
    if any(stated.get(name) != value for name, value in derived.items()):
        raise KeyMismatch(
            "the private half belongs to another public key",
            fix="import the pair as one file, or leave the public half out",
        )


def secret_members(secret: Secret) -> dict[str, str]:
    """Return the members of a symmetric JWK, which must stay in private documents."""
    return {"kty": "oct", "k": base64url.encode(secret.reveal())}


def load(members: Mapping[str, Any]) -> VerificationKey:
    """Return the key that the members spell; private members beside public ones are not read.

    Raises `WrongKeyType` for a kty or curve we don't know, `WeakKey` or `KeyRefused` for
    members that are malformed or out of bounds.
    """
    kty = members.get("kty")
    loader = _LOADERS.get(kty) if isinstance(kty, str) else None
    if loader is None:
        raise WrongKeyType("this kty is not one we know", why="known are RSA, EC, OKP, AKP and oct")
    return loader(members)


def _load_rsa(members: Mapping[str, Any]) -> rsa.RSAPublicKey:
    n, e = (_unsigned(members, name, MAX_RSA_BITS) for name in ("n", "e"))
    if not _MIN_RSA_BITS <= n.bit_length() <= MAX_RSA_BITS:
        raise WeakKey(f"an RSA modulus of {n.bit_length()} bits is out of bounds")
    if e.bit_length() > _MAX_EXPONENT_BITS or e < 3 or not e & 1 or not n & 1:
        raise WeakKey("the RSA modulus or exponent is out of bounds")
    try:
        return rsa.RSAPublicNumbers(e, n).public_key()
    except ValueError:
        raise KeyRefused("these RSA numbers are no key") from None


def _load_ec(members: Mapping[str, Any]) -> ec.EllipticCurvePublicKey:
    crv = members.get("crv")
    curve = CURVES.get(crv) if isinstance(crv, str) else None
    if curve is None:
        raise _unknown_ec_curve()
    width = (curve.key_size + 7) // 8
    x, y = (int.from_bytes(_octets(members, name, width), "big") for name in ("x", "y"))
    try:
        return ec.EllipticCurvePublicNumbers(x, y, curve).public_key()
    except ValueError:
        raise KeyRefused("the point is not on the curve") from None


def _load_okp(members: Mapping[str, Any]) -> ed25519.Ed25519PublicKey:
    if members.get("crv") != "Ed25519":
        raise _unknown_okp_curve()
    try:
        return ed25519.Ed25519PublicKey.from_public_bytes(_octets(members, "x", 32))
    except (ValueError, UnsupportedAlgorithm):
        raise KeyRefused("these bytes are no Ed25519 key") from None


def _load_akp(members: Mapping[str, Any]) -> MLDSAPublicKey:
    alg = members.get("alg")
    kind = MLDSA_PUBLIC.get(alg) if isinstance(alg, str) else None
    if kind is None:
        raise WrongKeyType("an AKP key must name its ML-DSA algorithm", why="RFC 9964 asks for alg")
    try:
        return kind.from_public_bytes(_octets(members, "pub", None))
    except (ValueError, UnsupportedAlgorithm):
        raise KeyRefused(f"these bytes are no {alg} key") from None


def _load_oct(members: Mapping[str, Any]) -> Secret:
    value = _octets(members, "k", None)
    if not 16 <= len(value) <= _MAX_SECRET_BYTES:
        raise WeakKey(f"a symmetric key of {len(value)} bytes is out of bounds")
    return Secret(value)


_LOADERS: Final[Mapping[str, Callable[[Mapping[str, Any]], VerificationKey]]] = MappingProxyType(
    {"RSA": _load_rsa, "EC": _load_ec, "OKP": _load_okp, "AKP": _load_akp, "oct": _load_oct}
)


def _octets(members: Mapping[str, Any], name: str, length: int | None) -> bytes:
    value = members.get(name)
    if not isinstance(value, str) or len(value) > 8192:
        raise KeyRefused(f"the member {name!r} is missing, not text, or too long")
    try:
        data = base64url.decode(value)
    except ValueError:
        raise KeyRefused(f"the member {name!r} is not base64url") from None
    if length is not None and len(data) != length:
        raise KeyRefused(f"the member {name!r} holds {len(data)} bytes, not {length}")
    return data


def _unsigned(members: Mapping[str, Any], name: str, bits: int) -> int:
    data = _octets(members, name, None)
    if not data or data[0] == 0 or len(data) * 8 > bits + 7:
        # RFC 7518 section 2: Base64urlUInt is the shortest form, without a leading zero octet.
        raise KeyRefused(f"the member {name!r} is not the shortest unsigned integer within bounds")
    return int.from_bytes(data, "big")


def _unknown_ec_curve() -> WrongKeyType:
    return WrongKeyType("this EC curve is not one we know", why="known are P-256, P-384 and P-521")


def _unknown_okp_curve() -> WrongKeyType:
    return WrongKeyType("this OKP curve is not one we know", why="known is Ed25519")

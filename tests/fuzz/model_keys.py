"""Key sets of RFC 7517, read once more and slowly: which key, if one, a header means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from keyvault_jwt.jwk import PRIVATE_MEMBERS
from tests.fuzz.holder import RSA_ALGORITHMS, SECRET_ALGORITHMS, Identity
from tests.fuzz.lenient import bytes_of, is_spelled_once
from tests.fuzz.model_claims import NotJSON, lenient_json, strict_json

_SERVES: dict[tuple[str, str | None], tuple[str, ...]] = {
    ("RSA", None): RSA_ALGORITHMS,
    ("EC", "P-256"): ("ES256",),
    ("EC", "P-384"): ("ES384",),
    ("EC", "P-521"): ("ES512",),
    ("OKP", "Ed25519"): ("Ed25519",),
    ("oct", None): SECRET_ALGORITHMS,
}
_NUMBERS = {"RSA": ("n", "e"), "EC": ("x", "y"), "OKP": ("x",), "AKP": ("pub",), "oct": ("k",)}
_WIDTHS = {"P-256": 32, "P-384": 48, "P-521": 66, "Ed25519": 32}
_LATTICES = {"ML-DSA-44": 1312, "ML-DSA-65": 1952, "ML-DSA-87": 2592}


@dataclass(frozen=True, slots=True)
class ModelKey:
    """A JWK: what key it is, if one can say; what it serves; and why it can't be used, if so.

    `sure` is false for numbers of which only a library of curves could tell whether they are a key.
    """

    kid: Any
    kty: str
    identity: Identity | None
    serves: frozenset[str]
    reasons: frozenset[str]
    contends: bool
    stated: Any
    sure: bool = True


@dataclass(frozen=True, slots=True)
class ModelSet:
    """The JWKs of a set; `readable` is false when it is none, though a lenient reader may see keys."""

    readable: bool
    keys: tuple[ModelKey, ...] = ()


def read_set(data: bytes, *, symmetric: bool) -> ModelSet:
    """Return the set as the RFC has it."""
    readable = True
    try:
        document, _ = strict_json(data)
    except NotJSON:
        document, readable = lenient_json(data), False
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        return ModelSet(readable=False)
    keys = tuple(_key(members, symmetric=symmetric) for members in listed if isinstance(members, dict))
    return ModelSet(readable, keys)


def _key(members: dict[str, Any], *, symmetric: bool) -> ModelKey:
    kty, kid, alg = members.get("kty"), members.get("kid"), members.get("alg")
    kty = kty if isinstance(kty, str) else ""
    row = "Ed25519" if alg == "EdDSA" else alg
    reasons: set[str] = set()
    if kid is not None and (not isinstance(kid, str) or len(kid) > 1024):
        reasons.add("jwk-kid")
    if "use" in members and members["use"] != "sig":
        reasons.add("jwk-use")
    operations = members.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        reasons.add("jwk-key-ops")
    purpose = not reasons & {"jwk-use", "jwk-key-ops"}
    if not (kty == "oct" and symmetric) and (kty == "oct" or PRIVATE_MEMBERS & members.keys()):
        reasons.add("jwk-private")
    serves = _serves(members, kty, row, reasons)
    identity, sure = _identity(members, kty, row, reasons)
    known = row is None or (isinstance(row, str) and row in _ALL)
    contends = isinstance(kid, str) and isinstance(members.get("kty"), str) and purpose and known
    return ModelKey(kid, kty, identity, serves, frozenset(reasons), contends, alg, sure)


def _serves(members: dict[str, Any], kty: str, row: Any, reasons: set[str]) -> frozenset[str]:
    """Return the algorithms of the key's type and curve, or the one of them that its `alg` names."""
    crv = members.get("crv")
    if kty == "AKP":
        able: tuple[str, ...] = (row,) if isinstance(row, str) and row in _LATTICES else ()
    else:
        able = _SERVES.get((kty, crv if kty in ("EC", "OKP") and isinstance(crv, str) else None), ())
    if not able:
        reasons.add("jwk-no-curve" if _blank_curve(members) else "jwk-kty")
    if row is None and kty != "oct":
        return frozenset(able)
    if not isinstance(row, str) or row not in able:
        reasons.add("jwk-alg")
        return frozenset()
    return frozenset({row})


_ALL = frozenset(name for names in _SERVES.values() for name in names) | _LATTICES.keys()


def _identity(members: dict[str, Any], kty: str, row: Any, reasons: set[str]) -> tuple[Identity | None, bool]:
    names = _NUMBERS.get(kty, ())
    if not names or not all(isinstance(members.get(name), str) for name in names):
        reasons.add("jwk-numbers")
        return None, True
    numbers = [bytes_of(members[name]) for name in names]
    if not all(is_spelled_once(members[name]) and len(members[name]) <= 8192 for name in names):
        reasons.add("jwk-spelling")
    if kty == "RSA":
        return _rsa(numbers, reasons), True
    if kty == "oct":
        needed = {"HS256": 32, "HS384": 48, "HS512": 64}.get(row if isinstance(row, str) else "", 16)
        if not needed <= len(numbers[0]) <= 1024:
            reasons.add("jwk-strength")
        return ("oct", numbers[0].rstrip(b"\0")), not numbers[0].endswith(b"\0")
    crv = _curve_by_width(numbers[0]) if _blank_curve(members) else members.get("crv")
    lattice = _LATTICES.get(row if isinstance(row, str) else "")
    width = lattice if kty == "AKP" else _WIDTHS.get(crv if isinstance(crv, str) else "")
    if kty == "EC" and width is not None and any(len(number) > width for number in numbers):
        # RFC 7518 section 6.2.1.2: a coordinate has the curve's width; as an integer it may be the same.
        reasons.add("jwk-width")
        numbers = [number[:-width].lstrip(b"\x00") + number[-width:] for number in numbers]
    if any(len(number) != width for number in numbers):
        reasons.add("jwk-numbers")
    named = row if kty == "AKP" else crv
    if kty == "OKP" and _of_small_order(numbers[0]):
        reasons.add("jwk-strength")
    return ((kty, named, *numbers), False) if isinstance(named, str) else (None, True)


def _blank_curve(members: dict[str, Any]) -> bool:
    return members.get("kty") == "EC" and "crv" in members and not members["crv"]


def _curve_by_width(number: bytes) -> str | None:
    return next((crv for crv in ("P-256", "P-384", "P-521") if _WIDTHS[crv] == len(number)), None)


def _of_small_order(x: bytes) -> bool:
    """Whether its order is 1, 2, 4 or 8, so that anybody can sign under it (RFC 8032 section 5.1).

    Twice a point of order 8 has y = 0, so that x^2 = -y^2, and the curve's equation leaves the last factor.
    """
    prime = 2**255 - 19
    d, y = -121665 * pow(121666, -1, prime), int.from_bytes(x, "little") % 2**255
    return y * (y * y - 1) * (d * y**4 + 2 * y * y - 1) % prime == 0


def _rsa(numbers: list[bytes], reasons: set[str]) -> Identity:
    if any(number[:1] in (b"", b"\x00") for number in numbers):
        reasons.add("jwk-spelling")
    n, e = (int.from_bytes(number, "big") for number in numbers)
    if not 1024 <= n.bit_length() <= 8192 or not n & 1 or not 3 <= e < 2**32 or not e & 1:
        reasons.add("jwk-strength")
    return "RSA", n, e

"""A holder of a private key, who signs; what was signed is written down elsewhere."""

from __future__ import annotations

import hashlib
import hmac
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from keyvault_jwt import base64url, jwk
from keyvault_jwt.key_factory import load_private
from tests.fuzz.seeded_rsa import seeded_rsa
from tests.simulation.seeded_keys import PUBLIC_KEY, SeededKeys

HASHES: dict[str, hashes.HashAlgorithm] = {
    "256": hashes.SHA256(),
    "384": hashes.SHA384(),
    "512": hashes.SHA512(),
}
RSA_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
SECRET_ALGORITHMS = ("HS256", "HS384", "HS512")
Identity = tuple[Any, ...]
"""What a key is, whatever its JWK says beside: kty and the numbers."""


@dataclass(frozen=True, slots=True)
class Holder:
    """`members` are those of the public JWK (of the secret one, for HMAC); `sign(algorithm, data)` signs."""

    name: str
    algorithms: tuple[str, ...]
    members: dict[str, str]
    identity: Identity
    sign: Callable[[str, bytes], bytes]
    private: dict[str, str]


def identity_of(members: dict[str, Any]) -> Identity:
    """Return what key the members are, for members that are well formed."""
    numbers = {
        name: base64url.decode(members[name]) for name in ("n", "e", "x", "y", "pub", "k") if name in members
    }
    kty = members["kty"]
    if kty == "RSA":
        return kty, int.from_bytes(numbers["n"], "big"), int.from_bytes(numbers["e"], "big")
    if kty == "EC":
        return kty, members["crv"], numbers["x"], numbers["y"]
    if kty == "OKP":
        return kty, members["crv"], numbers["x"]
    # HMAC fills a short key up with zeros, so that keys which differ in these alone are one (RFC 2104).
    return (kty, members["alg"], numbers["pub"]) if kty == "AKP" else (kty, numbers["k"].rstrip(b"\0"))


def holders(dice: random.Random) -> dict[str, Holder]:
    """Return two holders for the curves that everybody uses, and one for the others, by name."""
    keys, made = SeededKeys(dice), []
    for algorithm in (*PUBLIC_KEY, "Ed25519", "ES256"):
        fresh = keys.make(algorithm)
        assert fresh.private is not None
        assert fresh.public is not None
        private = load_private(algorithm, fresh.private)
        names = ("Ed25519", "EdDSA") if algorithm == "Ed25519" else (algorithm,)
        made.append(_holder(f"{algorithm}-{len(made)}", names, fresh.public, _signer(private)))
    for bits, name in ((2048, "RSA-a"), (2048, "RSA-b"), (1024, "RSA-small")):
        pair = seeded_rsa(dice, bits)
        members = jwk.public_members(pair.public_key())
        # PS512 does not fit into 1024 bits.
        made.append(_holder(name, RSA_ALGORITHMS[: 5 if bits == 1024 else 6], members, _rsa_signer(pair)))
    for name, size in (("secret-a", 64), ("secret-b", 64), ("secret-short", 32)):
        secret = dice.randbytes(size)
        members = {"kty": "oct", "k": base64url.encode(secret)}
        made.append(
            _holder(name, SECRET_ALGORITHMS[: 1 if size == 32 else 3], members, _secret_signer(secret))
        )
    return {each.name: each for each in made}


def _holder(
    name: str, algorithms: tuple[str, ...], members: dict[str, str], sign: Callable[[str, bytes], bytes]
) -> Holder:
    # No verifier looks at the value of a private member, only whether one is there.
    private = {"RSA": {"d": "AQAB", "p": "Aw"}, "AKP": {"priv": "AAAA"}}.get(members["kty"], {"d": "AQAB"})
    return Holder(name, algorithms, members, identity_of(members), sign, private)


def _signer(key: Any) -> Callable[[str, bytes], bytes]:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return lambda _, data: key.sign(data)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        return lambda _, data: key.sign(data)
    width, size = (key.key_size + 7) // 8, {256: "256", 384: "384", 521: "512"}[key.key_size]
    scheme = ec.ECDSA(HASHES[size], deterministic_signing=True)

    def sign(_: str, data: bytes) -> bytes:
        r, s = decode_dss_signature(key.sign(data, scheme))
        return r.to_bytes(width, "big") + s.to_bytes(width, "big")

    return sign


def _secret_signer(secret: bytes) -> Callable[[str, bytes], bytes]:
    return lambda algorithm, data: hmac.digest(secret, data, f"sha{algorithm[2:]}")


def _rsa_signer(key: rsa.RSAPrivateKey) -> Callable[[str, bytes], bytes]:
    numbers = key.private_numbers()

    def sign(algorithm: str, data: bytes) -> bytes:
        if algorithm.startswith("RS"):
            return key.sign(data, padding.PKCS1v15(), HASHES[algorithm[2:]])
        salt = hashlib.new(f"sha{algorithm[2:]}", b"salt" + data).digest()
        return pss_signature(numbers, algorithm, data, salt)

    return sign


def pss_signature(key: rsa.RSAPrivateNumbers, algorithm: str, data: bytes, salt: bytes) -> bytes:
    """Return the RSASSA-PSS signature with this salt (RFC 8017 section 8.1.1): the same in every run."""
    name, bits = f"sha{algorithm[2:]}", key.public_numbers.n.bit_length()
    size, length = hashlib.new(name).digest_size, (bits + 6) // 8
    digest = hashlib.new(name, bytes(8) + hashlib.new(name, data).digest() + salt).digest()
    block = (b"\x01" + salt).rjust(length - size - 1, b"\x00")
    mask = b"".join(
        hashlib.new(name, digest + counter.to_bytes(4, "big")).digest()
        for counter in range(len(block) // size + 1)
    )
    masked = bytearray(left ^ right for left, right in zip(block, mask, strict=False))
    masked[0] &= 0xFF >> (8 * length - bits + 1)
    message = int.from_bytes(bytes(masked) + digest + b"\xbc", "big")
    first, second = pow(message, key.dmp1, key.p), pow(message, key.dmq1, key.q)
    signature = second + key.q * (key.iqmp * (first - second) % key.p)
    return signature.to_bytes((bits + 7) // 8, "big")

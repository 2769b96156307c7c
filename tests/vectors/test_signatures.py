"""Wycheproof's signatures and MACs, each checked by the key that a JWK Set with it gives.

Where the project is stricter than the file, the reason is written at `STRICTER`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Final

import msgspec
import pytest
from cryptography.hazmat.primitives.serialization import load_der_public_key

from keyvault_jwt import base64url, jwk, jwks
from keyvault_jwt.algorithms import ALGORITHMS
from keyvault_jwt.engine import CRYPTOGRAPHY, Engine
from keyvault_jwt.jwks import JWKSet
from keyvault_jwt.keyset import KeySet
from tests.engines import engines_for

from .published import Case, wycheproof

SIGNATURES: Final = {
    "ecdsa_secp256r1_sha256_p1363_test": "ES256",
    "ecdsa_secp384r1_sha384_p1363_test": "ES384",
    "ecdsa_secp521r1_sha512_p1363_test": "ES512",
    "ed25519_test": "Ed25519",
    "mldsa_44_verify_test": "ML-DSA-44",
    "mldsa_65_verify_test": "ML-DSA-65",
    "mldsa_87_verify_test": "ML-DSA-87",
    "rsa_pss_2048_sha256_mgf1_32_test": "PS256",
    "rsa_pss_3072_sha256_mgf1_32_test": "PS256",
    "rsa_signature_2048_sha256_test": "RS256",
    "rsa_signature_3072_sha256_test": "RS256",
    "rsa_signature_4096_sha512_test": "RS512",
}
MACS: Final = {"hmac_sha256_test": "HS256", "hmac_sha384_test": "HS384", "hmac_sha512_test": "HS512"}

STRICTER: Final[dict[str, Callable[[Case], bool]]] = {
    "RFC 9964 signs with an empty context": lambda case: bool(case.test.get("ctx")),
    "RFC 8017 section 9.2: the DigestInfo has one form": lambda case: "MissingNull" in case.flags,
}

SIGNATURE_CASES: Final = [
    pytest.param(engine, algorithm, *parameter.values, id=f"{name}-{parameter.id}-{engine_name}")
    for name, algorithm in SIGNATURES.items()
    for parameter in wycheproof(f"sig/{name}.json")
    for engine_name, engine in engines_for(algorithm).items()
]
MAC_CASES: Final = [
    pytest.param(algorithm, *parameter.values, id=f"{name}-{parameter.id}")
    for name, algorithm in MACS.items()
    for parameter in wycheproof(f"mac/{name}.json")
]


@cache
def parsed(members: tuple[tuple[str, str], ...], *, secret: bool) -> JWKSet:
    """Return the JWK Set with this one key; once per group, for its many tests."""
    return jwks.parse(msgspec.json.encode({"keys": [dict(members)]}), allow_symmetric=secret)


def key_of(group: dict[str, Any], algorithm: str) -> JWKSet:
    """Return the group's key as a verifier would find it in a JWK Set."""
    if algorithm.startswith("ML-DSA"):
        members = {"kty": "AKP", "pub": base64url.encode(bytes.fromhex(group["publicKey"]))}
    else:
        key = load_der_public_key(bytes.fromhex(group["publicKeyDer"]))
        members = jwk.public_members(key)  # type: ignore[arg-type]
    return parsed(tuple((members | {"kid": "k", "alg": algorithm}).items()), secret=False)


def accepts(
    keys: JWKSet, algorithm: str, signature: str, message: str, engine: Engine = CRYPTOGRAPHY
) -> bool:
    """Whether the set's key takes the signature."""
    bound = KeySet(keys.keys).find("k", ALGORITHMS[algorithm], engine)
    assert bound is not None
    return bound.verify(bytes.fromhex(signature), bytes.fromhex(message))


@pytest.mark.parametrize(("engine", "algorithm", "case"), SIGNATURE_CASES)
def test_signature(engine: Engine, algorithm: str, case: Case) -> None:
    """A signature is accepted exactly when the file says so, by each engine, but where we are stricter."""
    keys = key_of(case.group, algorithm)
    if "IncorrectPublicKeyLength" in case.flags:
        assert [skipped.code for skipped in keys.skipped] == ["key_refused"]
        return
    expected = case.test["result"] == "valid" and not any(rule(case) for rule in STRICTER.values())
    assert accepts(keys, algorithm, case.test["sig"], case.test["msg"], engine) is expected


@pytest.mark.parametrize("case", wycheproof("sig/ecdsa_secp256k1_sha256_p1363_test.json"))
def test_other_curve(case: Case) -> None:
    """A secp256k1 key is no key for ES256, nor for any algorithm of ours, good signature or not."""
    point = case.group["publicKey"]
    x, y = (base64url.encode(int(point[name], 16).to_bytes(32, "big")) for name in ("wx", "wy"))
    for algorithm in ("ES256", "ES256K"):
        members = {"kty": "EC", "crv": "secp256k1", "x": x, "y": y, "kid": "k", "alg": algorithm}
        keys = parsed(tuple(members.items()), secret=False)
        assert [skipped.code for skipped in keys.skipped] == ["wrong_key_type"]


@pytest.mark.parametrize(("algorithm", "case"), MAC_CASES)
def test_mac(algorithm: str, case: Case) -> None:
    """A whole MAC is accepted when it is good; a truncated one never; a short key is not even loaded."""
    secret = bytes.fromhex(case.test["key"])
    members = {"kty": "oct", "k": base64url.encode(secret), "kid": "k", "alg": algorithm}
    keys = parsed(tuple(members.items()), secret=True)
    size = ALGORITHMS[algorithm].strength
    if len(secret) * 8 < size:
        assert [skipped.code for skipped in keys.skipped] == ["weak_key"]
        return
    expected = case.test["result"] == "valid" and case.group["tagSize"] == size
    assert accepts(keys, algorithm, case.test["tag"], case.test["msg"]) is expected


@pytest.mark.parametrize("name", SIGNATURES)
def test_file_is_not_one_sided(name: str) -> None:
    """Each file has cases that are accepted and cases that are refused, or it would prove nothing."""
    results = {parameter.values[0].test["result"] for parameter in wycheproof(f"sig/{name}.json")}
    assert {"valid", "invalid"} <= results

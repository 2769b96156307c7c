"""The JOSE working group's ML-DSA examples (RFC 9964): key, thumbprint, JWS and signature."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from keyvault_jwt import base64url, jwk, jwks
from keyvault_jwt.cache import JWKSCache
from keyvault_jwt.verification_errors import InvalidSignature
from keyvault_jwt.verifier import Verifier

from .published import public, read

EXAMPLES = [
    pytest.param(read(f"mldsa-jose/ML_DSA_{size}.jose.json"), id=f"ML-DSA-{size}") for size in (44, 65, 87)
]


@pytest.mark.parametrize("example", EXAMPLES)
def test_example(example: dict[str, Any]) -> None:
    """The JWS is accepted by the published key; its parts are the raw bytes that the example shows."""
    members = public(example["jwk"])
    cache = JWKSCache.from_document({"keys": [members]})
    verifier = Verifier(cache, issuer=None, audience=None, algorithms=[members["alg"]])
    header, _ = verifier.verify_signature(example["jws"])
    assert header == {"alg": members["alg"], "kid": members["kid"]}
    signing_input, _, signature = example["jws"].rpartition(".")
    assert signing_input.encode().hex() == example["raw_to_be_signed"]
    assert base64url.decode(signature).hex() == example["raw_signature"]
    with pytest.raises(InvalidSignature):
        verifier.verify_signature(f"{signing_input}.{base64url.encode(base64url.decode(signature)[:-1])}")


@pytest.mark.parametrize("example", EXAMPLES)
def test_key(example: dict[str, Any]) -> None:
    """The thumbprint is the example's kid, the public bytes are its own, and the private JWK is refused."""
    members = example["jwk"]
    assert jwk.thumbprint(members) == members["kid"]
    (key,) = jwks.parse(msgspec.json.encode({"keys": [public(members)]})).keys
    assert jwk.public_members(key.key)["pub"] == members["pub"]
    assert base64url.decode(members["pub"]).hex() == example["raw_public_key"]
    (skipped,) = jwks.parse(msgspec.json.encode({"keys": [members]})).skipped
    assert skipped.code == "private_member"

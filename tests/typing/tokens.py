"""Checked, never run: what a caller of signer, cache and verifier sees of the types."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, assert_type

import jwt

import keyvault_jwt as kj
from keyvault_jwt.fast import AWSLC

store = kj.open_store("file:./keys")

signer = kj.Signer(store, "payments", issuer="https://id.example")
token = signer.sign({"sub": "u1", "aud": "api"}, ttl=timedelta(minutes=5))
assert_type(token, str)
assert_type(signer.kid, str | None)
with kj.Signer(store, "payments") as entered:
    assert_type(entered, kj.Signer)

cache = kj.JWKSCache("https://id.example/.well-known/jwks.json")
assert_type(kj.JWKSCache.from_store(store, "payments"), kj.JWKSCache)
assert_type(kj.JWKSCache.from_document({"keys": []}, allow_symmetric=False), kj.JWKSCache)
assert_type(kj.JWKSCache.from_document(b'{"keys": []}'), kj.JWKSCache)

verifier = kj.Verifier(cache, issuer="https://id.example", audience="api", algorithms=["ES256"])
kj.Verifier(
    cache,
    issuer=None,
    audience=["api", "web"],
    algorithms=("RS256", "PS256"),
    min_rsa_bits=2048,
    leeway=timedelta(seconds=30),
    typ="at+jwt",
    required=("exp", "sub"),
    remember=1000,
    engine=AWSLC(),
)
assert_type(verifier.verify(token), dict[str, Any])
assert_type(verifier.verify(token.encode()), dict[str, Any])
assert_type(verifier.verify_signature(token), tuple[dict[str, Any], bytes])


async def in_a_coroutine() -> None:
    """The asynchronous forms return what the others do."""
    assert_type(await verifier.averify(token), dict[str, Any])
    assert_type(await kj.MultiIssuer([verifier]).averify(token), dict[str, Any])


any_issuer = kj.MultiIssuer([verifier])
assert_type(any_issuer.verify(token), dict[str, Any])


def verifier_over(keys: kj.KeySource) -> kj.Verifier:
    """Any key source will do, the caches among them."""
    return kj.Verifier(keys, issuer=None, audience=None, algorithms=["ES256"])


verifier_over(cache)

refusal: type[kj.KeyvaultJWTError] = kj.VerificationError
caught: type[jwt.PyJWTError] = kj.VerificationError

# What must not pass.
kj.Signer("file:./keys", "payments")  # type: ignore[arg-type]  # pyright: ignore
signer.sign({"sub": "u1"}, ttl=300)  # type: ignore[arg-type]  # pyright: ignore
signer.sign("sub=u1")  # type: ignore[arg-type]  # pyright: ignore
kj.Verifier(cache, algorithms=["ES256"])  # type: ignore[call-arg]  # pyright: ignore
kj.Verifier(cache, issuer=None, audience=None)  # type: ignore[call-arg]  # pyright: ignore
kj.Verifier("https://id.example", issuer=None, audience=None, algorithms=["ES256"])  # type: ignore[arg-type]  # pyright: ignore
verifier_over(store)  # type: ignore[arg-type]  # pyright: ignore
verifier.verify(None)  # type: ignore[arg-type]  # pyright: ignore

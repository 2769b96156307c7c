"""MultiIssuer: each token by its own issuer's rules, and nothing for a stranger's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from keyvault_jwt.cache import JWKSCache
from keyvault_jwt.errors import UsageError
from keyvault_jwt.multi_issuer import MultiIssuer
from keyvault_jwt.testing.fake_clock import FakeClock
from keyvault_jwt.verification_errors import (
    InvalidSignature,
    MalformedToken,
    TokenTooLarge,
    UnknownKey,
    WrongAudience,
    WrongIssuer,
)
from keyvault_jwt.verifier import Verifier

from .conftest import Endpoint, TestKey, jwk_set

MakeKey = Callable[..., TestKey]
ONE, TWO = "https://one.example", "https://two.example"


@pytest.fixture
def issuers(make_key: MakeKey, clock: FakeClock) -> MultiIssuer:
    """Two issuers, with a key each, whose tokens are for two audiences."""
    return MultiIssuer(
        Verifier(
            JWKSCache.from_document(jwk_set(make_key("ES256", number).jwk())),
            issuer=issuer,
            audience=audience,
            algorithms=["ES256"],
            clock=clock,
        )
        for number, (issuer, audience) in enumerate(((ONE, "api"), (TWO, "admin")))
    )


def test_each_by_its_own_rules(issuers: MultiIssuer, make_key: MakeKey, claims: dict[str, Any]) -> None:
    """A token is verified by its issuer's keys and for its issuer's audience, and by no other's."""
    one, two = make_key("ES256", 0), make_key("ES256", 1)
    first, second = claims | {"iss": ONE}, claims | {"iss": TWO, "aud": "admin"}
    assert issuers.issuers == (ONE, TWO)
    assert issuers.verify(one.token(first)) == first
    assert asyncio.run(issuers.averify(two.token(second))) == second
    with pytest.raises(UnknownKey):
        issuers.verify(two.token(first))
    with pytest.raises(InvalidSignature):
        issuers.verify(two.token(first, kid=one.kid))
    with pytest.raises(WrongAudience):
        issuers.verify(two.token(second | {"aud": "api"}))


@pytest.mark.parametrize("issuer", ["https://three.example", ONE + "/", "", ONE.upper()])
def test_unlisted_issuer(
    make_key: MakeKey, claims: dict[str, Any], endpoint: Endpoint, clock: FakeClock, issuer: str
) -> None:
    """An issuer that is not listed is refused without any request, for keys or metadata."""
    cache = JWKSCache(endpoint.url, clock=clock)
    verifier = Verifier(cache, issuer=ONE, audience="api", algorithms=["ES256"], clock=clock)
    with cache, pytest.raises(WrongIssuer):
        MultiIssuer([verifier]).verify(make_key("ES256", 0).token(claims | {"iss": issuer}))
    assert endpoint.requests == []


@pytest.mark.parametrize("issuer", [None, 7, [ONE], {"iss": ONE}, True], ids=str)
def test_issuer_that_is_no_text(
    issuers: MultiIssuer, make_key: MakeKey, claims: dict[str, Any], issuer: Any
) -> None:
    """An `iss` of another type is refused before anything else."""
    with pytest.raises(MalformedToken):
        issuers.verify(make_key("ES256", 0).token(claims | {"iss": issuer}))


def test_payloads_that_are_none(issuers: MultiIssuer, make_key: MakeKey) -> None:
    """A payload that is no JSON object with an issuer, or too large, is refused."""
    key = make_key("ES256", 0)
    for payload in (b"", b"[]", b"{}", b"[" * 40_000, b'{"iss":"' + ONE.encode()):
        with pytest.raises(MalformedToken):
            issuers.verify(key.token(payload))
    with pytest.raises(TokenTooLarge):
        issuers.verify("a" * 100_000)


def test_issuer_named_twice(issuers: MultiIssuer, make_key: MakeKey, claims: dict[str, Any]) -> None:
    """Of two `iss` in one payload the same one chooses the keys and is compared."""
    key = make_key("ES256", 0)
    body = msgspec.json.encode({**claims, "iss": ONE})[1:-1]
    with pytest.raises(UnknownKey):
        issuers.verify(key.token(b"{" + body + b',"iss":"' + TWO.encode() + b'"}'))


def test_verifiers_that_cannot_be_meant(clock: FakeClock) -> None:
    """A verifier for any issuer, or a second one for the same, is refused."""
    cache = JWKSCache.from_document(jwk_set())
    anyone = Verifier(cache, issuer=None, audience=None, algorithms=["ES256"])
    one = Verifier(cache, issuer=ONE, audience=None, algorithms=["ES256"])
    for wrong in ([anyone], [one, one]):
        with pytest.raises(UsageError):
            MultiIssuer(wrong)

"""Attacks on what a verifier remembers: tokens that share what they can with a good one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from keyvault_jwt.cache import JWKSCache
from keyvault_jwt.keyset import KeySet
from keyvault_jwt.testing.fake_clock import FakeClock
from keyvault_jwt.verification_errors import InvalidSignature, InvalidToken
from keyvault_jwt.verifier import Verifier
from tests.attacks.conftest import AUDIENCE, ISSUER, MakeKey, MakeVerifier, segment, verdict
from tests.unit.conftest import TestKey, jwk_set


class SameHash(str):
    """A token whose hash is another's, as a poor hash function would have it."""

    __slots__ = ("_hash",)
    _hash: int

    def __hash__(self) -> int:
        return self._hash

    __eq__ = str.__eq__


def with_hash_of(token: str, other: str) -> str:
    """Return the token, in a text that falls into the same place of every table as another."""
    made = SameHash(token)
    made._hash = hash(other)
    return made


@pytest.fixture
def users(make_key: MakeKey, claims: dict[str, Any]) -> tuple[TestKey, list[str]]:
    """A key, and its tokens for two users, who differ in nothing else."""
    key = make_key("ES256", 0)
    return key, [key.token(claims | {"sub": name}) for name in ("alice", "carol")]


def test_parts_of_remembered_tokens(users: tuple[TestKey, list[str]], make_verifier: MakeVerifier) -> None:
    """No mixture of two remembered tokens is a third: header, payload and signature belong together.

    CVE-2026-35039 (fast-jwt): with it tokens that share what the cache's key is made of are one to it, and
    a user gets another's claims.
    """
    key, (alice, carol) = users
    verifier = make_verifier(key.jwk(), remember=100)
    assert [verifier.verify(token)["sub"] for token in (alice, carol, alice, carol)] == ["alice", "carol"] * 2
    ours, theirs = alice.split("."), carol.split(".")
    assert ours[0] == theirs[0]
    mixtures = [
        ".".join((ours[0], theirs[1], ours[2])),
        ".".join((ours[0], ours[1], theirs[2])),
        ".".join((ours[0], ours[1], "")),
        ".".join((ours[0], theirs[1], "")),
        ".".join((ours[0], ours[1], ours[1])),
        ".".join((ours[0], ours[2], ours[1])),
        f"{ours[0]}.{theirs[1]}.{segment(bytes(64))}",
        f"{ours[0]}.{ours[1]}{theirs[1]}.{ours[2]}",
    ]
    for mixture in mixtures:
        for spelt in (mixture, mixture.encode(), with_hash_of(mixture, alice), with_hash_of(mixture, carol)):
            with pytest.raises(InvalidToken):
                verifier.verify(spelt)
    assert [verifier.verify(token)["sub"] for token in (alice, carol)] == ["alice", "carol"]


@pytest.mark.parametrize("length", [1, 8, 16, 32, 64, 128, 200])
def test_tokens_that_begin_or_end_alike(
    users: tuple[TestKey, list[str]], make_verifier: MakeVerifier, length: int
) -> None:
    """A token that begins, or ends, as a remembered one does is another token.

    CVE-2026-35039 (fast-jwt): with a key of the cache that is a part of the token, it is the same.
    """
    key, (alice, carol) = users
    verifier = make_verifier(key.jwk(), remember=100)
    verifier.verify(alice)
    stem, _, signature = alice.rpartition(".")
    changed = segment(bytes(64))
    for other in (
        alice[:length] + "A" * (len(alice) - length),
        "A" * (len(alice) - length) + alice[-length:],
        alice[:-length],
        alice[length:],
        f"{stem}.{signature[:40]}{changed[40:]}",
        f"{stem}.{changed[:40]}{signature[40:]}",
    ):
        assert other != alice
        assert verdict(verifier, other) != "accepted"
    assert verifier.verify(carol)["sub"] == "carol"


def test_hashes_that_collide(users: tuple[TestKey, list[str]], make_verifier: MakeVerifier) -> None:
    """Tokens whose hashes are equal are told apart by all of their text.

    CVE-2026-35039 (fast-jwt): with it equal hashes are equal tokens.
    """
    key, (alice, carol) = users
    verifier = make_verifier(key.jwk(), remember=100)
    forged = carol.rpartition(".")[0] + f".{segment(bytes(64))}"
    twin = with_hash_of(forged, alice)
    assert hash(twin) == hash(alice)
    assert verifier.verify(alice)["sub"] == "alice"
    for _ in range(2):
        with pytest.raises(InvalidSignature):
            verifier.verify(twin)
        assert verifier.verify(with_hash_of(carol, alice))["sub"] == "carol"
        assert verifier.verify(alice)["sub"] == "alice"


def test_refused_tokens_are_not_remembered_as_good(
    users: tuple[TestKey, list[str]], make_verifier: MakeVerifier, claims: dict[str, Any], clock: FakeClock
) -> None:
    """What was refused once stays refused, and a remembered token is refused as soon as it is over.

    With a memory of verdicts instead of payloads, an expired, early or foreign token would stay good.
    """
    key, (alice, _) = users
    verifier = make_verifier(key.jwk(), remember=100)
    foreign = key.token(claims | {"aud": "other"})
    early = key.token(claims | {"nbf": claims["iat"] + 3600})
    for _ in range(3):
        assert verdict(verifier, foreign) == "audience_wrong"
        assert verdict(verifier, early) == "token_immature"
        assert verdict(verifier, alice) == "accepted"
    clock.advance(timedelta(seconds=91))
    assert verdict(verifier, alice) == "token_expired"


def test_verifiers_share_no_memory(make_key: MakeKey, claims: dict[str, Any], clock: FakeClock) -> None:
    """What one verifier remembers another does not know, though their keys have one kid.

    CVE-2026-50202 (Steeltoe): with it a memory that all schemes share lets one's keys speak for another.
    """
    key, other = make_key("ES256", 0), make_key("ES256", 1)
    expected: dict[str, Any] = {"audience": AUDIENCE, "algorithms": ["ES256"], "clock": clock, "remember": 9}
    one = Verifier(JWKSCache.from_document(jwk_set(key.jwk())), issuer=ISSUER, **expected)
    two = Verifier(JWKSCache.from_document(jwk_set(other.jwk(kid=key.kid))), issuer=ISSUER, **expected)
    token = key.token(claims)
    assert verdict(one, token) == "accepted"
    assert verdict(two, token) == "signature_invalid"
    assert verdict(two, other.token(claims, kid=key.kid)) == "accepted"
    assert verdict(one, other.token(claims, kid=key.kid)) == "signature_invalid"


class Keys:
    """A key source whose set the test exchanges."""

    def __init__(self, *keys: dict[str, Any]) -> None:
        self.publish(*keys)

    def publish(self, *keys: dict[str, Any]) -> None:
        """Hold these keys from now on."""
        self.keys = JWKSCache.from_document(jwk_set(*keys)).current()

    def current(self) -> KeySet | None:
        return self.keys

    def find(self, kid: str | None, known: KeySet | None) -> KeySet:
        assert self.keys is not None
        return self.keys

    async def afind(self, kid: str | None, known: KeySet | None) -> KeySet:
        return self.find(kid, known)


@pytest.mark.parametrize("remember", [0, 9])
def test_key_that_was_withdrawn(
    make_key: MakeKey, claims: dict[str, Any], clock: FakeClock, remember: int
) -> None:
    """When a key leaves the set, is exchanged under its kid, or changes its algorithm, its tokens are out.

    CVE-2025-22149 (jwkset), CVE-2026-50202 (Steeltoe): with them what was once learnt of a key stays.
    """
    key, other = make_key("ES256", 0), make_key("ES256", 1)
    source = Keys(key.jwk())
    verifier = Verifier(
        source, issuer=None, audience=None, algorithms=["ES256"], clock=clock, remember=remember
    )
    token = key.token(claims)
    for changed, refusal in (
        ([other.jwk()], "key_unknown"),
        ([other.jwk(kid=key.kid)], "signature_invalid"),
        ([key.jwk(), other.jwk(kid=key.kid)], "key_ambiguous"),
        ([key.jwk(use="enc")], "key_unknown"),
        ([key.jwk(alg="ES384")], "key_unknown"),
        ([], "key_unknown"),
    ):
        source.publish(key.jwk())
        assert [verdict(verifier, token) for _ in range(2)] == ["accepted"] * 2
        source.publish(*changed)
        assert [verdict(verifier, token) for _ in range(2)] == [refusal] * 2

"""JWK Sets: what goes out is public, and what comes in is usable or left out with a reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from keyvault_jwt import jwk, jwks
from keyvault_jwt.algorithms import ALGORITHMS
from keyvault_jwt.errors import CorruptDocument, DocumentTooLarge, PrivateMember, WrongKeyType
from keyvault_jwt.jwks import Origin

from .conftest import TestKey, jwk_set

MakeKey = Callable[..., TestKey]
ASYMMETRIC = [row.name for row in ALGORITHMS.values() if not row.symmetric]


@pytest.mark.parametrize("algorithm", ASYMMETRIC)
def test_published_key_is_read_back(make_key: MakeKey, algorithm: str) -> None:
    """What `published` and `render` write, `parse` reads as the same key bound to its algorithm."""
    key = make_key(algorithm, 0)
    origin = Origin("payments", 1_700_000_000_000, 7)
    parsed = jwks.parse(jwks.render([key.jwk()], origin=origin))
    assert parsed.origin == origin
    assert parsed.skipped == ()
    (read,) = parsed.keys
    assert (read.kid, read.algorithms) == (key.kid, {algorithm})
    assert jwk.public_members(read.key) == key.members
    assert jwks.public_jwk(read) == key.jwk()


@pytest.mark.parametrize("member", sorted(jwk.PRIVATE_MEMBERS))
def test_private_member_is_never_published(make_key: MakeKey, member: str) -> None:
    """Neither `published` nor `render` lets a JWK with any private member out."""
    key = make_key("ES256", 0)
    assert key.members is not None
    with pytest.raises(PrivateMember):
        jwks.published(key.kid, "ES256", key.members | {member: "AAAA"})
    with pytest.raises(PrivateMember):
        jwks.render([make_key("Ed25519", 0).jwk(), key.jwk(**{member: "AAAA"})], origin=None)


def test_secret_is_never_published(make_key: MakeKey) -> None:
    """An `oct` key is refused on the way out, even one whose `k` was taken away."""
    secret = make_key("HS256", 0)
    with pytest.raises(PrivateMember):
        jwks.render([secret.jwk()], origin=None)
    with pytest.raises(PrivateMember):
        jwks.render([secret.jwk(k=None)], origin=None)
    (parsed,) = jwks.parse(jwk_set(secret.jwk()), allow_symmetric=True).keys
    with pytest.raises(PrivateMember):
        jwks.public_jwk(parsed)


def test_published_members_fit_the_algorithm(make_key: MakeKey) -> None:
    """A key is not published under an algorithm of another type or curve."""
    key = make_key("ES256", 0)
    assert key.members is not None
    for algorithm in ("ES384", "Ed25519", "RS256"):
        with pytest.raises(WrongKeyType):
            jwks.published(key.kid, algorithm, key.members)


BAD_KEYS: dict[str, tuple[Any, str]] = {
    "not an object": ("key", "key_refused"),
    "null": (None, "key_refused"),
    "no kty": ({"kid": "b"}, "wrong_key_type"),
    "unknown kty": ({"kid": "b", "kty": "XYZ"}, "wrong_key_type"),
    "kty of a wrong type": ({"kid": "b", "kty": ["EC"]}, "wrong_key_type"),
    "unknown curve": ({"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA"}, "wrong_key_type"),
    "key agreement": ({"kty": "OKP", "crv": "X25519", "x": "A" * 43}, "wrong_key_type"),
    "point off the curve": ({"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 43}, "key_refused"),
    "RSA of 512 bits": ({"kty": "RSA", "n": "x" * 85 + "w", "e": "AQAB"}, "weak_key"),
    "RSA of 16384 bits": ({"kty": "RSA", "n": "x" * 2730 + "w", "e": "AQAB"}, "key_refused"),
    "secret": ({"kty": "oct", "k": "A" * 43, "alg": "HS256"}, "private_member"),
}


@pytest.mark.parametrize("name", BAD_KEYS)
@pytest.mark.parametrize("first", [True, False], ids=["before", "after"])
def test_bad_key_does_not_kill_the_set(make_key: MakeKey, name: str, first: bool) -> None:
    """A JWK that can't be used is left out with its place and reason, and the others stay."""
    good = make_key("ES256", 0)
    bad, code = BAD_KEYS[name]
    listed = [bad, good.jwk()] if first else [good.jwk(), bad]
    parsed = jwks.parse(msgspec.json.encode({"keys": listed}))
    assert [key.kid for key in parsed.keys] == [good.kid]
    assert [(skipped.index, skipped.code) for skipped in parsed.skipped] == [(0 if first else 1, code)]


@pytest.mark.parametrize(
    "members",
    [
        {"use": "enc"},
        {"use": ["sig"]},
        {"key_ops": ["sign"]},
        {"key_ops": "verify"},
        {"key_ops": []},
        {"alg": "RSA-OAEP"},
        {"alg": "ES384"},
        {"alg": "es256"},
        {"alg": "none"},
        {"alg": 256},
        {"d": "AAAA"},
        {"kid": 7},
        {"kid": "k" * 1025},
    ],
    ids=str,
)
def test_key_for_something_else_is_left_out(make_key: MakeKey, members: dict[str, Any]) -> None:
    """`use`, `key_ops`, `alg`, a private member or a kid of a wrong type take a JWK out of the set."""
    parsed = jwks.parse(jwk_set(make_key("ES256", 0).jwk(**members)))
    assert parsed.keys == ()
    assert len(parsed.skipped) == 1


@pytest.mark.parametrize(
    ("algorithm", "served"),
    [
        ("ES256", {"ES256"}),
        ("Ed25519", {"Ed25519"}),
        ("RS256", {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}),
    ],
)
def test_key_without_alg_serves_what_its_type_allows(
    make_key: MakeKey, algorithm: str, served: set[str]
) -> None:
    """A JWK that leaves `alg` out is bound by kty and crv, and never to a symmetric algorithm."""
    (key,) = jwks.parse(jwk_set(make_key(algorithm, 0).jwk(alg=None, use=None))).keys
    assert key.algorithms == served


@pytest.mark.parametrize("name", ["kty", "crv", "kid", "use", "key_ops", "alg", "x", "y", "n", "e", "d", "k"])
@pytest.mark.parametrize("value", [[], {}, [[]], 7, 1.5, True, "", "\x00", "é"], ids=repr)
@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
@pytest.mark.parametrize("stated", [True, False], ids=["alg", "no alg"])
def test_no_member_of_any_type_kills_the_set(
    make_key: MakeKey, name: str, value: Any, algorithm: str, stated: bool
) -> None:
    """Whatever type a member has, its key is used or left out, and the one beside it serves."""
    members = make_key(algorithm, 0).jwk(**({} if stated else {"alg": None}))
    good = make_key("Ed25519", 0).jwk()
    parsed = jwks.parse(jwk_set(members | {name: value}, good))
    assert good["kid"] in {key.kid for key in parsed.keys}
    assert len(parsed.keys) + len(parsed.skipped) == 2


def test_older_name_of_ed25519(make_key: MakeKey) -> None:
    """A JWK that says EdDSA is an Ed25519 key."""
    (key,) = jwks.parse(jwk_set(make_key("Ed25519", 0).jwk(alg="EdDSA"))).keys
    assert key.algorithms == {"Ed25519"}


def test_symmetric_keys_enter_only_when_allowed(make_key: MakeKey) -> None:
    """`oct` keys are taken with `allow_symmetric` and an `alg` of their own, else left out."""
    secret = make_key("HS256", 0)
    assert jwks.parse(jwk_set(secret.jwk())).keys == ()
    assert [key.kid for key in jwks.parse(jwk_set(secret.jwk()), allow_symmetric=True).keys] == [secret.kid]
    for bad in (
        secret.jwk(alg=None),
        secret.jwk(alg="HS512"),
        secret.jwk(alg="A256KW"),
        secret.jwk(k="AAAA"),
    ):
        assert jwks.parse(jwk_set(bad), allow_symmetric=True).keys == ()


def test_symmetric_keys_never_stand_beside_asymmetric_ones(make_key: MakeKey) -> None:
    """In a mixed set the secrets are left out, whichever comes first."""
    secret, public = make_key("HS256", 0), make_key("ES256", 0)
    for listed in ([secret.jwk(), public.jwk()], [public.jwk(), secret.jwk()]):
        parsed = jwks.parse(jwk_set(*listed), allow_symmetric=True)
        assert [key.kid for key in parsed.keys] == [public.kid]
        assert len(parsed.skipped) == 1


def test_unreadable_twin_takes_a_kid_down(make_key: MakeKey) -> None:
    """A readable key is left out when a broken one of its kid and type is there: which is meant?"""
    good, other = make_key("ES256", 0), make_key("RS256", 0)
    twin = good.jwk(x="!")
    parsed = jwks.parse(jwk_set(good.jwk(), twin, other.jwk()))
    assert [key.kid for key in parsed.keys] == [other.kid]
    # For another purpose, or of another type, it is no twin.
    for harmless in (good.jwk(use="enc"), other.jwk(kid=good.kid, n="!"), good.jwk(alg="ECDH-ES")):
        parsed = jwks.parse(jwk_set(good.jwk(), harmless))
        assert [key.kid for key in parsed.keys] == [good.kid]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"keys":{}}',
        b'{"keys":null}',
        b'{"keys":[]',
        b"<html>",
        b'{"keys":NaN}',
        b"[" * 100_000,
        b'{"keys":' + b"[" * 100_000,
        b'{"keys":["\xff"]}',
    ],
    ids=range(12),
)
def test_what_is_no_set_is_refused(data: bytes) -> None:
    """Bytes that are no JWK Set are refused whole, as one error."""
    with pytest.raises(CorruptDocument):
        jwks.parse(data)


def test_caps(make_key: MakeKey) -> None:
    """A set above the caps on bytes or keys is refused before its keys are read."""
    one = make_key("ES256", 0).jwk()
    with pytest.raises(DocumentTooLarge):
        jwks.parse(jwk_set(one, one, one), max_keys=2)
    with pytest.raises(DocumentTooLarge):
        jwks.parse(jwk_set(one), max_bytes=64)
    assert len(jwks.parse(jwk_set(one, one), max_keys=2).keys) == 2


@pytest.mark.parametrize(
    "member",
    [
        None,
        7,
        {},
        {"ring": "r"},
        {"ring": "r", "epoch": "1", "revision": 1},
        {"ring": "r", "epoch": True, "revision": 1},
        {"ring": 1, "epoch": 1, "revision": 1},
        {"ring": "../r\n", "epoch": 1, "revision": 1},
    ],
    ids=str,
)
def test_strange_origin_says_nothing(make_key: MakeKey, member: Any) -> None:
    """An extra member of our name but not of our shape is a stranger's, as any other member is."""
    parsed = jwks.parse(jwk_set(make_key("ES256", 0).jwk(), keyvault_jwt=member, other=[1]))
    assert parsed.origin is None
    assert len(parsed.keys) == 1


def test_secrets_do_not_show(make_key: MakeKey) -> None:
    """No repr of a parsed set shows key bytes."""
    secret = make_key("HS256", 0)
    assert secret.jwk()["k"] not in repr(jwks.parse(jwk_set(secret.jwk()), allow_symmetric=True))

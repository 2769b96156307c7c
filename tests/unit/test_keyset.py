"""Key choice: a header means exactly one key, bound to one algorithm, or none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from keyvault_jwt import jwks
from keyvault_jwt.algorithms import ALGORITHMS
from keyvault_jwt.keyset import KeySet
from keyvault_jwt.verification_errors import AlgorithmRefused, AmbiguousKey, DeniedKey

from .conftest import TestKey, jwk_set

MakeKey = Callable[..., TestKey]
ES256, ES384, RS256, PS256 = (ALGORITHMS[name] for name in ("ES256", "ES384", "RS256", "PS256"))


def key_set(*keys: dict[str, Any], denied: frozenset[str] = frozenset()) -> KeySet:
    """Return the set of these JWKs."""
    parsed = jwks.parse(jwk_set(*keys))
    assert parsed.skipped == ()
    return KeySet(parsed.keys, denied=denied)


def test_kid_and_algorithm_choose(make_key: MakeKey) -> None:
    """The kid's key is found for its own algorithm, bound once, and checks its signatures."""
    one, two = make_key("ES256", 0), make_key("ES256", 1)
    keys = key_set(one.jwk(), two.jwk())
    found = keys.find(two.kid, ES256)
    assert found is not None
    assert (found.key.kid, found.algorithm.name) == (two.kid, "ES256")
    assert keys.find(two.kid, ES256) is found
    signing_input, _, signature = two.token({}).rpartition(".")
    raw = jwks.jwk.base64url.decode(signature)
    assert found.verify(raw, signing_input.encode())
    other = keys.find(one.kid, ES256)
    assert other is not None
    assert not other.verify(raw, signing_input.encode())


def test_unknown_kid(make_key: MakeKey) -> None:
    """A kid that no key has is no error here: a newer set may have it."""
    keys = key_set(make_key("ES256", 0).jwk())
    assert keys.find("other", ES256) is None
    assert not keys.has("other")
    assert not keys.has(None)


def test_kid_of_another_algorithm(make_key: MakeKey) -> None:
    """A kid whose key serves another algorithm is refused, not looked for."""
    key = make_key("ES256", 0)
    for row in (ES384, RS256, ALGORITHMS["HS256"]):
        with pytest.raises(AlgorithmRefused):
            key_set(key.jwk()).find(key.kid, row)


def test_no_kid_needs_a_unique_match(make_key: MakeKey) -> None:
    """Without a kid the algorithm's only key is meant; of two, neither."""
    one, two, rsa = make_key("ES256", 0), make_key("ES256", 1), make_key("RS256", 0)
    found = key_set(one.jwk(), rsa.jwk()).find(None, ES256)
    assert found is not None
    assert found.key.kid == one.kid
    assert key_set(rsa.jwk()).find(None, ES256) is None
    with pytest.raises(AmbiguousKey):
        key_set(one.jwk(), two.jwk()).find(None, ES256)


def test_key_without_kid(make_key: MakeKey) -> None:
    """A JWK without kid answers to headers without one, and never to a kid."""
    key = make_key("ES256", 0)
    keys = key_set(key.jwk(kid=None))
    assert keys.find(None, ES256) is not None
    assert keys.find(key.kid, ES256) is None


def test_twins_are_refused(make_key: MakeKey) -> None:
    """Two keys of one kid and algorithm can't be told apart; the same key twice is one."""
    one, two = make_key("ES256", 0), make_key("ES256", 1)
    with pytest.raises(AmbiguousKey):
        key_set(one.jwk(), two.jwk(kid=one.kid)).find(one.kid, ES256)
    assert key_set(one.jwk(), one.jwk()).find(one.kid, ES256) is not None


def test_one_kid_for_two_types_is_legal(make_key: MakeKey) -> None:
    """Keys of one kid but different types are told apart by the algorithm (RFC 7517 section 4.5)."""
    ec, rsa = make_key("ES256", 0), make_key("RS256", 0)
    keys = key_set(ec.jwk(kid="k"), rsa.jwk(kid="k"))
    for row in (ES256, RS256):
        found = keys.find("k", row)
        assert found is not None
        assert found.algorithm is row
    with pytest.raises(AlgorithmRefused):
        keys.find("k", PS256)


@pytest.mark.parametrize("by", ["kid", "thumbprint"])
def test_denied_key_is_out(make_key: MakeKey, by: str) -> None:
    """A key denied by kid or thumbprint is in no answer, and its kid is told to be denied."""
    bad, good = make_key("ES256", 0), make_key("ES256", 1)
    name = bad.kid if by == "kid" else jwks.parse(jwk_set(bad.jwk())).keys[0].thumbprint
    keys = key_set(
        bad.jwk(kid="bad") if by == "thumbprint" else bad.jwk(), good.jwk(), denied=frozenset({name})
    )
    assert [key.kid for key in keys.keys] == [good.kid]
    assert keys.find(None, ES256) is not None
    if by == "kid":
        with pytest.raises(DeniedKey):
            keys.find(bad.kid, ES256)
    else:
        assert keys.find("bad", ES256) is None

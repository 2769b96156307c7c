"""The PyJWKClient facade: PyJWT's own client and ours are interchangeable."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import jwt
import pytest

from keyvault_jwt.pyjwt_compat import PyJWKClient
from keyvault_jwt.verification_errors import AlgorithmRefused, AmbiguousKey, MalformedToken

from .conftest import Endpoint, TestKey, plain

MakeKey = Callable[..., TestKey]
ALGORITHMS = ["ES256", "ES384", "ES512", "RS256", "PS256", "EdDSA"]


@pytest.fixture
def client(endpoint: Endpoint) -> Iterator[PyJWKClient]:
    """A client of the endpoint."""
    made = PyJWKClient(endpoint.url)
    yield made
    made.close()


def decode(key: jwt.PyJWK, token: str) -> dict[str, Any]:
    """Decode as a PyJWT user does."""
    return jwt.decode(token, key, algorithms=ALGORITHMS, options={"verify_exp": False, "verify_aud": False})


@pytest.mark.parametrize("algorithm", ["ES256", "ES512", "RS256", "PS256", "Ed25519"])
def test_pyjwt_decodes_with_our_keys(
    endpoint: Endpoint, client: PyJWKClient, make_key: MakeKey, algorithm: str
) -> None:
    """`jwt.decode` accepts a token with the key that our client finds, for every algorithm it knows."""
    key = make_key(algorithm, 0)
    endpoint.publish(key.jwk(), make_key("ML-DSA-44", 0).jwk())
    # PyJWT knows the algorithm of Ed25519 keys by its older name alone.
    token = key.token({"sub": "u1"}, alg="EdDSA" if algorithm == "Ed25519" else algorithm)
    for found in (client.get_signing_key_from_jwt(token), client.get_signing_key(key.kid)):
        assert decode(found, token) == {"sub": "u1"}
        assert found.key_id == key.kid
    assert [found.key_id for found in client.get_signing_keys()] == [key.kid]
    assert client.get_jwk_set()[key.kid].key_id == key.kid
    assert client.match_kid(client.get_signing_keys(), key.kid) is not None
    assert client.match_kid(client.get_signing_keys(), "x") is None
    assert len(endpoint.requests) == 1


def test_same_answers_as_pyjwts_own(endpoint: Endpoint, client: PyJWKClient, make_key: MakeKey) -> None:
    """Over one endpoint both clients give the same keys, and the same class of error for an unknown kid."""
    keys = [make_key("ES256", number) for number in (0, 1)]
    endpoint.publish(*(key.jwk() for key in keys))
    theirs = jwt.PyJWKClient(endpoint.url)
    for key in keys:
        ours, reference = client.get_signing_key(key.kid), theirs.get_signing_key(key.kid)
        assert ours.key == reference.key
        assert ours.algorithm_name == reference.algorithm_name
    for one in (client, theirs):
        with pytest.raises(jwt.PyJWKClientError):
            one.get_signing_key("unknown")
        with pytest.raises(jwt.PyJWKClientError):
            one.get_signing_key_from_jwt(keys[0].token({}, kid="unknown"))
        with pytest.raises(jwt.DecodeError):
            one.get_signing_key_from_jwt("no token")


def test_same_signatures_as_pyjwts_own() -> None:
    """Every public method and argument of PyJWT's client is there, with its default."""
    theirs, ours = (
        {name: inspect.signature(method) for name, method in inspect.getmembers(kind, inspect.isfunction)}
        for kind in (jwt.PyJWKClient, PyJWKClient)
    )
    for name, signature in theirs.items():
        if not name.startswith("_") or name == "__init__":
            given = ours[name].parameters
            for parameter in signature.parameters.values():
                assert given[parameter.name].default == parameter.default
                assert given[parameter.name].kind == parameter.kind


def test_token_without_kid(endpoint: Endpoint, client: PyJWKClient, make_key: MakeKey) -> None:
    """Without a kid the only key of the token's algorithm is found."""
    key = make_key("RS256", 0)
    endpoint.publish(key.jwk(alg=None, kid=None))
    token = key.token({"sub": "u1"}, kid=None)
    assert decode(client.get_signing_key_from_jwt(token), token) == {"sub": "u1"}
    with pytest.raises(jwt.PyJWKClientError):
        client.get_signing_keys()


def test_confusion_is_refused(endpoint: Endpoint, client: PyJWKClient, make_key: MakeKey) -> None:
    """No key is given out for a token of another algorithm than the key's, or of none."""
    key = make_key("ES256", 0)
    endpoint.publish(key.jwk())
    for algorithm in ("HS256", "RS256", "none", "ES521"):
        with pytest.raises(AlgorithmRefused):
            client.get_signing_key_from_jwt(key.token({}, alg=algorithm))
    with pytest.raises(MalformedToken):
        client.get_signing_key_from_jwt(key.token({}, crit=["exp"]))


def test_one_kid_for_two_types(endpoint: Endpoint, client: PyJWKClient, make_key: MakeKey) -> None:
    """Keys of one kid are told apart by the token's algorithm; by the kid alone they can't be."""
    ec, rsa = make_key("ES256", 0), make_key("RS256", 0)
    endpoint.publish(ec.jwk(kid="k"), rsa.jwk(kid="k"))
    token = rsa.token({"sub": "u1"}, kid="k")
    assert decode(client.get_signing_key_from_jwt(token), token) == {"sub": "u1"}
    with pytest.raises(AmbiguousKey):
        client.get_signing_key("k")


def test_refreshing(endpoint: Endpoint, client: PyJWKClient, make_key: MakeKey) -> None:
    """`refresh=True` and `fetch_data` ask the endpoint; a failure is PyJWT's connection error."""
    one, two = make_key("ES256", 0), make_key("ES256", 1)
    endpoint.publish(one.jwk())
    assert [key.key_id for key in client.get_signing_keys()] == [one.kid]
    endpoint.publish(two.jwk())
    assert [key.key_id for key in client.get_signing_keys()] == [one.kid]
    assert [key.key_id for key in client.get_signing_keys(refresh=True)] == [two.kid]
    assert client.fetch_data() == {"keys": [two.jwk()]}
    endpoint.answer = plain(b"", 503)
    for ask in (client.fetch_data, lambda: client.get_jwk_set(refresh=True)):
        with pytest.raises(jwt.PyJWKClientConnectionError):
            ask()
    assert client.get_signing_key(two.kid).key_id == two.kid


@pytest.mark.parametrize("kid", [None, 7, [], {}], ids=str)
def test_a_kid_that_is_no_text(endpoint: Endpoint, client: PyJWKClient, make_key: MakeKey, kid: Any) -> None:
    """What no header can name is no key, told as PyJWT tells it, whatever type it has."""
    endpoint.publish(make_key("ES256", 0).jwk())
    with pytest.raises(jwt.PyJWKClientError):
        client.get_signing_key(kid)

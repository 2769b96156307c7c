"""Verification errors: ours and PyJWT's at once, each with a code, none with the token."""

from __future__ import annotations

import copy
import pickle

import jwt
import pytest

from keyvault_jwt import verification_errors as errors
from keyvault_jwt.errors import KeyvaultJWTError

ALL = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, errors.VerificationError)
]

ALSO: list[tuple[type[errors.VerificationError], type[Exception]]] = [
    (errors.KeysUnavailable, jwt.PyJWKClientConnectionError),
    (errors.MalformedToken, jwt.DecodeError),
    (errors.EncryptedToken, jwt.DecodeError),
    (errors.UnsupportedHeader, jwt.DecodeError),
    (errors.AlgorithmRefused, jwt.InvalidAlgorithmError),
    (errors.UnknownKey, jwt.PyJWKClientError),
    (errors.AmbiguousKey, jwt.PyJWKClientError),
    (errors.UnusableKey, jwt.InvalidKeyError),
    (errors.InvalidSignature, jwt.InvalidSignatureError),
    (errors.MalformedIssuedAt, jwt.InvalidIssuedAtError),
    (errors.MissingClaim, jwt.MissingRequiredClaimError),
    (errors.ExpiredToken, jwt.ExpiredSignatureError),
    (errors.ImmatureToken, jwt.ImmatureSignatureError),
    (errors.FutureToken, jwt.ImmatureSignatureError),
    (errors.WrongIssuer, jwt.InvalidIssuerError),
    (errors.WrongAudience, jwt.InvalidAudienceError),
]


@pytest.mark.parametrize(("ours", "theirs"), ALSO)
def test_each_is_what_pyjwt_users_catch(
    ours: type[errors.VerificationError], theirs: type[Exception]
) -> None:
    """An error is caught by our root, by PyJWT's root and by the PyJWT class of its meaning."""
    for root in (KeyvaultJWTError, jwt.PyJWTError, theirs):
        with pytest.raises(root):
            raise ours("what", why="why", fix="fix")


def test_only_the_sources_fault_is_no_invalid_token() -> None:
    """Whoever answers 401 to `jwt.InvalidTokenError` answers so to every bad token, and to no outage."""
    outages = {kind for kind in ALL if not issubclass(kind, jwt.InvalidTokenError)}
    assert outages == {errors.VerificationError, errors.KeysUnavailable}


def test_codes_are_unique_and_drawn() -> None:
    """Each class has a code of its own, and the tree in the docstring shows both."""
    assert len({kind.code for kind in ALL}) == len(ALL)
    assert errors.__doc__ is not None
    drawn = {tuple(line.strip("│├└─ ").split()[:2]) for line in errors.__doc__.splitlines()}
    assert {(kind.__name__, kind.code) for kind in ALL} <= drawn


@pytest.mark.parametrize("kind", ALL)
def test_copies_say_the_same(kind: type[errors.VerificationError]) -> None:
    """An error that crosses a process or is raised by a second waiter keeps class and text."""
    error = kind("what", why="why", fix="fix")
    for other in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert type(other) is kind
        assert str(other) == str(error) == "what; why: why; do: fix"


def test_missing_claim_names_it() -> None:
    """The claim's name is an attribute, as in PyJWT, and survives a copy."""
    error = errors.MissingClaim("gone", claim="sub")
    assert copy.copy(error).claim == error.claim == "sub"

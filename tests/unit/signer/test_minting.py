"""What a signer mints, and what it refuses to."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import KeySet

from keyvault_jwt.algorithms import ALGORITHMS
from keyvault_jwt.errors import (
    TokenRefused,
)
from keyvault_jwt.key_factory import load_private
from keyvault_jwt.key_manager import KeyManager
from keyvault_jwt.policy import RotationPolicy
from keyvault_jwt.signer import Signer
from keyvault_jwt.testing import FakeClock
from tests.faulty_store import FaultyStore
from tests.unit.signer.conftest import CLAIMS, ISSUER


def test_a_token_carries_issuer_times_and_kid(
    signer: Signer, clock: FakeClock, manager: KeyManager, opened: Callable[[str], dict[str, Any]]
) -> None:
    """iss is the keyring's, iat the floor of now, exp iat + L, and the header names alg, kid and typ."""
    clock.advance(700)
    signer.refresh()
    token = signer.sign(CLAIMS)
    now = clock.wall() // 1000
    assert opened(token) == {**CLAIMS, "iss": ISSUER, "iat": now, "exp": now + 2}
    active = manager.keyring("payments").active
    assert active is not None
    assert jwt.get_unverified_header(token) == {"alg": "ES256", "kid": active.kid, "typ": "JWT"}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_signs_what_its_verifier_takes(
    algorithm: str, store: FaultyStore, clock: FakeClock
) -> None:
    """A keyring of each algorithm mints tokens that its verifier accepts, and joserfc where it can."""
    manager = KeyManager(store, clock=clock)
    manager.create("ring", RotationPolicy(algorithm=algorithm), issuer=ISSUER)
    token = Signer(store, "ring", clock=clock, background=False).sign(CLAIMS)
    signing_input, _, signature = token.rpartition(".")
    active = manager.keyring("ring").active
    assert active is not None
    assert active.private is not None
    key = load_private(algorithm, active.private)
    row = ALGORITHMS[algorithm]
    public = key if row.symmetric else key.public_key()  # type: ignore[union-attr]
    raw = jwt.utils.base64url_decode(signature)
    assert row.verifier(public)(raw, signing_input.encode())
    assert not row.verifier(public)(raw, signing_input.encode() + b"x")
    if not row.symmetric and row.kty != "AKP":
        keys = KeySet.import_key_set(json.loads(manager.jwks("ring")))
        decoded = joserfc_jwt.decode(token, keys, algorithms=[algorithm])
        assert decoded.claims["sub"] == "u1"


def test_a_ttl_shortens_the_life(signer: Signer, opened: Callable[[str], dict[str, Any]]) -> None:
    """ttl sets exp; a fraction of a second is cut off, never added."""
    claims = opened(signer.sign(CLAIMS, ttl=timedelta(milliseconds=1900)))
    assert claims["exp"] - claims["iat"] == 1


def test_the_longest_life_is_allowed_to_the_millisecond(
    signer: Signer, clock: FakeClock, opened: Callable[[str], dict[str, Any]]
) -> None:
    """exp − iat may be L exactly, by ttl or by the caller's exp, whole or not, and no more."""
    now = clock.wall() // 1000
    assert opened(signer.sign(CLAIMS, ttl=timedelta(seconds=2)))["exp"] == now + 2
    assert opened(signer.sign({**CLAIMS, "exp": now + 2}))["exp"] == now + 2
    assert opened(signer.sign({**CLAIMS, "exp": now + 1.5}))["exp"] == now + 1.5
    for life in ({"ttl": timedelta(milliseconds=2001)}, {"claims": {"exp": now + 2.001}}):
        claims: dict[str, Any] = CLAIMS | life.get("claims", {})  # type: ignore[operator]
        with pytest.raises(TokenRefused, match="longer than 2s"):
            signer.sign(claims, ttl=life.get("ttl"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "claims",
    [
        {"iat": 1_700_000_000},
        {"iat": None},
        {"iss": "https://other.example"},
        {"iss": None},
        {"exp": True},
        {"exp": "1900000000"},
        {"exp": math.inf},
        {"exp": math.nan},
        {"exp": None},
        {"exp": datetime(2026, 1, 1, tzinfo=UTC)},
        pytest.param({"exp": 10**400}, id="exp-400-digits"),
        pytest.param({"nbf": -(10**400)}, id="nbf-400-digits"),
        {"exp": 0},
        {"exp": -5},
        {"nbf": False},
        {"nbf": "soon"},
        {"nbf": -math.inf},
        {"sub": 7},
        {"jti": 7},
        {"aud": 7},
        {"aud": ["api", 7]},
        {"x": math.nan},
        {"x": [1, {"y": math.inf}]},
        pytest.param({"x": object()}, id="an object"),
        {"x": "\ud800"},
        {1: "x"},
    ],
    ids=repr,
)
def test_claims_that_no_verifier_should_see_are_refused(signer: Signer, claims: dict[Any, Any]) -> None:
    """A caller's iat or another issuer, dates that are no numbers, and what has no JSON form."""
    with pytest.raises(TokenRefused):
        signer.sign({**CLAIMS, **claims})


def test_claims_that_hold_themselves_are_refused(signer: Signer) -> None:
    """A claim that contains itself is a refusal, not a crash."""
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(TokenRefused):
        signer.sign({"x": loop})


@pytest.mark.parametrize("claims", [None, [], "sub", 7])
def test_claims_that_are_no_mapping_are_refused(signer: Signer, claims: Any) -> None:
    """Claims of another type are a typed refusal."""
    with pytest.raises(TokenRefused):
        signer.sign(claims)


def test_no_refusal_quotes_a_value(signer: Signer) -> None:
    """Refusals name the claim and never what it held, since claims may be personal."""
    for claims in ({"exp": "canary"}, {"x": ["canary", object()]}, {"sub": ["canary"]}, {"iss": "canary"}):
        with pytest.raises(TokenRefused) as refused:
            signer.sign(claims)
        error: BaseException | None = refused.value
        while error is not None:
            assert "canary" not in f"{error!s}{error!r}"
            error = error.__cause__


def test_null_and_finite_values_pass(signer: Signer, opened: Callable[[str], dict[str, Any]]) -> None:
    """A claim that is None stays null: only numbers that JSON lacks are refused."""
    claims = {"x": None, "y": [None, 1.5, {"z": "null"}], "iss": ISSUER}
    assert claims.items() <= opened(signer.sign(claims)).items()


def test_the_callers_claims_are_left_alone(signer: Signer) -> None:
    """Signing doesn't change the mapping that it was given."""
    claims = dict(CLAIMS)
    signer.sign(claims)
    assert claims == CLAIMS


@pytest.mark.parametrize("ttl", [timedelta(0), timedelta(seconds=-1), timedelta(milliseconds=999), 60, True])
def test_a_ttl_that_is_no_time_is_refused(signer: Signer, ttl: Any) -> None:
    """A life of under a second can't be told in whole seconds, and a number is no timedelta."""
    with pytest.raises(TokenRefused):
        signer.sign(CLAIMS, ttl=ttl)


def test_a_ttl_and_an_exp_are_refused(signer: Signer, clock: FakeClock) -> None:
    """Two answers to one question are refused."""
    with pytest.raises(TokenRefused, match="both"):
        signer.sign({"exp": clock.wall() // 1000 + 1}, ttl=timedelta(seconds=1))


def test_a_caller_may_set_typ_and_members_of_its_own(signer: Signer) -> None:
    """RFC 9068's at+jwt and a private member go into the header beside alg and kid."""
    header = jwt.get_unverified_header(signer.sign(CLAIMS, headers={"typ": "at+jwt", "tenant": "t1"}))
    assert (header["typ"], header["tenant"], header["kid"]) == ("at+jwt", "t1", signer.kid)


@pytest.mark.parametrize(
    "name", ["alg", "kid", "crit", "b64", "jku", "jwk", "x5u", "x5c", "x5t", "x5t#S256", "enc", "zip"]
)
def test_a_caller_may_not_say_how_the_token_is_verified(signer: Signer, name: str) -> None:
    """The header members that pick the key or the algorithm are the signer's."""
    with pytest.raises(TokenRefused, match=name):
        signer.sign(CLAIMS, headers={name: "none"})


@pytest.mark.parametrize("headers", [{"typ": 7}, {"x": math.nan}, {7: "x"}], ids=repr)
def test_a_header_without_json_form_is_refused(signer: Signer, headers: dict[Any, Any]) -> None:
    """A header is held to the same rules as claims."""
    with pytest.raises(TokenRefused):
        signer.sign(CLAIMS, headers=headers)

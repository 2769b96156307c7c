"""Claim checks: who issued the token, for whom, and from when to when."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyvault_jwt.claims import Check, compile_checks, parse_claims, validity
from keyvault_jwt.errors import UsageError
from keyvault_jwt.verification_errors import (
    ExpiredToken,
    FutureToken,
    ImmatureToken,
    InvalidToken,
    MalformedClaim,
    MalformedIssuedAt,
    MalformedToken,
    MissingClaim,
    WrongAudience,
    WrongIssuer,
)

NOW = 1_800_000_000_000
SECOND = NOW // 1000
GOOD = {"iss": "https://id.example", "aud": "api", "exp": SECOND + 60}


def check(**changes: Any) -> Check:
    """Return the checks for our issuer and audience with a leeway of 30 s, with changes."""
    expected: dict[str, Any] = {
        "issuer": "https://id.example",
        "audience": "api",
        "leeway": 30_000,
        "required": ("exp",),
    }
    return compile_checks(**(expected | changes))


def test_good_claims_pass() -> None:
    """What is expected passes, with or without members that nobody asks about."""
    check()(GOOD, NOW)
    check()(GOOD | {"iat": SECOND, "nbf": SECOND - 1, "scope": ["a"], "exp": SECOND + 0.5}, NOW)


_DATES = st.one_of(
    st.integers(SECOND - 200, SECOND + 200),
    st.floats(SECOND - 200, SECOND + 200),
    st.sampled_from([0, -1, 2**53, 1e300]),
)


@given(st.dictionaries(st.sampled_from(["exp", "nbf", "iat"]), _DATES), st.integers(0, 60_000), st.data())
def test_validity_is_when_the_checks_pass(dates: dict[str, Any], leeway: int, data: st.DataObject) -> None:
    """The times between which a token is said to hold are just those at which its check passes."""
    checked = compile_checks(issuer=None, audience=None, leeway=leeway, required=())
    begin, end = validity(dates, leeway)
    edges = [edge + by for edge in (begin, end) if abs(edge) < 1e15 for by in (-1, 0, 1)]
    near = st.sampled_from([int(edge) for edge in edges]) if edges else st.nothing()
    now = data.draw(near | st.integers(NOW - 300_000, NOW + 300_000))
    try:
        checked(dates, now)
    except InvalidToken:
        assert not begin <= now < end
    else:
        assert begin <= now < end


def test_bounds_of_the_times() -> None:
    """exp is over at its own millisecond plus leeway; nbf and iat begin at theirs less leeway."""
    check()(GOOD | {"exp": SECOND - 29.999}, NOW)
    with pytest.raises(ExpiredToken):
        check()(GOOD | {"exp": SECOND - 30}, NOW)
    check()(GOOD | {"nbf": SECOND + 30}, NOW)
    with pytest.raises(ImmatureToken):
        check()(GOOD | {"nbf": SECOND + 30.001}, NOW)
    check()(GOOD | {"iat": SECOND + 30}, NOW)
    with pytest.raises(FutureToken):
        check()(GOOD | {"iat": SECOND + 30.001}, NOW)
    check(leeway=0)(GOOD | {"exp": SECOND + 1, "nbf": SECOND, "iat": SECOND}, NOW)
    with pytest.raises(ExpiredToken):
        check(leeway=0)(GOOD | {"exp": SECOND}, NOW)


@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
@pytest.mark.parametrize(
    "value",
    [True, False, "1800000060", [], {}, [1800000060], float("inf"), float("nan"), float("-inf")],
    ids=repr,
)
def test_a_time_is_a_finite_number(name: str, value: Any) -> None:
    """Text, a bool, a list or an infinity is not taken for a time."""
    with pytest.raises(MalformedIssuedAt if name == "iat" else MalformedClaim):
        check()(GOOD | {name: value}, NOW)


@pytest.mark.parametrize("value", [10**400, 1e308, 2**63])
def test_huge_times(value: float) -> None:
    """A number beyond all dates is compared like any other."""
    check()(GOOD | {"exp": value}, NOW)
    with pytest.raises(ImmatureToken):
        check()(GOOD | {"nbf": value}, NOW)
    with pytest.raises(ExpiredToken):
        check()(GOOD | {"exp": -value}, NOW)


def test_required_claims() -> None:
    """A required claim that is absent or null is missing; its name is told."""
    for claims in ({"iss": GOOD["iss"], "aud": "api"}, GOOD | {"exp": None}):
        with pytest.raises(MissingClaim) as missing:
            check()(claims, NOW)
        assert missing.value.claim == "exp"
    with pytest.raises(MissingClaim) as missing:
        check(required=("exp", "sub"))(GOOD, NOW)
    assert missing.value.claim == "sub"
    check(required=())({"iss": GOOD["iss"], "aud": "api"}, NOW)
    with pytest.raises(MalformedClaim):
        check(required=())(GOOD | {"exp": None}, NOW)


@pytest.mark.parametrize(
    "issuer",
    [
        "https://id.example/",
        "HTTPS://id.example",
        "https://id.exampl",
        "",
        ["https://id.example"],
        {},
        7,
        True,
    ],
    ids=repr,
)
def test_issuer_is_exact_text(issuer: Any) -> None:
    """No issuer but the very same text is accepted."""
    with pytest.raises(WrongIssuer):
        check()(GOOD | {"iss": issuer}, NOW)


@pytest.mark.parametrize(
    "audience",
    ["ap", "api2", "API", "", [], ["other"], ["api", 7], ["api", None], [["api"]], {"api": 1}, 7, True],
    ids=repr,
)
def test_audience_is_by_membership(audience: Any) -> None:
    """Neither a part of the name, nor a list with anything but text, nor another type passes."""
    with pytest.raises(WrongAudience):
        check()(GOOD | {"aud": audience}, NOW)


def test_one_of_several_audiences() -> None:
    """A token for several, or a verifier that answers to several, needs one in common."""
    check()(GOOD | {"aud": ["other", "api"]}, NOW)
    check(audience=["api", "admin"])(GOOD, NOW)
    check(audience={"admin"})(GOOD | {"aud": ["x", "admin"]}, NOW)
    with pytest.raises(WrongAudience):
        check(audience=["admin"])(GOOD, NOW)


@pytest.mark.parametrize("name", ["iss", "aud"])
def test_expected_claims_must_be_there(name: str) -> None:
    """What is compared must be there, null not counting."""
    for value in (None, ...):
        claims = {key: claim for key, claim in (GOOD | {name: value}).items() if claim is not ...}
        with pytest.raises(MissingClaim) as missing:
            check()(claims, NOW)
        assert missing.value.claim == name


def test_none_leaves_a_claim_unchecked() -> None:
    """Written-out None accepts any issuer or audience, and none."""
    check(issuer=None, audience=None)({"exp": SECOND + 1}, NOW)
    check(issuer=None, audience=None)(GOOD | {"iss": 7, "aud": {}}, NOW)


@pytest.mark.parametrize(
    "expected",
    [
        {"issuer": ""},
        {"issuer": ["https://id.example"]},
        {"audience": ""},
        {"audience": []},
        {"audience": ["api", ""]},
        {"audience": ["api", None]},
        {"leeway": -1},
        {"required": "exp"},
    ],
    ids=str,
)
def test_expectations_that_cannot_be_meant(expected: dict[str, Any]) -> None:
    """An expectation that every or no token meets is refused when the verifier is made."""
    with pytest.raises(UsageError):
        check(**expected)


@pytest.mark.parametrize(
    "payload",
    [b"", b"[]", b'"x"', b"null", b"{", b'{"a":1}{', b'{"a":NaN}', b'{"a":1e999}', b"\xff", b"[" * 60_000],
    ids=lambda payload: repr(payload[:12]),
)
def test_payload_is_a_json_object(payload: bytes) -> None:
    """Any other payload is malformed, however deep."""
    with pytest.raises(MalformedToken):
        parse_claims(payload)


def test_claims_are_the_callers_own() -> None:
    """Each parse gives a new dict."""
    assert parse_claims(b'{"a":[1]}') == {"a": [1]}
    assert parse_claims(b"{}") is not parse_claims(b"{}")


PLAUSIBLE = st.dictionaries(
    st.sampled_from(["exp", "iat", "iss", "aud", "sub"]),
    st.one_of(
        st.sampled_from([None, True, "api", "https://id.example", "", ["api"], ["x"], {}, 1e400, -1, 10**30]),
        st.integers(SECOND - 60, SECOND + 60),
        st.floats(SECOND - 60, SECOND + 60),
    ),
)


def verdict(checks: Check, claims: dict[str, Any]) -> str:
    """Return the code of what the checks raise, empty if they pass."""
    try:
        checks(claims, NOW)
    except InvalidToken as error:
        return error.code
    return ""


@pytest.mark.parametrize("required", [("exp",), (), ("exp", "sub")])
@pytest.mark.parametrize("expected", [{}, {"issuer": None}, {"audience": None}, {"audience": ["web", "api"]}])
@given(claims=PLAUSIBLE)
def test_plain_claims_are_judged_like_others(
    required: tuple[str, ...], expected: dict[str, Any], claims: dict[str, Any]
) -> None:
    """A token without nbf is judged at a glance; with one that is long over, claim by claim, and alike."""
    checks = check(required=required, **expected)
    for judged in (claims, GOOD | claims):
        assert verdict(checks, judged) == verdict(checks, judged | {"nbf": 0})

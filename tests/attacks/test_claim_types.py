"""Attacks on the types of claims: what is nearly the issuer, the audience or a time is none of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from keyvault_jwt.multi_issuer import MultiIssuer
from keyvault_jwt.testing.fake_clock import FakeClock
from keyvault_jwt.verification_errors import MalformedToken, WrongIssuer
from tests.attacks.conftest import AUDIENCE, ISSUER, MakeKey, MakeVerifier, segment, verdict

NO_ISSUERS = [
    *([ISSUER], ["https://evil.example", ISSUER], [ISSUER, ISSUER], [[ISSUER]], {"iss": ISSUER}, {ISSUER: 1}),
    *(True, False, 0, 1, 1.5, [], {}, "", " ", ISSUER[:-1], ISSUER[1:], ISSUER[:8], "https:", "/", "e"),
    *(
        f"{ISSUER}/",
        f" {ISSUER}",
        f"{ISSUER} ",
        f"{ISSUER}\x00",
        f"{ISSUER}\n",
        ISSUER.upper(),
        f"{ISSUER}#x",
    ),
    *(
        f"{ISSUER}?x",
        f"{ISSUER}:443",
        f"{ISSUER}.evil.example",
        f"https://evil.example#{ISSUER}",
        f'"{ISSUER}"',
    ),
    *(f"{ISSUER},https://evil.example", ISSUER.replace("https", "http"), ISSUER.replace("i", "\u0456")),
    *("https://id.example@evil.example", "https://id%2Eexample", "//id.example", "id.example", "*", ".*"),
]


@pytest.mark.parametrize("iss", NO_ISSUERS, ids=ascii)
def test_what_is_no_issuer(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any], iss: Any
) -> None:
    """The issuer is one text, compared whole: no part of it, no list with it, no look-alike.

    CVE-2024-53861 (PyJWT): with it a part of the issuer's name is enough.  CVE-2025-30144 (fast-jwt): with it
    a list that has the right one among others is, and the next reader takes the first.
    """
    key = make_key("ES256", 0)
    verifier = make_verifier(key.jwk())
    token = key.token(claims | {"iss": iss})
    with pytest.raises(WrongIssuer):
        verifier.verify(token)
    with pytest.raises((WrongIssuer, MalformedToken)):
        MultiIssuer([verifier]).verify(token)


NO_AUDIENCES = [
    *(
        [],
        [[]],
        [[AUDIENCE]],
        {},
        {AUDIENCE: 1},
        {"aud": AUDIENCE},
        [{AUDIENCE: 1}],
        [None],
        [None, AUDIENCE],
    ),
    *([AUDIENCE, 1], [1, AUDIENCE], [True], True, False, 0, 1, 1.5, "", [""], "ap", "pi", "a"),
    *("apis", "API"),
    *(
        f" {AUDIENCE}",
        f"{AUDIENCE} ",
        f"{AUDIENCE}\x00",
        "api,other",
        "api other",
        '["api"]',
        "*",
        ".*",
        ["*"],
    ),
    *("\u0430pi", "api/", list(AUDIENCE), [list(AUDIENCE)], "undefined", "null", ["null"]),
]


@pytest.mark.parametrize("aud", NO_AUDIENCES, ids=ascii)
def test_what_is_no_audience(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any], aud: Any
) -> None:
    """The audience is our name, alone or in a list of texts; anything else is for somebody else.

    CVE-2020-26160 (jwt-go): with it an empty list, or what is no text, is for everybody.
    """
    key = make_key("ES256", 0)
    token = key.token(claims | {"aud": aud})
    for audience in (AUDIENCE, [AUDIENCE], [AUDIENCE, "second"]):
        assert verdict(make_verifier(key.jwk(), audience=audience), token) == "audience_wrong"


def test_claims_that_are_left_out(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any]
) -> None:
    """What is expected and not there, or null, is missing, not passed over.

    CVE-2018-15801 (Spring Security), CVE-2020-26160 (jwt-go): with them a check of what is absent succeeds.
    """
    key = make_key("ES256", 0)
    verifier = make_verifier(key.jwk())
    for name in ("iss", "aud", "exp"):
        without = {n: v for n, v in claims.items() if n != name}
        assert verdict(verifier, key.token(without)) == "claim_missing"
        assert verdict(verifier, key.token(claims | {name: None})) == "claim_missing"
        assert verdict(verifier, key.token(without | {name.upper(): claims[name]})) == "claim_missing"
        assert verdict(verifier, key.token(without | {f"{name}\x00": claims[name]})) == "claim_missing"


NO_TIMES = [
    *("99999999999", "1", "", "never", "2099-01-01T00:00:00Z", "NaN", "Infinity", "1e99", "0x7fffffff"),
    *(True, False, [], [99999999999], [[]], {}, {"exp": 99999999999}, {"$numberLong": "99999999999"}),
]


@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("value", NO_TIMES, ids=ascii)
def test_what_is_no_time(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any], name: str, value: Any
) -> None:
    """A time of another type is malformed, whether the claim is required or not.

    CVE-2026-25537 (jsonwebtoken for Rust): with it `nbf` as text is as good as none.
    """
    key = make_key("ES256", 0)
    token = key.token(claims | {name: value})
    for required in (("exp",), (), (name,)):
        found = verdict(make_verifier(key.jwk(), required=required), token)
        assert found == ("issued_at_malformed" if name == "iat" else "claim_malformed")


@pytest.mark.parametrize("exp", [0, -1, -(10**30), 0.5, -0.0, 1767225599, 1767225599.999])
def test_times_that_are_over(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any], clock: FakeClock, exp: Any
) -> None:
    """Zero, less and fractions are times like any other, and long over; zero is not "never".

    Libraries that test a claim for truth take an `exp` of 0 for a token without end.
    """
    key = make_key("ES256", 0)
    for required in (("exp",), ()):
        verifier = make_verifier(key.jwk(), leeway=timedelta(0), required=required)
        assert verdict(verifier, key.token(claims | {"exp": exp})) == "token_expired"


@pytest.mark.parametrize(
    "payload",
    [[], [{}], ["CLAIMS"], "CLAIMS", "", 0, 1, True, False, None, 1.5, b"", b"{}{}", b"{},"],
    ids=ascii,
)
def test_payload_that_is_no_object(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any], payload: Any
) -> None:
    """A well signed payload that is no JSON object has no claims, so none of them can be good.

    CVE-2026-107723 (fast-jwt): with it a list as payload passes every check, since it has nothing to check.
    """
    key = make_key("ES256", 0)
    written = payload if isinstance(payload, bytes) else msgspec.json.encode(payload)
    written = written.replace(b'"CLAIMS"', msgspec.json.encode(claims if isinstance(payload, list) else "x"))
    verifier = make_verifier(key.jwk(), issuer=None, audience=None, required=())
    for checks in (verifier, make_verifier(key.jwk())):
        assert verdict(checks, key.token(written)) == "token_malformed"


def test_claims_named_twice(make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any]) -> None:
    """Of two claims of one name the last is checked and handed out, never one checked and the other used.

    RFC 7519 section 4: unlike a header, which is refused, a signed payload is its issuer's own word.
    """
    key = make_key("ES256", 0)
    verifier = make_verifier(key.jwk())
    stated = msgspec.json.encode(claims)
    for name, wrong in (
        ("iss", '"https://evil.example"'),
        ("aud", '"evil"'),
        ("exp", "1"),
        ("sub", '"root"'),
    ):
        first = f'{{"{name}":{wrong},'.encode() + stated[1:]
        last = stated[:-1] + f',"{name}":{wrong}}}'.encode()
        assert verifier.verify(key.token(first)) == claims
        if name == "sub":
            assert verifier.verify(key.token(last)) == claims | {"sub": "root"}
        else:
            assert verdict(verifier, key.token(last)) != "accepted"
        several = MultiIssuer([verifier])
        assert several.verify(key.token(first)) == claims
        assert (verdict(several, key.token(last)) == "accepted") == (name == "sub")


def test_claims_in_the_header(make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any]) -> None:
    """Claims that are repeated in the header, as JWE may, neither help nor are compared.

    RFC 7519 section 5.3 lets a JWE repeat them: a check that looks there is a check of nothing.
    """
    key = make_key("ES256", 0)
    verifier = make_verifier(key.jwk())
    for name in ("iss", "aud", "exp"):
        without = {n: v for n, v in claims.items() if n != name}
        assert verdict(verifier, key.token(without, **{name: claims[name]})) == "claim_missing"
    assert verdict(verifier, key.token(claims, iss="https://evil.example", exp=1)) == "accepted"


def test_type_of_another_use(make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any]) -> None:
    """A verifier for access tokens takes no ID token, logout token or proof of the same issuer and key.

    RFC 8725 section 2.8 (cross-JWT confusion): with it a token got for one thing opens another.
    """
    key = make_key("ES256", 0)
    verifier = make_verifier(key.jwk(), typ="at+jwt")
    assert verdict(verifier, key.token(claims, typ="at+jwt")) == "accepted"
    for typ in ("JWT", "logout+jwt", "dpop+jwt", "secevent+jwt", "at", "at+jwt ", "x/at+jwt", "", None):
        assert verdict(verifier, key.token(claims, typ=typ)) == "type_refused"
    for typ in (["at+jwt"], {"at+jwt": 1}, True, 1):
        header = msgspec.json.encode({"alg": "ES256", "kid": key.kid, "typ": typ})
        assert verdict(verifier, key.raw_token(header, msgspec.json.encode(claims))) == "token_malformed"
    assert verdict(verifier, f"{segment({'alg': 'ES256'})}.{segment(claims)}.") == "type_refused"

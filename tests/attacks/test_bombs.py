"""Attacks on memory and stack: tokens that are huge, deep, compressed, or cost much to look at."""

from __future__ import annotations

import gc
import json
import tracemalloc
import zlib
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from jwcrypto import jwe, jwk

from keyvault_jwt import compact, jwks
from keyvault_jwt.errors import CorruptDocument
from keyvault_jwt.multi_issuer import MultiIssuer
from keyvault_jwt.verification_errors import InvalidToken
from tests.attacks.conftest import MakeKey, MakeVerifier, segment, verdict

MEGABYTE = 1_000_000
Peak = Callable[[Callable[[], object]], int]


@pytest.fixture
def peak() -> Peak:
    """Return how many bytes were in use at most, beyond those before, while something was called."""

    def measured(act: Callable[[], object]) -> int:
        gc.collect()
        tracemalloc.start()
        try:
            act()
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    return measured


HUGE: dict[str, Callable[[str, str, str, int], str]] = {
    "dots": lambda h, p, s, size: "." * size,
    "dots after a header": lambda h, p, s, size: h + "." * size,
    "dots after a token": lambda h, p, s, size: f"{h}.{p}.{s}" + "." * size,
    "Bearer and dots": lambda h, p, s, size: "Bearer " + "." * size,
    "short parts": lambda h, p, s, size: "a." * (size // 2),
    "header": lambda h, p, s, size: f"{'A' * size}.{p}.{s}",
    "header that grows": lambda h, p, s, size: f"{h}{'A' * size}.{p}.{s}",
    "payload": lambda h, p, s, size: f"{h}.{'A' * size}.{s}",
    "signature": lambda h, p, s, size: f"{h}.{p}.{'A' * size}",
    "one part": lambda h, p, s, size: "A" * size,
    "JSON": lambda h, p, s, size: "{" + " " * size + "}",
    "white space": lambda h, p, s, size: " " * size,
    "five parts": lambda h, p, s, size: "....".join([h, "A" * size]),
}


@pytest.mark.parametrize("name", HUGE)
def test_many_megabytes(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any], peak: Peak, name: str
) -> None:
    """A token of 10 or 100 MB is refused by its length: nothing of it is copied, split, decoded or quoted.

    CVE-2025-27144 (go-jose), CVE-2025-30204 (golang-jwt), CVE-2026-80179 (jwcrypto): with them each dot costs
    memory.  CVE-2025-61920 (Authlib): with it parts of any size are decoded.  CVE-2025-65015 (joserfc): with
    it the error says the whole of what was too long.
    """
    key = make_key("ES256", 0)
    verifier = make_verifier(key.jwk(), remember=9)
    token = key.token(claims)
    huge = HUGE[name](*token.split("."), (100 if name in {"dots", "header"} else 10) * MEGABYTE)
    for known in (False, True):
        if known:
            verifier.verify(token)
        refusals: list[InvalidToken] = []

        def attempt(refusals: list[InvalidToken] = refusals) -> None:
            with pytest.raises(InvalidToken) as refused:
                verifier.verify(huge)
            refusals.append(refused.value)

        assert peak(attempt) < MEGABYTE
        assert refusals[0].code == "token_too_large"
        assert len(str(refusals[0])) < 200


@pytest.mark.parametrize("name", HUGE)
def test_where_huge_tokens_are_allowed(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any], peak: Peak, name: str
) -> None:
    """Who allows huge tokens pays for a few copies of one, and for nothing by the dot.

    CVE-2025-27144 (go-jose), CVE-2025-30204 (golang-jwt), CVE-2026-80179 (jwcrypto): with them it is some
    hundred bytes for each dot.  CVE-2025-61920 (Authlib).
    """
    key = make_key("ES256", 0)
    verifier = make_verifier(key.jwk(), max_token=1 << 30, remember=9)
    token = key.token(claims)
    verifier.verify(token)
    huge = HUGE[name](*token.split("."), 4 * MEGABYTE)

    def attempt() -> None:
        with pytest.raises(InvalidToken) as refused:
            verifier.verify(huge)
        assert len(str(refused.value)) < 300

    assert peak(attempt) < 6 * len(huge)


def test_header_of_its_own_cap(make_key: MakeKey, make_verifier: MakeVerifier, peak: Peak) -> None:
    """A header above its cap is refused undecoded, however long a token may be.

    CVE-2025-61920 (Authlib): with it a header of hundreds of megabytes is decoded and parsed.
    """
    verifier = make_verifier(make_key("ES256", 0).jwk(), max_token=1 << 30)
    header = segment({"alg": "ES256", "x": "x" * (8 * MEGABYTE)})
    assert len(header) > compact.MAX_HEADER
    token = f"{header}.e30.AAAA".encode()
    # What it costs is to tell the three parts from each other.
    assert peak(lambda: verdict(verifier, token)) < 3 * len(token)
    assert verdict(verifier, token) == "token_too_large"


@pytest.mark.parametrize("alg", ["dir", "ECDH-ES", "A256KW"])
def test_compressed_jwe(make_key: MakeKey, make_verifier: MakeVerifier, peak: Peak, alg: str) -> None:
    """A small JWE that inflates to 40 MB is refused without being inflated.

    CVE-2024-21319 (.NET), CVE-2024-28102 and CVE-2026-39373 (jwcrypto), CVE-2024-28122 (jwx), CVE-2024-28176
    (jose), CVE-2024-28180 (go-jose), CVE-2024-29371 (jose4j), CVE-2024-33664 (python-jose), CVE-2025-62706
    (Authlib): with them a few kilobytes of token become gigabytes of memory.
    """
    key = make_key("ES256", 0)
    private: Any = key.private
    secret = jwk.JWK(kty="oct", k="A" * 43)
    recipient = jwk.JWK.from_pyca(private.public_key()) if alg == "ECDH-ES" else secret
    protected = json.dumps({"alg": alg, "enc": "A256GCM", "zip": "DEF", "kid": key.kid})
    bomb = str(jwe.JWE(bytes(40 * MEGABYTE), protected, recipient=recipient).serialize(compact=True))
    assert len(bomb) < compact.MAX_TOKEN
    verifier = make_verifier(key.jwk())
    assert peak(lambda: verdict(verifier, bomb)) < MEGABYTE
    assert verdict(verifier, bomb) == "token_encrypted"


def test_compressed_payload(make_key: MakeKey, make_verifier: MakeVerifier, peak: Peak) -> None:
    """A signed payload that is compressed is not inflated, whatever the header says of `zip`.

    CVE-2024-28102 (jwcrypto) and its kin: `zip` is for JWE alone (RFC 7516 section 4.1.3), and jjwt's
    extension of it to signed tokens is none of RFC 7515.
    """
    key = make_key("ES256", 0)
    verifier = make_verifier(key.jwk())
    squeezed = zlib.compress(b'{"a":"' + b" " * (30 * MEGABYTE) + b'"}')
    for packed in (squeezed, squeezed[2:-4]):
        for name in ("DEF", "GZIP", "zip", None):
            token = key.token(packed, zip=name)
            assert peak(lambda token=token: verdict(verifier, token)) < MEGABYTE  # type: ignore[misc]
            assert verdict(verifier, token) == "token_malformed"


@pytest.mark.parametrize("alg", ["PBES2-HS256+A128KW", "PBES2-HS384+A192KW", "PBES2-HS512+A256KW"])
def test_endless_derivation(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any], alg: str
) -> None:
    """A header that asks for 2^31 rounds of key derivation is refused, and no round is run.

    CVE-2022-36083 (jose), CVE-2023-49290 (jwx), CVE-2023-50658 (jose2go), CVE-2023-50966 (erlang-jose),
    CVE-2023-50967 (latchset jose), CVE-2023-51775 (jose4j), CVE-2023-52428 (Nimbus), CVE-2023-6681
    (jwcrypto): with them one small token keeps a core busy for minutes.
    """
    key = make_key("ES256", 0)
    verifier = make_verifier(key.jwk())
    for rounds in (2**31 - 1, 2**63, 10**40, -1, "2147483647"):
        asked = {"alg": alg, "p2c": rounds, "p2s": "AAAA", "kid": key.kid}
        assert verdict(verifier, f"{segment(asked | {'enc': 'A256GCM'})}.AA.AA.AA.AA") == "token_encrypted"
        assert verdict(verifier, f"{segment(asked)}.{segment(claims)}.AAAA") == "algorithm_refused"
        assert verdict(verifier, key.token(claims, **asked)) == "algorithm_refused"
        assert verdict(verifier, key.token(claims, p2c=rounds, p2s="AAAA")) == "accepted"


DEEP = {
    "arrays": (b"[", b"]"),
    "objects": (b'{"a":', b"}"),
    "both": (b'[{"a":', b"}]"),
    "arrays left open": (b"[", b""),
    "objects left open": (b'{"a":', b""),
}


@pytest.mark.parametrize("form", DEEP)
def test_deep_json(make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any], form: str) -> None:
    """JSON as deep as the caps allow ends in a verdict, in header, payload, and key set, signed or not.

    CVE-2025-53864 (Nimbus), CVE-2026-101918 (PyJWT), CVE-2026-116586 (go-jose): with them the parser runs
    out of stack, and the request or the whole process ends in no refusal.
    """
    key = make_key("ES256", 0)
    verifier = make_verifier(key.jwk())
    several = MultiIssuer([verifier])
    opening, closing = DEEP[form]

    def deep(levels: int) -> bytes:
        return opening * levels + b"1" + closing * levels

    levels = 46_000 // len(opening + closing)
    shallow = 5_500 // len(opening + closing)
    header = b'{"alg":"ES256","kid":"%s","x":' % key.kid.encode() + deep(shallow) + b"}"
    # What a header has room for may just be read, where the stack is deep enough.
    signed = key.raw_token(header, msgspec.json.encode(claims))
    assert verdict(verifier, signed) in {"token_malformed", "accepted"}
    for token in (
        key.token(deep(levels)),
        key.token(b'{"iss":"https://id.example","x":' + deep(levels) + b"}"),
        key.token(b'{"x":' + deep(levels) + b',"iss":"https://id.example"}'),
    ):
        assert len(token) < compact.MAX_TOKEN
        assert verdict(verifier, token) == "token_malformed"
        assert verdict(several, token) == "token_malformed"
        unsigned = f"{token.rpartition('.')[0]}.{segment(bytes(64))}"
        assert verdict(verifier, unsigned) in {"token_malformed", "signature_invalid"}
        assert verdict(several, unsigned) in {"token_malformed", "signature_invalid"}
    for document in (deep(100_000 // len(opening)), b'{"keys":' + deep(100_000 // len(opening)) + b"}"):
        with pytest.raises(CorruptDocument):
            jwks.parse(document)


REFUSED_TIMES = {"exp": "token_expired", "nbf": "token_immature", "iat": "token_from_the_future"}


@pytest.mark.parametrize("digits", [20, 400, 4_000, 5_000, 40_000])
@pytest.mark.parametrize("name", ["exp", "nbf", "iat", "other"])
def test_huge_integers(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any], name: str, digits: int
) -> None:
    """A number of thousands of digits, in header or claims, ends in a verdict.

    CVE-2020-10735 (Python's own `int`): with it reading a number costs the square of its length; and what
    overflows a clock's integer may make a token eternal, or end in an error that is no refusal.
    """
    key = make_key("ES256", 0)
    verifier = make_verifier(key.jwk())
    huge = b"9" * digits
    stated = msgspec.json.encode({n: v for n, v in claims.items() if n != name})
    for number in (huge, b"-" + huge, b"0." + huge, huge + b".5", huge + b"e9", b"1e-" + huge[:4]):
        payload = stated[:-1] + b',"%s":%s}' % (name.encode(), number)
        token = key.token(payload)
        allowed = {"token_malformed", "accepted"}
        allowed |= {
            "exp": {"token_expired"},
            "nbf": {"token_immature"},
            "iat": {"token_from_the_future"},
        }.get(name, set())
        assert verdict(verifier, token) in allowed
        if digits < 5_000:
            header = b'{"alg":"ES256","kid":"%s","x":%s}' % (key.kid.encode(), number)
            assert verdict(verifier, key.raw_token(header, stated)) in {
                "token_malformed",
                "accepted",
                "claim_missing",
            }


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "nan", "1e999", "-1e999", "1e400"])
@pytest.mark.parametrize("name", ["exp", "nbf", "iat", "x"])
def test_numbers_that_are_none(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any], name: str, number: str
) -> None:
    """NaN, the infinities and what overflows to them are malformed, though Python's own JSON takes them.

    With NaN every comparison is false, so a library that asks "now > exp?" never finds a token expired.
    """
    key = make_key("ES256", 0)
    stated = msgspec.json.encode({n: v for n, v in claims.items() if n != name})
    payload = stated[:-1] + f',"{name}":{number}}}'.encode()
    assert verdict(make_verifier(key.jwk()), key.token(payload)) == "token_malformed"

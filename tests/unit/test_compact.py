"""Compact JWS: sizes before decoding, one spelling, nothing but signed and compact."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from keyvault_jwt import base64url, compact
from keyvault_jwt.compact import Header
from keyvault_jwt.verification_errors import (
    EncryptedToken,
    InvalidSignature,
    MalformedToken,
    TokenTooLarge,
    UnsupportedHeader,
)


def encoded(header: Any) -> bytes:
    """Return a header segment."""
    raw = header if isinstance(header, bytes) else msgspec.json.encode(header)
    return base64url.encode(raw).encode()


def test_parts() -> None:
    """Text and bytes give the same parts, and the signing input is theirs up to the last dot."""
    for token in ("aa.bb.cc", b"aa.bb.cc"):
        assert compact.split(token) == (b"aa", b"bb", b"cc", b"aa.bb")
    assert compact.split("aa..cc").payload == b""


@pytest.mark.parametrize(
    "token",
    ["", ".", "a.b", "a.b.c.d", "a.b.c.d.e.f", "." * 1_000, "é.b.c", None, 7, ["a.b.c"], bytearray(b"a.b.c")],
    ids=repr,
)
def test_not_three_parts(token: Any) -> None:
    """Anything but text or bytes in three parts is malformed."""
    with pytest.raises(MalformedToken):
        compact.split(token)


def test_jwe_is_told_apart() -> None:
    """Five parts are a JWE, which this verifier does not take; so is a header with `enc`."""
    with pytest.raises(EncryptedToken):
        compact.split("a.b.c.d.e")
    with pytest.raises(EncryptedToken):
        compact.parse_header(encoded({"alg": "RSA-OAEP", "enc": "A256GCM"}))


def read(token: str) -> Header:
    """Take the token apart and read its header."""
    return compact.parse_header(compact.split(token).header)


@pytest.mark.parametrize("token", ['{"payload":"a.b.c"}', ' {"signatures":[],"a":".."}', "{..}", "{}"])
def test_json_serialisation_is_refused(token: str) -> None:
    """A token in a JSON serialisation is refused, dots in it or not."""
    with pytest.raises(MalformedToken):
        read(token)


def test_size_is_checked_first() -> None:
    """A token or header over its cap is refused before it is decoded."""
    with pytest.raises(TokenTooLarge):
        compact.split("é" * (compact.MAX_TOKEN + 1))
    with pytest.raises(TokenTooLarge):
        compact.split("." * 100_000_000)
    with pytest.raises(TokenTooLarge):
        compact.split("a.b.c", limit=4)
    with pytest.raises(TokenTooLarge):
        compact.split("!" * (compact.MAX_HEADER + 1) + ".b.c")
    assert compact.split("!" * compact.MAX_HEADER + ".b.c").payload == b"b"


def test_header_members_that_count() -> None:
    """alg, kid and typ are read; key material in the header is not even looked at."""
    header = {"alg": "ES256", "kid": "k", "typ": "JWT", "jwk": 1, "x5c": [], "jku": "http://x", "x5u": None}
    assert compact.parse_header(encoded(header)) == Header("ES256", "k", "JWT")
    assert compact.parse_header(encoded({"alg": "ES256"})) == Header("ES256", None, None)


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"alg": None},
        {"alg": ["ES256"]},
        {"alg": "ES256", "kid": None},
        {"alg": "ES256", "kid": 7},
        {"alg": "ES256", "kid": "k" * 1025},
        {"alg": "ES256", "typ": None},
        {"alg": "ES256", "typ": ["JWT"]},
        [],
        "ES256",
        None,
        b"",
        b"{",
        b'{"alg":"ES256"}x',
        b'{"alg":"ES256"}\x00',
        b'\xef\xbb\xbf{"alg":"ES256"}',
        b'{"alg":"ES256","kid":"\xff"}',
        b'{"alg":"ES256","kid":"\\ud800"}',
        b'{"alg":"ES256","n":NaN}',
        b'{"alg":"ES256","n":Infinity}',
        b"{'alg':'ES256'}",
        '{"alg":"ES256"}'.encode("utf-16"),
        b'{"alg":"ES256","a":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
        b'{"alg":"ES256","n":' + b"9" * 5_000 + b"}",
    ],
    ids=lambda header: repr(header)[:40],
)
def test_malformed_header(header: Any) -> None:
    """A header that is no JSON object, or has a member of a wrong type, is malformed."""
    with pytest.raises(MalformedToken):
        compact.parse_header(encoded(header))


@pytest.mark.parametrize(
    "header",
    [
        b'{"alg":"none","alg":"ES256"}',
        b'{"alg":"ES256","kid":"a","kid":"b"}',
        b'{"alg":"ES256","\\u0061lg":"none"}',
        b'{"alg":"ES256","x":{"a":1,"a":1}}',
    ],
    ids=range(4),
)
def test_names_are_unique(header: bytes) -> None:
    """Two members of one name are refused, however the name is written and wherever it stands."""
    with pytest.raises(MalformedToken):
        compact.parse_header(encoded(header))


@pytest.mark.parametrize(
    "extra",
    [
        {"crit": ["exp"]},
        {"crit": []},
        {"crit": None},
        {"crit": ["b64"], "b64": False},
        {"b64": False},
        {"b64": True},
    ],
    ids=str,
)
def test_extensions_are_refused(extra: dict[str, Any]) -> None:
    """`crit` and `b64` in any form are refused, since no extension is understood."""
    with pytest.raises(UnsupportedHeader):
        compact.parse_header(encoded({"alg": "ES256"} | extra))


@pytest.mark.parametrize("segment", [b"ab=", b"a b", b"a+b/", b"a", b"ab\n", b"aB", b"a-_\x00"], ids=repr)
def test_one_spelling(segment: bytes) -> None:
    """Padding, white space, the other alphabet and spare bits are refused in every segment."""
    with pytest.raises(MalformedToken):
        compact.payload_bytes(segment)
    with pytest.raises(MalformedToken):
        compact.header_members(segment)
    with pytest.raises(InvalidSignature):
        compact.signature_bytes(segment)


def test_messages_do_not_quote_the_token() -> None:
    """No error of this module repeats what stood in the token."""
    secret = "c2VjcmV0LXBhcnQ"
    for token in (secret, f"{secret}.{secret}", f"{secret}.é.{secret}", f"{secret}.{secret}.x.y.{secret}"):
        with pytest.raises(MalformedToken) as refused:
            compact.split(token)
        assert secret not in str(refused.value)
    with pytest.raises(MalformedToken) as refused:
        compact.parse_header(secret.encode())
    chained = refused.value.__cause__
    assert chained is None
    assert refused.value.__suppress_context__

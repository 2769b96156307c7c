"""Attacks on the spelling of a good token: whatever else decodes to the same bytes is another token."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from keyvault_jwt import base64url
from keyvault_jwt.verification_errors import InvalidSignature, InvalidToken
from keyvault_jwt.verifier import Verifier
from tests.attacks.conftest import MakeKey, MakeVerifier, segment
from tests.engines import each_kind_by_each_engine

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
KINDS = ["ES256", "Ed25519", "RS256", "HS256"]


def bit_flips(token: bytes) -> Iterator[bytes]:
    """Return the token with each of its bits turned, one at a time."""
    for place, bit in itertools.product(range(len(token)), range(8)):
        yield token[:place] + bytes([token[place] ^ 1 << bit]) + token[place + 1 :]


def spare_bits(token: str) -> Iterator[str]:
    """Return the token with other spare bits at the end of each part: the same bytes to a lax decoder."""
    parts = token.split(".")
    for index, part in enumerate(parts):
        spare = {0: 0, 2: 4, 3: 2}[len(part) % 4]
        last = ALPHABET.index(part[-1])
        assert last % (1 << spare) == 0
        for other in range(last + 1, last + (1 << spare)):
            yield ".".join([*parts[:index], part[:-1] + ALPHABET[other], *parts[index + 1 :]])


def insertions(token: str) -> Iterator[str]:
    """Return the token with, at each place, a character that a lax decoder skips or takes for another."""
    for place in range(len(token) + 1):
        for added in (" ", "\n", "\r\n", "\t", "=", "!", "\x00", "\x7f", ",", "%", "\u200b"):
            yield token[:place] + added + token[place:]


def substitutions(token: str) -> Iterator[str]:
    """Return the token with, at each place, another way to write its character."""
    for place, character in enumerate(token):
        others = [f"%{ord(character):02X}", f"\\u{ord(character):04x}"]
        others += {"-": ["+"], "_": ["/"], ".": ["%2E", "..", ",", "\uff0e"]}.get(character, [])
        for other in others:
            yield token[:place] + other + token[place + 1 :]


def paddings(token: str) -> Iterator[str]:
    """Return the token with padding at the end of any of its parts."""
    for added in itertools.product(("", "=", "==", "===", "%3D", "A", "AA", "AAAA"), repeat=3):
        if any(added):
            yield ".".join(part + more for part, more in zip(token.split("."), added, strict=True))


@pytest.fixture(params=["unseen", "header known", "remembered"])
def hardened(request: pytest.FixtureRequest, make_verifier: MakeVerifier) -> Any:
    """Make a verifier that has, or has not, seen the token before: none of its short ways may be laxer."""

    def make(key: dict[str, Any], token: str) -> Verifier:
        symmetric = key["kty"] == "oct"
        verifier = make_verifier(key, allow_symmetric=symmetric, remember=9 * (request.param == "remembered"))
        if request.param != "unseen":
            verifier.verify(token)
        return verifier

    return make


@each_kind_by_each_engine(*KINDS)
def test_every_bit_of_a_token(make_key: MakeKey, claims: dict[str, Any], hardened: Any, kind: str) -> None:
    """A token with any one bit turned is refused, in header, payload, signature and the dots between.

    The kind of CVE-2024-42461 and CVE-2024-48949 (elliptic) and CVE-2022-25898 (jsrsasign): with them some
    changed bits of a token do not matter.
    """
    key = make_key(kind, 0)
    token = key.token(claims)
    verifier = hardened(key.jwk(), token)
    flipped = list(bit_flips(token.encode()))
    assert len(flipped) == 8 * len(token)
    for other in flipped:
        with pytest.raises(InvalidToken):
            verifier.verify(other)
    assert verifier.verify(token) == claims


@pytest.mark.parametrize("extra", ["", "x", "xy"])
@each_kind_by_each_engine(*KINDS)
def test_every_other_spelling_of_a_token(
    make_key: MakeKey, claims: dict[str, Any], hardened: Any, kind: str, extra: str
) -> None:
    """No other spelling of a token is taken: spare bits, padding, alphabets, escapes, white space.

    CVE-2022-25898 (jsrsasign), CVE-2026-62995 (joserfc), CVE-2026-102269 (PyJWT): with them a token that
    was revoked or spent by its text comes back under another.
    """
    key = make_key(kind, 0)
    # Of three lengths, so that each part ends with none, two and four spare bits in turn.
    token = key.token(claims | {"jti": extra}, nonce=extra)
    verifier = hardened(key.jwk(), token)
    bits = list(spare_bits(token))
    assert len(bits) == sum({0: 0, 2: 15, 3: 3}[len(part) % 4] for part in token.split("."))
    others = {*bits, *insertions(token), *substitutions(token), *paddings(token)} - {token}
    assert len(others) > 13 * len(token)
    for other in others:
        with pytest.raises(InvalidToken):
            verifier.verify(other)


@each_kind_by_each_engine(*KINDS)
def test_things_around_a_token(make_key: MakeKey, claims: dict[str, Any], hardened: Any, kind: str) -> None:
    """A token with anything before or after it is refused, as is one twice, backwards or in other codes.

    The way of CVE-2022-25898 (jsrsasign): with it what surrounds a signature is skipped.
    """
    key = make_key(kind, 0)
    token = key.token(claims)
    verifier = hardened(key.jwk(), token)
    decorated: list[str | bytes] = [
        *(f"{before}{token}" for before in ("Bearer ", " ", "\n", "\ufeff", "\x00", ".", "'", '"', "[", "(")),
        *(
            f"{token}{after}"
            for after in (" ", "\n", "\x00", ".", "'", '"', "]", ";", "#", "?x", ".e30", "..")
        ),
        *(token + token, token[::-1], token.upper(), token.lower(), token.swapcase(), f'"{token}"'),
        *(token.encode("utf-16"), token.encode("utf-16-le"), b"\xef\xbb\xbf" + token.encode()),
        *(token.encode().hex(), token.replace(".", "\n"), token.replace(".", " ")),
    ]
    for other in decorated:
        with pytest.raises(InvalidToken):
            verifier.verify(other)


@pytest.mark.parametrize("kind", ["HS256", "HS384", "HS512"])
def test_shortened_macs(make_key: MakeKey, claims: dict[str, Any], hardened: Any, kind: str) -> None:
    """A MAC that is cut, lengthened or empty is refused, whichever bytes are left.

    CVE-2020-28042 (ServiceStack): with it the empty one is good, and with a comparison of prefixes each.
    """
    key = make_key(kind, 0)
    token = key.token(claims)
    verifier = hardened(key.jwk(), token)
    stem, _, signature = token.rpartition(".")
    whole = base64url.decode(signature)
    for length in range(len(whole)):
        for cut in (whole[:length], whole[length + 1 :], whole[:length] + bytes(len(whole) - length)):
            if cut == whole:
                continue
            with pytest.raises(InvalidSignature):
                verifier.verify(f"{stem}.{segment(cut)}")
    for longer in (whole + b"\0", b"\0" + whole, whole + whole):
        with pytest.raises(InvalidSignature):
            verifier.verify(f"{stem}.{segment(longer)}")

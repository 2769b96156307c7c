"""Attacks that dress a token up: as JSON, as a JWE, as two things at once, or with headers that change it."""

from __future__ import annotations

import itertools
import json
from typing import Any

import msgspec
import pytest
from jwcrypto import jwe, jwk

from keyvault_jwt.verification_errors import EncryptedToken, InvalidToken, MalformedToken, UnsupportedHeader
from tests.attacks.conftest import MakeKey, MakeVerifier, segment, unsigned, verdict


def test_polyglots(make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any]) -> None:
    """A text that is a good token to one reader and other claims to another is refused by both ways in.

    CVE-2022-39227 (python-jwt): with it the signature of a good token, hidden in JSON that is cut at its
    dots, carries the claims of a forger.
    """
    key = make_key("ES256", 0)
    verifier = make_verifier(key.jwk())
    token = key.token(claims)
    assert verifier.verify(token) == claims
    header, payload, signature = token.split(".")
    root = segment(claims | {"sub": "root"})
    polyglots = [
        f'{{"  {header}.{root}.":"","protected":"{header}","payload":"{payload}","signature":"{signature}"}}',
        f'{{"protected":"{header}","payload":"{payload}","signature":"{signature}","a":".{root}."}}',
        f'{{"{header}":"{header}"}}.{root}.{signature}',
        f'{header}.{{"payload":"{payload}"}}.{signature}',
        f"{header}.{root}.{payload}.{signature}",
        f"{header}.{payload}.{signature}.{root}",
        f"{header}.{root}#{payload}.{signature}",
        f"{header}\n.{root}.{signature}\n{token}",
        f"{token} {header}.{root}.{signature}",
        f"{token},{header}.{root}.",
        f"{header}.{payload}{root}.{signature}",
        f"{header}.{root}{payload}.{signature}",
    ]
    for polyglot in polyglots:
        for spelt in (polyglot, polyglot.encode(), f" {polyglot}", segment(polyglot.encode())):
            with pytest.raises(InvalidToken):
                verifier.verify(spelt)


def json_forms(header: str, payload: str, signature: str) -> list[Any]:
    """Return the parts of a good token in the JSON serialisations, honest and not (RFC 7515 section 7.2)."""
    one = {"protected": header, "signature": signature}
    none = {"header": {"alg": "none"}, "signature": ""}
    return [
        {"payload": payload, **one},
        {"payload": payload, **one, "header": {"kid": "x"}},
        {"payload": payload, "signatures": [one]},
        {"payload": payload, "signatures": [one, one]},
        {"payload": payload, "signatures": [none, one]},
        {"payload": payload, "signatures": [one, none]},
        {"payload": payload, "signatures": []},
        {"payload": payload, "signatures": None},
        {"payload": payload},
        {"payload": payload, "signatures": [{}]},
        {"payload": payload, "header": {"alg": "none"}},
        {"payload": payload, "header": {"alg": "HS256", "jwk": {"kty": "oct", "k": ""}}, "signature": ""},
        {"payload": payload, "signature": signature},
        {"payload": payload, "protected": "", "header": {"alg": "ES256"}, "signature": signature},
        [{"payload": payload, **one}],
        f"{header}.{payload}.{signature}",
    ]


def test_json_serialisations(make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any]) -> None:
    """No JSON serialisation is taken, with however many signatures or none, and none ends in a crash.

    CVE-2016-9122 (go-jose: one good signature among many), CVE-2024-21664 (jwx: a crash without
    `protected`), CVE-2026-96760 (Authlib: an empty list of signatures is good), GHSA-jc38-x7x8-2xc8
    (PHP JWT Framework: the algorithm of the unprotected header is used).
    """
    key = make_key("ES256", 0)
    verifier = make_verifier(key.jwk())
    token = key.token(claims)
    for form in json_forms(*token.split(".")):
        for text in (json.dumps(form), json.dumps(form, indent=1), json.dumps(form).replace('"', "'")):
            for spelt in (text, text.encode(), f"\n {text}", segment(text.encode())):
                with pytest.raises(MalformedToken):
                    verifier.verify(spelt)
    for no_text in (
        json_forms(*token.split("."))[0],
        token.split("."),
        tuple(token),
        bytearray(b"a.b.c"),
        None,
    ):
        with pytest.raises(MalformedToken):
            verifier.verify(no_text)


def encrypted_to(public: Any, plain: bytes, **header: Any) -> str:
    """Return a JWE that the owner of a public key could open."""
    key = jwk.JWK.from_pyca(public)
    alg = "ECDH-ES" if key["kty"] == "EC" else "RSA-OAEP-256"
    protected = json.dumps({"alg": alg, "enc": "A256GCM", **header})
    return str(jwe.JWE(plain, protected=protected, recipient=key).serialize(compact=True))


@pytest.mark.parametrize("kind", ["ES256", "RS256"])
def test_jwe_is_never_opened(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any], kind: str
) -> None:
    """A token that is encrypted to the issuer's public key is refused as such, whatever is inside.

    CVE-2022-3102 (jwcrypto), CVE-2023-51774 (json-jwt), CVE-2026-29000 (pac4j-jwt): with them anybody who
    has the public key encrypts the claims that suit, and what was to be verified is decrypted instead.
    """
    key = make_key(kind, 0)
    private: Any = key.private
    public, verifier = private.public_key(), make_verifier(key.jwk())
    plain = msgspec.json.encode(claims)
    inside = [plain, key.token(claims).encode(), f"{unsigned({'alg': 'none'}, claims)}.".encode()]
    for content in inside:
        for header in ({}, {"cty": "JWT"}, {"kid": key.kid}, {"zip": "DEF"}):
            with pytest.raises(EncryptedToken):
                verifier.verify(encrypted_to(public, content, **header))
    five = encrypted_to(public, plain).split(".")
    for kept in itertools.combinations(five, 3):
        with pytest.raises(InvalidToken):
            verifier.verify(".".join(kept))


def test_header_of_a_jwe_on_a_signed_token(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any]
) -> None:
    """A signed token whose header has `enc` is refused: what it is must not depend on the reader.

    CVE-2023-51774 (json-jwt), CVE-2022-3102 (jwcrypto): with them the header decides which it is.
    """
    key = make_key("ES256", 0)
    verifier = make_verifier(key.jwk())
    for enc in ("A256GCM", "", None, []):
        header = msgspec.json.encode({"alg": "ES256", "kid": key.kid, "enc": enc})
        token = key.raw_token(header, msgspec.json.encode(claims))
        assert verdict(verifier, token) == "token_encrypted"


CRITICAL = [
    *(["b64"], ["exp"], ["unknown"], ["alg"], ["kid", "alg"], ["jwk"], ["cnf"], ["http://x/y"], ["crit"]),
    *([], "", "b64", None, 0, 1, True, False, {}, {"b64": True}, [None], [1], [[]], ["b64", "b64"]),
]


@pytest.mark.parametrize("crit", CRITICAL, ids=str)
def test_crit(make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any], crit: Any) -> None:
    """A header that calls anything critical is refused, understood or not, well written or not.

    CVE-2025-59420 (Authlib), CVE-2026-32597 (PyJWT), GHSA-hm7r-c7qw-ghp6 (fast-jwt), jwx before its
    `crit` check: with them a token that is bound to something else is taken by a service that does not
    know what.
    """
    key = make_key("ES256", 0)
    verifier = make_verifier(key.jwk(), remember=9)
    members = {"alg": "ES256", "kid": key.kid, "crit": crit, "exp": 1, "unknown": 1, "cnf": {"jkt": "x"}}
    token = key.raw_token(msgspec.json.encode(members), msgspec.json.encode(claims))
    for _ in range(2):
        with pytest.raises(UnsupportedHeader):
            verifier.verify(token)
        with pytest.raises(UnsupportedHeader):
            verifier.verify_signature(token)


@pytest.mark.parametrize("b64", [False, True, None, 0, "false"], ids=str)
@pytest.mark.parametrize("crit", [True, False], ids=["critical", "not critical"])
def test_b64(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any], b64: Any, crit: bool
) -> None:
    """A token with `b64` is refused, its payload encoded or not, attached or not (RFC 7797).

    CVE-2026-48525 (PyJWT), CVE-2026-48990 (joserfc): with them a payload of any size is decoded, or not
    counted.  Where only some readers know `b64`, one token has two contents.
    """
    key = make_key("ES256", 0)
    verifier = make_verifier(key.jwk())
    header = segment({"alg": "ES256", "kid": key.kid, "b64": b64} | ({"crit": ["b64"]} if crit else {}))
    plain = msgspec.json.encode(claims).decode()
    for payload in (segment(claims), "", plain, plain.replace(".", "")):
        signature = segment(key._sign(f"{header}.{payload}".encode()))
        for shown in (payload, ""):
            with pytest.raises(InvalidToken):
                verifier.verify(f"{header}.{shown}.{signature}")
    with pytest.raises(UnsupportedHeader):
        verifier.verify(f"{header}.{segment(claims)}.{segment(b'x' * 64)}")


@pytest.mark.parametrize(
    "header",
    [
        '{"alg":"none","alg":"ES256","kid":"KID"}',
        '{"alg":"ES256","alg":"none","kid":"KID"}',
        '{"alg":"ES256","kid":"KID","kid":"other"}',
        '{"alg":"ES256","kid":"other","kid":"KID"}',
        '{"alg":"ES256","kid":"KID","\\u0061lg":"ES256"}',
        '{"alg":"ES256","kid":"KID","crit":["x"],"crit":[]}',
        '{"alg":"ES256","kid":"KID","x":{"y":1,"y":2}}',
        '{"alg":"ES256","kid":"KID","x":[{"y":1,"y":2}]}',
        '{"alg":"ES256","kid":"KID","":1,"":2}',
        '{"alg":"ES256","kid":"KID"}{"alg":"none"}',
        '{"alg":"ES256","kid":"KID"} {}',
        '{"alg":"ES256","kid":"KID",}',
        '{"alg":"ES256","kid":"KID"/**/}',
        "{'alg':'ES256','kid':'KID'}",
        '{alg:"ES256",kid:"KID"}',
        '[{"alg":"ES256","kid":"KID"}]',
        '"{\\"alg\\":\\"ES256\\"}"',
        '\ufeff{"alg":"ES256","kid":"KID"}',
        '{"alg":"ES256","kid":"KID"}\x00',
        '\x00{"alg":"ES256","kid":"KID"}',
        '{"alg":"ES256\\ud800","kid":"KID"}',
        '{"alg":"ES256","kid":"KID","n":NaN}',
        '{"alg":"ES256","kid":"KID","n":-Infinity}',
        '{"alg":"ES256","kid":"KID","n":01}',
        '{"alg":"ES256","kid":"KID","n":1e999}',
        '{"alg":"ES256","kid":"KID","n":+1}',
        '{"alg":"ES256","kid":"KID","n":0x1}',
        '{"alg":"ES256","kid":"KID","t":"\n"}',
    ],
    ids=range(28),
)
def test_headers_that_readers_differ_on(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any], header: str
) -> None:
    """A signed header is refused when two JSON readers could read two things from it, or one nothing.

    RFC 7515 section 4, RFC 8725 section 2.4: the gateway reads the first name, the service the last.
    """
    key = make_key("ES256", 0)
    token = key.raw_token(header.replace("KID", key.kid).encode(), msgspec.json.encode(claims))
    assert verdict(make_verifier(key.jwk()), token) == "token_malformed"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "latin-1"])
def test_other_encodings_of_text(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any], encoding: str
) -> None:
    """Header and payload are UTF-8; in another encoding they are refused, not guessed at.

    The way of CVE-2026-102272 (PyJWT: a byte-order mark): what guesses the encoding reads what others don't.
    """
    key = make_key("ES256", 0)
    verifier = make_verifier(key.jwk())
    header, payload = (
        json.dumps(part, ensure_ascii=False)
        for part in ({"alg": "ES256", "kid": key.kid, "x": "\u00e9"}, claims | {"sub": "\u00e9"})
    )
    for written in ((header.encode(encoding), payload.encode()), (header.encode(), payload.encode(encoding))):
        assert verdict(verifier, key.raw_token(*written)) == "token_malformed"
    assert verdict(verifier, key.raw_token(header.encode(), payload.encode())) == "accepted"

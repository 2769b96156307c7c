"""Attacks by and on key sets: weak and malformed keys, keys for something else, and honest strangers."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519

from keyvault_jwt import base64url, jwk, jwks
from keyvault_jwt.cache import JWKSCache
from keyvault_jwt.errors import KeyMismatch, PrivateMember
from keyvault_jwt.key_import import import_jwk
from keyvault_jwt.pyjwt_compat import PyJWKClient
from keyvault_jwt.verifier import Verifier
from tests.attacks.conftest import MakeKey, MakeVerifier, mac, segment, unsigned, verdict, with_mac
from tests.unit.conftest import Endpoint, TestKey, jwk_set

HMACS = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}


@pytest.mark.parametrize("name", HMACS)
def test_empty_and_short_secrets(make_verifier: MakeVerifier, claims: dict[str, Any], name: str) -> None:
    """A secret shorter than the hash, the empty one first, verifies nothing, not even its own tokens.

    CVE-2019-20933 (InfluxDB), CVE-2026-44351 (fast-jwt), CVE-2026-45363 (ruby-jwt), CVE-2026-102266 (PyJWT),
    CVE-2026-114616 (Authlib): with them a secret that was never set is the empty one, and anybody signs.
    CVE-2025-45768 (PyJWT), CVE-2025-45769 (php-jwt): with them a secret may be short enough to guess.
    """
    size = int(name[2:]) // 8
    for length in (*range(17), size // 2, size - 1):
        secret = bytes(range(1, length + 1))
        for k in (base64url.encode(secret), base64.b64encode(secret).decode(), secret.hex()):
            if k and len(base64.b64decode(k + "==", altchars=b"-_")) >= size:
                continue
            members = {"kty": "oct", "k": k, "kid": "s", "alg": name}
            verifier = make_verifier(members, allow_symmetric=True)
            for used in (secret, b"", k.encode(), bytes(size)):
                token = with_mac(used, {"alg": name, "kid": "s"}, claims, HMACS[name])
                assert verdict(verifier, token) == "key_unknown"
    enough = {"kty": "oct", "k": base64url.encode(bytes(range(size))), "kid": "s", "alg": name}
    good = with_mac(bytes(range(size)), {"alg": name, "kid": "s"}, claims, HMACS[name])
    assert verdict(make_verifier(enough, allow_symmetric=True), good) == "accepted"


@pytest.mark.parametrize(
    "k", [None, 0, [], {}, True, " ", "=", "\x00", "AA==", "A" * 43 + "=", "+" * 43, "!" * 43]
)
def test_secrets_that_are_no_text(make_verifier: MakeVerifier, claims: dict[str, Any], k: Any) -> None:
    """A secret that is missing or malformed is left out, and never taken for the empty one.

    CVE-2026-45363 (ruby-jwt), CVE-2026-102266 (PyJWT): with them nothing, as a key, is the empty key.
    """
    for members in ({"k": k}, {}):
        named = {"kty": "oct", "kid": "s", "alg": "HS256", **members}
        verifier = make_verifier(named, allow_symmetric=True)
        for secret in (b"", b"None", b"null", b"\0", str(k).encode()):
            assert verdict(verifier, with_mac(secret, {"alg": "HS256", "kid": "s"}, claims)) == "key_unknown"


def number(value: int) -> str:
    """Return an integer as a JWK has it."""
    return base64url.encode_integer(value)


@pytest.fixture
def modulus(make_key: MakeKey) -> int:
    """The modulus of a good RSA key."""
    private: Any = make_key("RS256", 0).private
    return int(private.public_key().public_numbers().n)


def test_numbers_that_are_no_rsa_key(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any], modulus: int
) -> None:
    """A modulus or exponent that is huge, tiny, even or malformed makes no key, and the one beside it serves.

    CVE-2026-39829 (x/crypto), GHSA-mgcc-cww5-fp2q (go-jose), CVE-2023-6237 (OpenSSL): with them one check by
    an oversized key takes minutes.  GHSA-464q-cqxq-xhgr (jsrsasign): with it a modulus
    of zero verifies anything.  With an exponent of 1 a signature is what it signs.
    """
    good, named = make_key("ES256", 0), make_key("RS256", 0)
    wide = (1 << 16_383) + 1
    wrong: list[tuple[Any, Any]] = [
        *(
            (n, "AQAB")
            for n in (number(wide), number((1 << 65_535) + 1), number((1 << 8_192) + 1), "A" * 1_000_000)
        ),
        *(
            (n, "AQAB")
            for n in (number(0), number(1), number(3), number((1 << 511) + 1), number((1 << 1_023) - 1))
        ),
        *(
            (n, "AQAB")
            for n in ("", "A", "AA", "!", None, 7, [], number(modulus - 1), "AA" + number(modulus))
        ),
        *((number(modulus), number(e)) for e in (0, 1, 2, 4, 65_536, 1 << 32, (1 << 32) + 1, (1 << 64) + 1)),
        *((number(modulus), number(e)) for e in (modulus, modulus - 2, (1 << 3_000) + 1)),
        *(
            (number(modulus), e)
            for e in ("", "A", "AA", "AAEAAQ", "AQAB==", "A" * 8_193, "A" * 1_000_000, None, 3)
        ),
        (number(modulus) + "=", "AQAB"),
        ("-----BEGIN A-----" * 10_000, "AQAB"),
    ]
    for n, e in wrong:
        members = {"kty": "RSA", "kid": named.kid, "alg": "RS256", "n": n, "e": e}
        verifier = make_verifier(members, good.jwk())
        assert verdict(verifier, named.token(claims)) == "key_unknown", (str(n)[:20], str(e)[:20])
        assert verifier.verify(good.token(claims)) == claims


def test_points_that_are_no_ec_key(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any]
) -> None:
    """A point off the curve, at infinity, of another curve or another width makes no key.

    CVE-2017-12974 (Nimbus), CVE-2016-9121 (go-jose), CVE-2017-16007 (node-jose): with them such a point is
    computed with.  RFC 8725 section 3.4.
    """
    good, named = make_key("Ed25519", 0), make_key("ES256", 0)
    stated = named.jwk()
    p = ec.generate_private_key(ec.SECP256R1()).public_key().public_numbers()
    k1 = ec.generate_private_key(ec.SECP256K1()).public_key().public_numbers()
    prime = 2**256 - 2**224 + 2**192 + 2**96 - 1
    wrong = [
        *(
            {"x": segment(bytes(32)), "y": segment(bytes(32))},
            {"x": segment(b"\xff" * 32)},
            {"x": stated["y"]},
        ),
        {"x": segment(k1.x.to_bytes(32, "big")), "y": segment(k1.y.to_bytes(32, "big"))},
        {"x": segment(p.x.to_bytes(33, "big")), "y": segment(p.y.to_bytes(33, "big"))},
        {"y": segment(((p.y + 1) % prime).to_bytes(32, "big"))},
        *(
            {"crv": crv}
            for crv in ("P-384", "P-521", "secp256k1", "P-256K", "p-256", "Ed25519", "", None, 256)
        ),
        *({"x": x} for x in ("", "A", None, 7, [], "A" * 44, stated["x"] + "=")),
    ]
    for change in wrong:
        verifier = make_verifier(stated | change, good.jwk())
        assert verdict(verifier, named.token(claims)) in {"key_unknown", "signature_invalid"}, change
        assert jwks.parse(jwk_set(stated | change)).keys == ()
        assert verifier.verify(good.token(claims)) == claims


def test_keys_that_sign_nothing(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any]
) -> None:
    """A key for agreement or of a curve we do not know is left out, whatever its `alg` says.

    CVE-2023-51774 (json-jwt): with it a key for encryption serves for signatures as well.
    """
    good = make_key("ES256", 0)
    agreement = base64url.encode(x25519.X25519PrivateKey.generate().public_key().public_bytes_raw())
    for change in ({"crv": "X25519"}, {"crv": "X25519", "alg": "EdDSA"}, {"crv": "Ed448", "alg": "EdDSA"}):
        parsed = jwks.parse(jwk_set({"kty": "OKP", "kid": "a", "x": agreement, **change}, good.jwk()))
        assert [key.kid for key in parsed.keys] == [good.kid]
    assert make_verifier(good.jwk()).verify(good.token(claims)) == claims


PURPOSES: list[tuple[dict[str, Any], bool]] = [
    *(
        ({"use": use}, False)
        for use in ("enc", "ENC", "Sig", "SIG", "", "sig ", "signature", 1, True, [], ["sig"], {})
    ),
    *(({"use": use}, True) for use in ("sig", None)),
    *(
        ({"key_ops": ops}, False)
        for ops in (["sign"], ["encrypt"], [], "verify", "", 1, {}, ["Verify"], [["verify"]])
    ),
    *(({"key_ops": ops}, True) for ops in (["verify"], ["sign", "verify"], ["verify", "x"], None)),
    ({"use": "enc", "key_ops": ["verify"]}, False),
    ({"use": "sig", "key_ops": ["sign"]}, False),
    ({"use": None, "key_ops": ["wrapKey", "deriveBits"]}, False),
]


@pytest.mark.parametrize(("members", "accepted"), PURPOSES, ids=str)
def test_use_and_key_ops(
    make_key: MakeKey,
    make_verifier: MakeVerifier,
    claims: dict[str, Any],
    members: dict[str, Any],
    accepted: bool,
) -> None:
    """A key whose `use` or `key_ops` lets it verify verifies; one that says anything else does not.

    CVE-2022-3102 (jwcrypto), CVE-2023-51774 (json-jwt): with them a key's purpose is ignored.
    """
    key = make_key("ES256", 0)
    found = verdict(make_verifier(key.jwk(**members)), key.token(claims))
    assert found == ("accepted" if accepted else "key_unknown")


@pytest.mark.parametrize("first", [True, False], ids=["before", "after"])
def test_one_bad_key_does_not_kill_the_set(
    endpoint: Endpoint, make_key: MakeKey, claims: dict[str, Any], first: bool
) -> None:
    """A set with a malformed key still serves by its others, here and for PyJWT's users.

    CVE-2026-102274 (PyJWT): with it one RSA key with malformed numbers ends the reading of the whole set.
    """
    good = make_key("RS256", 0)
    bad: list[Any] = [
        *(
            {"kty": "RSA", "kid": "b", "n": n, "e": e}
            for n, e in (("!", "!"), ("AQAB", "AQAB"), ("", ""), (1, 2))
        ),
        *({"kty": kty, "kid": "b"} for kty in ("RSA", "EC", "OKP", "AKP", "oct", "", "LMS", None, 1, [], {})),
        *(
            None,
            0,
            "",
            "key",
            [],
            [[]],
            True,
            {},
            {"kid": "b"},
            {"keys": []},
            {"kty": "EC", "crv": {}, "x": []},
        ),
    ]
    for other in bad:
        endpoint.publish(*([other, good.jwk()] if first else [good.jwk(), other]))
        with JWKSCache(endpoint.url) as cache:
            verifier = Verifier(cache, issuer=None, audience=None, algorithms=["RS256"], required=())
            assert verifier.verify(good.token({"sub": "u1"})) == {"sub": "u1"}
            assert [skipped.index for skipped in cache.health().skipped] == [0 if first else 1]
    client = PyJWKClient(endpoint.url)
    assert client.get_signing_key_from_jwt(good.token(claims)).key_id == good.kid
    client.close()


def test_private_halves_in_a_set(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any]
) -> None:
    """A set that shows a private half has lost the key: it is refused in, and never let out.

    Whoever read the set can sign; go on verifying by such a key, and the leak has no end.
    """
    key = make_key("ES256", 0)
    for name in ("d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"):
        for value in ("AAAA", "", None, 7):
            leaked = key.jwk() | {name: value}
            assert verdict(make_verifier(leaked), key.token(claims)) == "key_unknown"
            with pytest.raises(PrivateMember):
                jwks.render([leaked], origin=None)


def test_halves_of_two_keys() -> None:
    """A private JWK whose public half is another key's is not imported: one would sign, the other be shown.

    CVE-2026-102275 (PyJWT): with it the tokens of such an OKP key are verified by a key that nobody checks.
    """
    one, two = (ed25519.Ed25519PrivateKey.generate() for _ in range(2))
    ec_one, ec_two = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    rsa_one, rsa_two = (rsa.generate_private_key(65537, 2048) for _ in range(2))
    d_ec = base64url.encode(ec_two.private_numbers().private_value.to_bytes(32, "big"))
    n_two = rsa_two.private_numbers()
    pairs = [
        (jwk.public_members(one.public_key()) | {"d": base64url.encode(two.private_bytes_raw())}, "Ed25519"),
        (jwk.public_members(ec_one.public_key()) | {"d": d_ec}, "ES256"),
        (
            jwk.public_members(rsa_one.public_key())
            | {"d": number(n_two.d), "p": number(n_two.p), "q": number(n_two.q)},
            "RS256",
        ),
    ]
    for members, algorithm in pairs:
        with pytest.raises(KeyMismatch):
            import_jwk(msgspec.json.encode(members), algorithm)


def test_two_keys_of_one_kid(make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any]) -> None:
    """Of two keys that a header can't tell apart neither is used, in whichever order they stand.

    The kind of CVE-2025-59936 (get-jwks): who can add a key under a known kid must not take it over.
    """
    good, evil = make_key("ES256", 0), make_key("ES256", 1)
    for listed in ([good.jwk(), evil.jwk(kid=good.kid)], [evil.jwk(kid=good.kid), good.jwk()]):
        verifier = make_verifier(*listed)
        for key in (good, evil):
            assert verdict(verifier, key.token(claims, kid=good.kid)) == "key_ambiguous"


def strangers(
    ec_key: TestKey, rsa_key: TestKey, ed: TestKey
) -> dict[str, tuple[TestKey, list[Any], dict[str, Any]]]:
    """Return sets as honest issuers publish them, each with a key and the header of its token."""
    chain = {"x5c": ["AAAA"], "x5t": "AAAA", "x5u": "https://id.example/c", "x5t#S256": "AAAA"}
    return {
        "no alg": (rsa_key, [rsa_key.jwk(alg=None)], {}),
        "no use": (rsa_key, [rsa_key.jwk(use=None)], {}),
        "kty and numbers alone": (rsa_key, [rsa_key.jwk(alg=None, use=None, kid=None)], {"kid": None}),
        "no kid but one key": (ec_key, [ec_key.jwk(kid=None)], {"kid": None}),
        "no kid in the header": (ec_key, [ec_key.jwk()], {"kid": None}),
        "no kid, one key of that type": (ec_key, [rsa_key.jwk(), ec_key.jwk()], {"kid": None}),
        "EdDSA in the JWK": (ed, [ed.jwk(alg="EdDSA")], {"alg": "Ed25519"}),
        "EdDSA in the header": (ed, [ed.jwk()], {"alg": "EdDSA"}),
        "EdDSA in both": (ed, [ed.jwk(alg="EdDSA")], {"alg": "EdDSA"}),
        "EdDSA and no alg": (ed, [ed.jwk(alg=None)], {"alg": "EdDSA"}),
        "extra members": (ec_key, [ec_key.jwk(ext=True, iat=1, nbf=1, exp=1, **{"http://x": {}})], {}),
        "a certificate": (rsa_key, [rsa_key.jwk(**chain)], {"x5t": "AAAA"}),
        "a null member": (ec_key, [ec_key.jwk() | {"x5c": None, "use": "sig"}], {}),
        "an encryption key beside": (
            rsa_key,
            [rsa_key.jwk(use="enc", alg="RSA-OAEP", kid="e"), rsa_key.jwk()],
            {},
        ),
        "its twin for encryption": (rsa_key, [rsa_key.jwk(use="enc", alg="RSA-OAEP"), rsa_key.jwk()], {}),
        "one kid for two types": (ec_key, [ec_key.jwk(), rsa_key.jwk(kid=ec_key.kid)], {}),
        "a key twice": (ec_key, [ec_key.jwk(), ec_key.jwk()], {}),
        "other curves beside": (ec_key, [{"kty": "EC", "crv": "secp256k1", "kid": "k"}, ec_key.jwk()], {}),
        "an odd kid": (
            ec_key,
            [ec_key.jwk(kid="a/b+c=\u00e9 \U0001f511")],
            {"kid": "a/b+c=\u00e9 \U0001f511"},
        ),
        "a number as text": (ec_key, [ec_key.jwk(kid="1")], {"kid": "1"}),
        "an empty kid": (ec_key, [ec_key.jwk(kid="")], {"kid": ""}),
        "no typ": (ec_key, [ec_key.jwk()], {"typ": None}),
    }


@pytest.mark.parametrize("caching", ["no-store", "no-cache, must-revalidate, max-age=0", "private", ""])
def test_honest_strangers(endpoint: Endpoint, make_key: MakeKey, caching: str) -> None:
    """The sets that real issuers publish are taken, sparse or overloaded, with any word on caching.

    A library that refuses these makes its users switch off what protects them.
    """
    cases = strangers(make_key("ES256", 0), make_key("RS256", 0), make_key("Ed25519", 0))
    for name, (key, listed, header) in cases.items():
        endpoint.publish(*listed, cache_control=caching, issuer="https://id.example", note={"a": [1]})
        with JWKSCache(endpoint.url) as cache:
            verifier = Verifier(
                cache, issuer=None, audience=None, algorithms=["ES256", "RS256", "EdDSA"], required=()
            )
            assert verifier.verify(key.token({"sub": name}, **header)) == {"sub": name}, name


def test_unknown_kid_gets_no_other_key(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any]
) -> None:
    """A kid that the set lacks gets no key, though the set has but one.

    CVE-2026-89313 (gose): with it the last key of the set answers for every unknown kid.
    """
    key = make_key("ES256", 0)
    for published in (key.jwk(), key.jwk(kid=None)):
        verifier = make_verifier(published)
        assert verdict(verifier, key.token(claims, kid="other")) == "key_unknown"
        assert verdict(verifier, key.token(claims, kid=None)) == "accepted"
    secret = f"{unsigned({'alg': 'HS256', 'kid': 'other'}, claims)}"
    assert verdict(make_verifier(key.jwk()), f"{secret}.{segment(mac(b'', secret))}") == "algorithm_refused"

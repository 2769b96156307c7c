"""Attacks that bring their own key: in the header, by a URL in it, or by a kid that is more than a name."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from keyvault_jwt import base64url
from keyvault_jwt.cache import JWKSCache
from keyvault_jwt.multi_issuer import MultiIssuer
from keyvault_jwt.testing.fake_clock import FakeClock
from keyvault_jwt.verification_errors import InvalidSignature, UnknownKey
from keyvault_jwt.verifier import Verifier
from tests.attacks.conftest import AUDIENCE, ISSUER, MakeKey, MakeVerifier, Tripwire, verdict, with_mac
from tests.unit.conftest import Endpoint, TestKey, jwk_set

DAY = datetime(2026, 1, 1, tzinfo=UTC)


def certificate(key: TestKey) -> x509.Certificate:
    """Return a certificate that the key has issued to itself."""
    private: Any = key.private
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "id.example")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).serial_number(1)
    builder = builder.public_key(private.public_key()).not_valid_before(DAY)
    return builder.not_valid_after(DAY + timedelta(days=1)).sign(private, hashes.SHA256())


@pytest.fixture
def offered(make_key: MakeKey, tripwire: Tripwire, tmp_path: Path) -> dict[str, dict[str, Any]]:
    """Headers that offer the key of a forger, the ES256 key number 1, or tell where to fetch it."""
    evil = make_key("ES256", 1)
    chain = [base64.b64encode(certificate(evil).public_bytes(Encoding.DER)).decode()]
    stored = tmp_path / "keys.json"
    stored.write_bytes(jwk_set(evil.jwk()))
    private: Any = evil.private
    d = base64url.encode(private.private_numbers().private_value.to_bytes(32, "big"))
    prints = {
        "x5t": base64url.encode(hashlib.sha1(base64.b64decode(chain[0])).digest()),
        "x5t#S256": base64url.encode(hashlib.sha256(base64.b64decode(chain[0])).digest()),
    }
    urls = [
        *(tripwire.url(scheme) for scheme in ("http", "https", "ftp", "HTTP")),
        stored.as_uri(),
        str(stored),
    ]
    urls.append("data:application/json;base64," + base64.b64encode(stored.read_bytes()).decode())
    return {
        "jwk": {"jwk": evil.jwk()},
        "jwk without alg": {"jwk": evil.jwk(alg=None, use=None, kid=None)},
        "jwk with its private half": {"jwk": evil.jwk(d=d)},
        "jwk as text": {"jwk": msgspec.json.encode(evil.jwk()).decode()},
        "set": {"jwk": {"keys": [evil.jwk()]}, "keys": [evil.jwk()], "jwks": {"keys": [evil.jwk()]}},
        "x5c": {"x5c": chain},
        "x5c as PEM": {"x5c": [certificate(evil).public_bytes(Encoding.PEM).decode()]},
        "x5c and prints": {"x5c": chain, **prints},
        "all of it": {"jwk": evil.jwk(), "x5c": chain, "jku": urls[0], "x5u": urls[1], **prints},
        **{f"{name} {url[:9]}": {name: url} for name in ("jku", "x5u", "jwks_uri", "iss") for url in urls},
        "url of a url": {"jku": {"url": urls[0]}, "x5u": [urls[0]]},
    }


@pytest.mark.parametrize("cached", [False, True], ids=["given set", "fetched set"])
def test_offered_keys_are_not_looked_at(
    make_key: MakeKey,
    endpoint: Endpoint,
    claims: dict[str, Any],
    offered: dict[str, dict[str, Any]],
    cached: bool,
) -> None:
    """A key or URL in the header lets nobody in, keeps nobody out, and causes no request.

    CVE-2018-0114 (node-jose), CVE-2026-27962 (Authlib), CVE-2026-34240 (Dart's jose), Crypt::JWT before
    0.023: with them the token is checked by the key that its forger put there.  CVE-2024-21643 (.NET),
    and `jku` and `x5u` at large: with them the verifier fetches what the forger names.
    """
    good, evil = make_key("ES256", 0), make_key("ES256", 1)
    endpoint.publish(good.jwk())
    cache = JWKSCache(endpoint.url) if cached else JWKSCache.from_document(jwk_set(good.jwk()))
    with cache:
        verifier = Verifier(cache, issuer=None, audience=None, algorithms=["ES256"], required=())
        assert len(offered) == 38
        for header in offered.values():
            with pytest.raises(UnknownKey):
                verifier.verify(evil.token(claims, **header))
            for kid in (good.kid, None):
                with pytest.raises(InvalidSignature):
                    verifier.verify(evil.token(claims, kid=kid, **header))
            assert verifier.verify(good.token({"sub": "u1"}, **header)) == {"sub": "u1"}
            assert asyncio.run(verifier.averify(good.token({"sub": "u2"}, **header))) == {"sub": "u2"}
    assert {request.path for request in endpoint.requests} == ({"/"} if cached else set())


def test_key_of_an_hmac_in_the_header(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any]
) -> None:
    """A secret in the header, the empty one too, is not the secret.

    CVE-2018-0114 (node-jose) with `oct`; Crypt::JWT before 0.023: with them anyone signs by HMAC.
    """
    key = make_key("HS256", 0)
    verifier = make_verifier(key.jwk(), allow_symmetric=True)
    for secret in (b"", b"k", bytes(32)):
        offered = {"kty": "oct", "k": base64url.encode(secret), "kid": key.kid, "alg": "HS256"}
        for kid in ({"kid": key.kid}, {}):
            token = with_mac(secret, {"alg": "HS256", "jwk": offered, "k": offered["k"], **kid}, claims)
            assert verdict(verifier, token) == "signature_invalid"


def test_kid_is_a_name_and_nothing_else(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any], tripwire: Tripwire, tmp_path: Path
) -> None:
    """A kid that is a path, a URL, a query or a pattern is no key's name, and nothing is opened by it.

    CVE-2026-89313 (gose: an unknown kid gets the last key of the set), and the many services that took
    the secret from the file or the row that a kid names: with them the empty file `/dev/null` signs.
    """
    known = tmp_path / "known"
    known.write_bytes(b"a secret that everybody can read")
    key = make_key("HS256", 0)
    verifier = make_verifier(key.jwk(), allow_symmetric=True)
    kids = [
        *("/dev/null", "../../../../../../dev/null", "file:///dev/null", str(known), known.as_uri()),
        *(tripwire.url(), tripwire.url("https"), "x' UNION SELECT 'secret", "' OR '1'='1", "$(true)", "`id`"),
        *(
            "*",
            "%",
            ".*",
            "",
            " ",
            "\x00",
            f"{key.kid} ",
            f" {key.kid}",
            f"{key.kid}\x00",
            key.kid.swapcase(),
        ),
        *(key.kid[:-1], f"{key.kid}.", "0", "-1", "null", "undefined", "__proto__", "constructor", "keys"),
    ]
    for kid in kids:
        for secret in (b"", b"secret", known.read_bytes(), bytes(32)):
            with pytest.raises(UnknownKey):
                verifier.verify(with_mac(secret, {"alg": "HS256", "kid": kid}, claims))
        with pytest.raises(UnknownKey):
            verifier.verify(key.token(claims, kid=kid))
    assert verifier.verify(key.token(claims)) == claims


def test_signature_by_another_key_of_the_set(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any]
) -> None:
    """The key that the kid names is tried, and no other, though another of the set would verify.

    CVE-2026-84185 (jwcrypto): with it any key of the set does, so one tenant signs as another.
    """
    one, two = make_key("ES256", 0), make_key("ES256", 1)
    verifier = make_verifier(one.jwk(), two.jwk())
    assert verdict(verifier, two.token(claims, kid=one.kid)) == "signature_invalid"
    assert verdict(verifier, two.token(claims, kid=None)) == "key_ambiguous"
    assert verifier.verify(two.token(claims)) == claims


def test_issuer_chooses_no_address(
    make_key: MakeKey, claims: dict[str, Any], clock: FakeClock, tripwire: Tripwire, endpoint: Endpoint
) -> None:
    """An issuer that is not configured is refused without being asked for its keys.

    CVE-2025-59936 (get-jwks), CVE-2018-15801 (Spring Security), CVE-2021-21378 (Envoy): with them the
    unverified `iss` leads to keys, or to none and yet to acceptance.
    """
    good, evil = make_key("ES256", 0), make_key("ES256", 1)
    endpoint.publish(good.jwk())
    with JWKSCache(endpoint.url, clock=clock) as cache:
        verifiers = MultiIssuer(
            [Verifier(cache, issuer=ISSUER, audience=AUDIENCE, algorithms=["ES256"], clock=clock)]
        )
        for iss in (tripwire.url(), tripwire.url("https"), f"{ISSUER}/", f"{ISSUER}#{tripwire.url()}", ""):
            assert verdict(verifiers, evil.token(claims | {"iss": iss})) == "issuer_wrong"
        for listed in ([ISSUER], [tripwire.url(), ISSUER], {"iss": ISSUER}, None):
            assert verdict(verifiers, evil.token(claims | {"iss": listed})) == "token_malformed"
        assert endpoint.requests == []
        assert verifiers.verify(good.token(claims)) == claims

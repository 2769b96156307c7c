"""Attacks that take what everybody knows, the public key, for the secret of an HMAC."""

from __future__ import annotations

from typing import Any

import pytest

from keyvault_jwt.cache import JWKSCache
from keyvault_jwt.verification_errors import AlgorithmRefused, InvalidToken
from keyvault_jwt.verifier import Verifier
from tests.attacks.conftest import (
    AUDIENCE,
    ISSUER,
    MakeKey,
    MakeVerifier,
    mac,
    segment,
    unsigned,
    verdict,
    with_mac,
)
from tests.attacks.public_key_forms import public_key_forms
from tests.unit.conftest import Endpoint

DIGESTS = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}


@pytest.mark.parametrize("kind", ["RS256", "PS256", "ES256", "ES384", "ES512", "Ed25519"])
def test_no_form_of_a_public_key_is_a_secret(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any], kind: str
) -> None:
    """No MAC by any of 200 forms of the public key is taken, whatever the header and the allow-list say.

    CVE-2015-9235 (jsonwebtoken), CVE-2016-5431 (jose-php), CVE-2017-11424 and CVE-2022-29217 (PyJWT:
    PKCS #1 and SSH forms), CVE-2023-48223 and CVE-2026-34950 (fast-jwt: PKCS #1, leading white space),
    CVE-2024-33663 (python-jose: SSH form, and DER after its mend), CVE-2026-48526 (PyJWT: JWK),
    CVE-2026-102268 (line ends), CVE-2026-102271 (DER), CVE-2026-102272 (byte-order mark),
    CVE-2026-102273 (JWK Set): with them a forger who read the key set signs as the issuer.
    """
    key = make_key(kind, 0)
    forms = public_key_forms(key.private, key.kid)
    assert len(forms) >= 200
    # The same key set, before verifiers that might mistake it: `alg` unsaid, all that is public allowed.
    named, unnamed = key.jwk(), key.jwk(alg=None)
    verifiers = [
        make_verifier(named, algorithms=[kind]),
        make_verifier(unnamed, algorithms=[kind]),
        make_verifier(named, algorithms=["HS256"], allow_symmetric=True),
        make_verifier(unnamed, algorithms=["HS256"], allow_symmetric=True),
    ]
    headers = [{"alg": "HS256", "kid": key.kid}, {"alg": "HS256"}, {"alg": kind, "kid": key.kid}]
    stems = [unsigned(header, claims) for header in headers]
    for secret in forms:
        for stem in stems:
            token = f"{stem}.{segment(mac(secret, stem))}"
            for verifier in verifiers:
                with pytest.raises(InvalidToken):
                    verifier.verify(token)


@pytest.mark.parametrize("kind", ["RS256", "ES256", "Ed25519"])
@pytest.mark.parametrize("name", DIGESTS)
def test_jwk_without_alg_serves_no_hmac(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any], kind: str, name: str
) -> None:
    """A public JWK that leaves `alg` out serves no HMAC, with the empty secret neither.

    CVE-2026-44699 (libjwt: the RSA key is an empty secret), CVE-2026-22817 and CVE-2026-22818 (Hono): with
    them the header decides what such a key is for.
    """
    key = make_key(kind, 0)
    verifier = make_verifier(key.jwk(alg=None), algorithms=[name], allow_symmetric=True)
    for secret in (b"", bytes(32), bytes(64)):
        with pytest.raises(AlgorithmRefused):
            verifier.verify(with_mac(secret, {"alg": name, "kid": key.kid}, claims, DIGESTS[name]))
        with pytest.raises(InvalidToken):
            verifier.verify(with_mac(secret, {"alg": name}, claims, DIGESTS[name]))


def test_mixed_key_ring(make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any]) -> None:
    """In a set with secrets and public keys, a kid can't make one serve as the other.

    CVE-2021-46743 (php-jwt): with it the kid chooses a public key and the header HMAC.
    """
    public, secret = make_key("RS256", 0), make_key("HS256", 0)
    for kid in (public.kid, secret.kid, None):
        for algorithms in (["RS256"], ["HS256"]):
            verifier = make_verifier(public.jwk(), secret.jwk(), algorithms=algorithms, allow_symmetric=True)
            for form in public_key_forms(public.private, public.kid):
                header = {"alg": "HS256"} | ({"kid": kid} if kid else {})
                assert verdict(verifier, with_mac(form, header, claims)) != "accepted"
        assert verdict(verifier, secret.token(claims, kid=kid)) != "accepted"


def test_secret_with_the_kid_of_a_public_key(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any]
) -> None:
    """A secret that shares its kid with a public key takes nothing over, and the public key serves on.

    CVE-2022-23541 (jsonwebtoken): with it one way of looking keys up serves both, and forged HMAC passes.
    """
    public, secret = make_key("ES256", 0), make_key("HS256", 0)
    verifier = make_verifier(
        secret.jwk(kid=public.kid), public.jwk(), algorithms=["HS256"], allow_symmetric=True
    )
    assert verdict(verifier, secret.token(claims, kid=public.kid)) == "algorithm_refused"
    verifier = make_verifier(
        secret.jwk(kid=public.kid), public.jwk(), algorithms=["ES256"], allow_symmetric=True
    )
    assert verifier.verify(public.token(claims)) == claims


def test_secret_from_an_endpoint(endpoint: Endpoint, make_key: MakeKey, claims: dict[str, Any]) -> None:
    """A secret that a JWKS endpoint publishes is nobody's key, since everybody can read it.

    CVE-2022-23541's way (jsonwebtoken): with it whatever the lookup finds is used as what the header says.
    """
    secret, public = make_key("HS256", 0), make_key("ES256", 0)
    for listed in ([secret.jwk()], [secret.jwk(), public.jwk()], [secret.jwk(kid=public.kid), public.jwk()]):
        endpoint.publish(*listed)
        with JWKSCache(endpoint.url) as cache:
            verifier = Verifier(cache, issuer=ISSUER, audience=AUDIENCE, algorithms=["HS256"])
            for kid in (secret.kid, public.kid, None):
                assert verdict(verifier, secret.token(claims, kid=kid)) in {
                    "key_unknown",
                    "algorithm_refused",
                }


def test_curve_of_another_algorithm(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any]
) -> None:
    """An EC key serves the algorithm of its curve alone; a JWK that says otherwise is left out.

    CVE-2022-23539 (jsonwebtoken), CVE-2024-33663 (python-jose), PyJWT before 2.11: with them ES512 may be
    checked by a P-256 key, and a weaker key passes for a stronger.
    """
    for kind, others in (("ES256", ["ES384", "ES512"]), ("ES384", ["ES256"]), ("ES512", ["ES256"])):
        key = make_key(kind, 0)
        for other in others:
            token = key.token(claims, alg=other)
            assert verdict(make_verifier(key.jwk(), algorithms=[other]), token) == "algorithm_refused"
            assert verdict(make_verifier(key.jwk(alg=None), algorithms=[other]), token) == "algorithm_refused"
            assert verdict(make_verifier(key.jwk(alg=other), algorithms=[other]), token) == "key_unknown"

"""Attacks on the choice of the algorithm: the token says how it wants to be checked, and is not heard."""

from __future__ import annotations

import itertools
from typing import Any

import jwt
import msgspec
import pytest

from keyvault_jwt.algorithms import ALGORITHMS
from keyvault_jwt.cache import JWKSCache
from keyvault_jwt.errors import UsageError
from keyvault_jwt.pyjwt_compat import PyJWKClient
from keyvault_jwt.verification_errors import AlgorithmRefused, InvalidSignature, InvalidToken, MalformedToken
from keyvault_jwt.verifier import Verifier
from tests.attacks.conftest import ISSUER, MakeKey, MakeVerifier, segment, unsigned, verdict, with_mac
from tests.engines import each_engine, each_kind_by_each_engine
from tests.unit.conftest import Endpoint, jwk_set

CASES_OF_NONE = ["".join(letters) for letters in itertools.product(*zip("none", "NONE", strict=True))]
NEAR_NONE = [
    "",
    " ",
    "none ",
    " none",
    "none\x00",
    "\x00none",
    "none\n",
    "\ufeffnone",
    "n\u200bone",
    "\uff4eone",  # full width n
    "n\u043ene",  # Cyrillic o
    "no\u0274e",  # small capital n
    "none,ES256",
    "ES256,none",
    "null",
    "undefined",
    "false",
    "0",
    "NonE/ES256",
]


@pytest.mark.parametrize("kind", ["ES256", "RS256", "Ed25519", "HS256"])
@pytest.mark.parametrize("name", [*CASES_OF_NONE, *NEAR_NONE], ids=ascii)
def test_none_in_every_spelling(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any], kind: str, name: str
) -> None:
    """`none` is refused in every spelling, signed or not, with a kid or without.

    CVE-2015-2951 and CVE-2015-2964 (PHP), CVE-2018-1000531 (prime-jwt), CVE-2020-26244 (pyoic),
    CVE-2021-22160 (Pulsar), CVE-2022-23540 (jsonwebtoken), CVE-2026-28802 (Authlib): with them the
    signature is skipped when the header says so, in some only when it is spelt unusually.
    """
    key = make_key(kind, 0)
    verifier = make_verifier(key.jwk(), allow_symmetric=kind == "HS256")
    for kid in (key.kid, None):
        good = key.token(claims, alg=name, kid=kid)
        stem = good.rpartition(".")[0]
        for token in (f"{stem}.", good, f"{stem}.{segment(b'none')}", f"{stem}.{segment(b'')}"):
            with pytest.raises(AlgorithmRefused):
                verifier.verify(token)


@each_kind_by_each_engine("ES256", "RS256", "Ed25519", "HS256", "ML-DSA-44")
def test_signature_left_out(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any], kind: str
) -> None:
    """A token of a good algorithm is refused when its signature is empty or missing.

    CVE-2017-10862 (jwt-scala), CVE-2018-1000125 (prime-jwt), CVE-2020-28042 (ServiceStack): with them
    it is taken as it stands.
    """
    key = make_key(kind, 0)
    verifier = make_verifier(key.jwk(), allow_symmetric=kind == "HS256")
    stem = key.token(claims).rpartition(".")[0]
    with pytest.raises(InvalidSignature):
        verifier.verify(f"{stem}.")
    with pytest.raises(MalformedToken):
        verifier.verify(stem)


@pytest.mark.parametrize(
    "alg",
    [
        None,
        True,
        0,
        256,
        ["ES256"],
        ["none", "ES256"],
        {"name": "ES256"},
        {"ES256": True},
        [[]],
        1.5,
    ],
    ids=str,
)
def test_alg_that_is_no_text(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any], alg: Any
) -> None:
    """An `alg` that is missing or no text is malformed, and nothing falls through to a default.

    CVE-2022-23540 (jsonwebtoken): with it a missing choice means `none`; elsewhere a list or an object
    that is looked up in a table ends in an error that is no refusal.
    """
    key = make_key("ES256", 0)
    verifier = make_verifier(key.jwk())
    header = msgspec.json.encode({"kid": key.kid, "alg": alg})
    token = key.raw_token(header, msgspec.json.encode(claims))
    assert verdict(verifier, token) == "token_malformed"
    absent = key.raw_token(msgspec.json.encode({"kid": key.kid}), msgspec.json.encode(claims))
    assert verdict(verifier, absent) == "token_malformed"


MISSPELT = [
    *(name.lower() for name in ALGORITHMS if name.lower() != name),
    *(f" {name}" for name in ALGORITHMS),
    *(f"{name}\x00" for name in ALGORITHMS),
    *("HS1", "RS1", "MD5", "ES256K", "Ed448", "EdDSA ", "eddsa", "RSA", "SHA256", "HMAC", "dir", "A128KW"),
]


@pytest.mark.parametrize("name", MISSPELT, ids=ascii)
def test_misspelt_algorithms(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any], name: str
) -> None:
    """A name is compared letter by letter, and an unknown one is refused.

    CVE-2022-23539 (jsonwebtoken): with it legacy and ill-fitting names are taken.
    """
    key = make_key("ES256", 0)
    with pytest.raises(AlgorithmRefused):
        make_verifier(key.jwk()).verify(key.token(claims, alg=name))


@each_engine
def test_every_pair_of_algorithms(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any]
) -> None:
    """A key serves no algorithm but its own, even where the whole family is allowed.

    CVE-2016-5431 (jose-php), CVE-2016-10555 (jwt-simple), CVE-2024-54150 (cjwt), jwx before 1.2.0: with
    them the header's algorithm is used, whatever the key is for.
    """
    names = [name for name in ALGORITHMS if not name.startswith("ML-DSA")]
    public = [name for name in names if not name.startswith("HS")]
    tried = 0
    for kind in public:
        key = make_key(kind, 0)
        verifiers = [
            make_verifier(key.jwk(), algorithms=public),
            make_verifier(key.jwk(alg=None), algorithms=public),
        ]
        for name in names:
            if name == kind:
                continue
            for verifier in verifiers:
                refusal = verdict(verifier, key.token(claims, alg=name))
                assert refusal in {"algorithm_refused", "signature_invalid"}, (kind, name, refusal)
                tried += 1
    assert tried == len(public) * 2 * (len(names) - 1)


def test_allow_list_is_of_the_verified_algorithm(
    endpoint: Endpoint, make_key: MakeKey, claims: dict[str, Any]
) -> None:
    """The allow-list is for the algorithm by which a signature is checked, also for PyJWT's users.

    CVE-2026-48523 (PyJWT): with it the header's `alg` is held against the list and the key's is used, so
    who has a key of a refused algorithm is let in.
    """
    allowed, refused = make_key("RS256", 0), make_key("PS256", 0)
    endpoint.publish(allowed.jwk(), refused.jwk())
    token = refused.token(claims, alg="RS256")
    with JWKSCache(endpoint.url) as cache:
        verifier = Verifier(cache, issuer=None, audience=None, algorithms=["RS256"])
        assert verdict(verifier, token) == "algorithm_refused"
    client = PyJWKClient(endpoint.url)
    with pytest.raises(AlgorithmRefused):
        client.get_signing_key_from_jwt(token)
    assert isinstance(client.get_signing_key_from_jwt(allowed.token(claims)), jwt.PyJWK)
    client.close()


@pytest.mark.parametrize(
    "listed",
    [["RS256", "HS256"], ["HS512", "ES256"], ["EdDSA", "HS256"], ["none"], ["HS256", "none"], []],
    ids=str,
)
def test_lists_that_would_allow_it(listed: list[str]) -> None:
    """No verifier can be made that allows HMAC, or `none`, beside public keys.

    CVE-2015-9235 (jsonwebtoken), CVE-2024-37568 (Authlib), CVE-2026-48526 (PyJWT): all need such a one.
    """
    with pytest.raises(UsageError):
        Verifier(JWKSCache.from_document(jwk_set()), issuer=None, audience=None, algorithms=listed)


def test_refusal_does_not_tell_the_right_signature(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any]
) -> None:
    """A refusal tells nothing of the signature that would have been right.

    CVE-2019-7644 (Auth0 WCF): with it the error message is the signature, ready to be used.
    """
    key = make_key("HS256", 0)
    good = key.token(claims)
    stem, _, signature = good.rpartition(".")
    verifier = make_verifier(key.jwk(), allow_symmetric=True)
    with pytest.raises(InvalidSignature) as refused:
        verifier.verify(f"{stem}.{segment(bytes(32))}")
    told = f"{refused.value} {refused.value!r} {refused.value.__cause__!r}"
    assert signature not in told
    assert stem not in told


@each_engine
def test_wrong_signature_is_told_before_the_claims(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any]
) -> None:
    """A forged token is told to be forged, whatever else is wrong with it.

    CVE-2024-51744 (golang-jwt): with it a forged and expired token is "expired", and a caller who
    forgives expiry lets it in.
    """
    key = make_key("ES256", 0)
    stale = claims | {"exp": 1, "iss": "https://evil.example", "aud": "x"}
    forged = f"{unsigned({'alg': 'ES256', 'kid': key.kid}, stale)}.{segment(bytes(range(64)))}"
    assert verdict(make_verifier(key.jwk()), forged) == "signature_invalid"
    assert verdict(make_verifier(key.jwk()), key.token(stale)) == "token_expired"


@each_engine
def test_public_key_verifier_takes_no_mac(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any]
) -> None:
    """A verifier for public keys takes no MAC, by whatever secret.

    CVE-2023-48238 (json-web-token), CVE-2024-37568 (Authlib): with them HMAC is used when the header
    says so.
    """
    key = make_key("ES256", 0)
    verifier = make_verifier(key.jwk())
    for secret in (b"", b"\0", bytes(32), ISSUER.encode(), key.kid.encode()):
        for name, digest in (("HS256", "sha256"), ("HS384", "sha384"), ("HS512", "sha512")):
            with pytest.raises(InvalidToken):
                verifier.verify(with_mac(secret, {"alg": name, "kid": key.kid}, claims, digest))

"""Verifier: good tokens in, claims out; every known trick refused with its own error."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import itertools
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from keyvault_jwt import base64url, jwk
from keyvault_jwt.algorithms import ALGORITHMS
from keyvault_jwt.cache import JWKSCache
from keyvault_jwt.engine import Cryptography
from keyvault_jwt.errors import UsageError
from keyvault_jwt.fast import AWSLC
from keyvault_jwt.keyset import KeySet
from keyvault_jwt.testing.fake_clock import FakeClock
from keyvault_jwt.verification_errors import (
    AlgorithmRefused,
    AmbiguousKey,
    DeniedKey,
    ExpiredToken,
    FutureToken,
    ImmatureToken,
    InvalidSignature,
    InvalidToken,
    KeysUnavailable,
    MalformedToken,
    MissingClaim,
    TokenTooLarge,
    TypeRefused,
    UnknownKey,
    UnusableKey,
    WrongAudience,
    WrongIssuer,
)
from keyvault_jwt.verifier import Verifier

from .conftest import TestKey, jwk_set

MakeKey = Callable[..., TestKey]
MakeVerifier = Callable[..., Verifier]


@pytest.fixture
def make_verifier(clock: FakeClock) -> MakeVerifier:
    """Make a verifier over given JWKs; what is not said is our issuer, audience and the keys' algorithms."""

    def make(*keys: dict[str, Any], **changes: Any) -> Verifier:
        cache = JWKSCache.from_document(jwk_set(*keys), allow_symmetric=changes.pop("allow_symmetric", False))
        expected = {
            "issuer": "https://id.example",
            "audience": "api",
            "algorithms": {key.get("alg", "ES256") for key in keys} or ["ES256"],
            "clock": clock,
        }
        return Verifier(cache, **(expected | changes))

    return make


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_good_token(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any], algorithm: str
) -> None:
    """A token of every algorithm is accepted, as text and bytes, at once and awaited."""
    key = make_key(algorithm, 0)
    verifier = make_verifier(key.jwk(), allow_symmetric=ALGORITHMS[algorithm].symmetric)
    token = key.token(claims)
    assert verifier.verify(token) == verifier.verify(token.encode()) == claims
    assert asyncio.run(verifier.averify(token)) == claims


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "Ed25519", "HS256", "ML-DSA-44"])
def test_signature_is_checked(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any], algorithm: str
) -> None:
    """Another signature, payload or header, a cut, longer or empty signature: each is refused."""
    key = make_key(algorithm, 0)
    verifier = make_verifier(key.jwk(), allow_symmetric=ALGORITHMS[algorithm].symmetric)
    header, payload, signature = key.token(claims).split(".")
    raw = base64url.decode(signature)
    other = key.token(claims | {"sub": "root"}).split(".")
    for forged in (raw[:-1], raw + b"\0", b"", bytes(len(raw)), bytes([raw[0] ^ 1]) + raw[1:]):
        with pytest.raises(InvalidSignature):
            verifier.verify(f"{header}.{payload}.{base64url.encode(forged)}")
    for mixed in (f"{header}.{other[1]}.{signature}", f"{header}.{payload}.{other[2]}"):
        with pytest.raises(InvalidSignature):
            verifier.verify(mixed)


def respelt(token: str, made: Callable[[str], str]) -> list[str | bytes]:
    """Return tokens like a good one: cut, lengthened, with other parts, in other spellings; `made` signs."""
    header, payload, signature = token.split(".")
    signed = made(f"{payload}.{payload}")
    return [
        *(token[:end] for end in range(0, len(token), 7)),
        *(token[:at] + other + token[at + 1 :] for at in range(0, len(token), 5) for other in ".=A_-+\u00e9"),
        *(f"{token}{more}" for more in (".", "=", "A", "\n", f".{signature}")),
        f"{header}..{signature}",
        f"{header}.{payload}.",
        f".{payload}.{signature}",
        f"{payload}.{header}.{signature}",
        f"{header}.{payload}.{payload}.{signature}",
        f"{header}.{signed}",
        f"{header}.{made('')}",
        f"{header}.{made(payload + '=')}",
        token.encode(),
        token.encode("utf-16"),
        b"",
    ]


def reason(verifier: Verifier, token: str | bytes) -> str:
    """Return the code of the refusal, or what the token claims."""
    try:
        return str(verifier.verify(token))
    except InvalidToken as error:
        return error.code


@pytest.mark.parametrize("remember", [0, 5])
def test_a_header_that_is_known_changes_no_verdict(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any], remember: int
) -> None:
    """Whatever comes is judged alike by a verifier that has seen its header and by one that never has."""
    key = make_key("ES256", 0)
    token = key.token(claims)
    header = token.partition(".")[0]

    def made(payload: str) -> str:
        return f"{payload}.{base64url.encode(key._sign(f'{header}.{payload}'.encode()))}"

    known = make_verifier(key.jwk(), remember=remember)
    assert known.verify(token) == claims
    for other in respelt(token, made):
        assert reason(known, other) == reason(make_verifier(key.jwk()), other), other


def test_the_cap_holds_for_known_headers(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any]
) -> None:
    """A good token above the cap is refused, though its header was seen on one below."""
    key = make_key("ES256", 0)
    token = key.token(claims)
    verifier = make_verifier(key.jwk(), max_token=len(token))
    verifier.verify(token)
    with pytest.raises(TokenTooLarge):
        verifier.verify(key.token(claims | {"sub": "u" * 99}))


def test_every_bit_of_a_token_counts(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any]
) -> None:
    """No other character at any place of a token leaves it acceptable: one token, one spelling."""
    key = make_key("ES256", 0)
    verifier = make_verifier(key.jwk(), remember=10)
    token = key.token(claims)
    verifier.verify(token)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for place, character in enumerate(token):
        near = alphabet[(alphabet.index(character) ^ 1)] if character != "." else "A"
        for changed in (near, "=", " ", "+"):
            with pytest.raises(InvalidToken):
                verifier.verify(token[:place] + changed + token[place + 1 :])
    for decorated in (f" {token}", f"{token}\n", f"{token}=", f"{token}.", f"Bearer {token}", f'"{token}"'):
        with pytest.raises(InvalidToken):
            verifier.verify(decorated)


@pytest.mark.parametrize("name", ["none", "None", "NONE", "nOnE", "", "none ", "es256", "ES256 ", "ES521"])
@pytest.mark.parametrize("signed", [True, False])
def test_no_algorithm_but_the_allowed(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any], name: str, signed: bool
) -> None:
    """`none` and misspelt names are refused before a key is looked for, signature or not."""
    key = make_key("ES256", 0)
    verifier = make_verifier(key.jwk(), algorithms=["ES256"])
    token = key.token(claims, alg=name)
    with pytest.raises(AlgorithmRefused):
        verifier.verify(token if signed else token.rpartition(".")[0] + ".")


def test_allow_list_is_the_verifiers(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any]
) -> None:
    """A good token of a key in the set is refused when its algorithm is not in the allow-list."""
    ec, rsa_key = make_key("ES256", 0), make_key("RS256", 0)
    verifier = make_verifier(ec.jwk(), rsa_key.jwk(), algorithms=["ES256"])
    verifier.verify(ec.token(claims))
    with pytest.raises(AlgorithmRefused):
        verifier.verify(rsa_key.token(claims))


def encodings_of(key: Any) -> list[bytes]:
    """Return what an attacker may take for the HMAC secret that a public key is confused with."""
    pem = [
        key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    ]
    if isinstance(key, rsa.RSAPublicKey):
        pem.append(key.public_bytes(Encoding.PEM, PublicFormat.PKCS1))
    members = jwk.public_members(key)
    texts = [
        msgspec.json.encode(members),
        members.get("n", members.get("x", "")).encode(),
        jwk.thumbprint(members).encode(),
    ]
    encodings = [
        *pem,
        *texts,
        *(text.strip() for text in pem),
        *(base64url.decode(text) for text in texts[1:]),
    ]
    return [*encodings, *(text.replace(b"\n", b"\r\n") for text in pem), b""]


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "Ed25519"])
@pytest.mark.parametrize("listed", [True, False], ids=["HS256 listed", "not listed"])
def test_public_key_is_no_hmac_secret(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any], algorithm: str, listed: bool
) -> None:
    """A token signed by HMAC with any encoding of the public key is refused, with or without a kid."""
    key = make_key(algorithm, 0)
    public: Any = key.private
    verifier = make_verifier(
        key.jwk(alg=None), algorithms=["HS256"] if listed else [algorithm], allow_symmetric=True
    )
    for secret in encodings_of(public.public_key()):
        for kid in (key.kid, None):
            header = {"alg": "HS256"} | ({"kid": kid} if kid else {})
            signing_input = ".".join(base64url.encode(msgspec.json.encode(part)) for part in (header, claims))
            mac = hmac.new(secret, signing_input.encode(), hashlib.sha256).digest()
            with pytest.raises(AlgorithmRefused if kid or not listed else UnknownKey):
                verifier.verify(f"{signing_input}.{base64url.encode(mac)}")


@pytest.mark.parametrize(
    "algorithms",
    [[], "ES256", ["none"], ["ES256", "HS256"], ["es256"], ["RSA"], [None], ["HS256", "EdDSA"]],
    ids=str,
)
def test_allow_lists_that_cannot_be_meant(make_verifier: MakeVerifier, algorithms: Any) -> None:
    """An empty list, a text, an unknown name or HMAC beside public keys is refused at once."""
    with pytest.raises(UsageError):
        make_verifier(algorithms=algorithms)


@pytest.mark.parametrize("engine", ["fast", None, AWSLC, Cryptography], ids=str)
def test_engines_that_are_none(make_verifier: MakeVerifier, engine: Any) -> None:
    """A name, nothing, or a class where its instance is meant is refused at once, not at the first token."""
    with pytest.raises(UsageError, match="engine"):
        make_verifier(engine=engine)


def test_expectations_must_be_written() -> None:
    """Issuer, audience and algorithms have no default."""
    cache = JWKSCache.from_document(jwk_set())
    for left_out in ("issuer", "audience", "algorithms"):
        given: dict[str, Any] = {"issuer": None, "audience": None, "algorithms": ["ES256"]}
        del given[left_out]
        with pytest.raises(TypeError):
            Verifier(cache, **given)


@pytest.mark.parametrize(
    "names",
    list(itertools.product(["EdDSA", "Ed25519"], ["EdDSA", "Ed25519"], ["EdDSA", "Ed25519", None])),
    ids=str,
)
def test_two_names_of_ed25519(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any], names: tuple[str, str, str | None]
) -> None:
    """Either name, in allow-list, header and JWK, is the same algorithm (RFC 9864)."""
    in_list, in_header, in_jwk = names
    key = make_key("Ed25519", 0)
    verifier = make_verifier(key.jwk(alg=in_jwk), algorithms=[in_list])
    assert verifier.verify(key.token(claims, alg=in_header)) == claims


def test_one_key_one_algorithm(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any]
) -> None:
    """A key whose JWK says RS256 does not verify PS256, though both are allowed; without alg it may."""
    rs, ps = make_key("RS256", 0), make_key("PS256", 0)
    verifier = make_verifier(ps.jwk(alg="RS256"), rs.jwk(), algorithms=["RS256", "PS256"])
    with pytest.raises(AlgorithmRefused):
        verifier.verify(ps.token(claims))
    assert make_verifier(ps.jwk(alg=None), algorithms=["RS256", "PS256"]).verify(ps.token(claims)) == claims


def test_key_material_in_the_header_is_ignored(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any]
) -> None:
    """jwk, jku, x5u and x5c neither help a forger nor harm a good token."""
    good, evil = make_key("ES256", 0), make_key("ES256", 1)
    verifier = make_verifier(good.jwk())
    offered = {"jwk": evil.jwk(), "jku": "http://127.0.0.1:9/", "x5u": "http://127.0.0.1:9/", "x5c": ["AAAA"]}
    with pytest.raises(UnknownKey):
        verifier.verify(evil.token(claims, **offered))
    with pytest.raises(InvalidSignature):
        verifier.verify(evil.token(claims, kid=good.kid, **offered))
    assert verifier.verify(good.token(claims, **offered)) == claims


def test_token_without_kid(make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any]) -> None:
    """Without a kid the only key of the algorithm is used; of two, none."""
    one, two = make_key("ES256", 0), make_key("ES256", 1)
    assert make_verifier(one.jwk()).verify(one.token(claims, kid=None)) == claims
    assert make_verifier(one.jwk(kid=None, alg=None)).verify(one.token(claims, kid=None)) == claims
    with pytest.raises(AmbiguousKey):
        make_verifier(one.jwk(), two.jwk()).verify(one.token(claims, kid=None))


def test_unknown_kid_is_told(make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any]) -> None:
    """A kid that is not in the set is an error of its own, awaited or not."""
    key = make_key("ES256", 0)
    for refused in (key.token(claims, kid="other"), key.token(claims, kid="")):
        with pytest.raises(UnknownKey):
            make_verifier(key.jwk()).verify(refused)
        with pytest.raises(UnknownKey):
            asyncio.run(make_verifier(key.jwk()).averify(refused))


@pytest.mark.parametrize("bits", [1024, 2040])
def test_short_rsa_keys(make_verifier: MakeVerifier, claims: dict[str, Any], bits: int) -> None:
    """An RSA key under `min_rsa_bits` verifies nothing; whoever must, lowers the bound."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    members = jwk.public_members(private.public_key()) | {"kid": "short", "alg": "RS256"}
    parts = ({"alg": "RS256", "kid": "short"}, claims)
    signing_input = ".".join(base64url.encode(msgspec.json.encode(part)) for part in parts)
    signature = private.sign(signing_input.encode(), PKCS1v15(), SHA256())
    token = f"{signing_input}.{base64url.encode(signature)}"
    with pytest.raises(UnusableKey):
        make_verifier(members).verify(token)
    assert make_verifier(members, min_rsa_bits=bits).verify(token) == claims


@pytest.mark.parametrize(
    ("typ", "accepted"),
    [
        ("at+jwt", {"at+jwt", "AT+JWT", "application/at+jwt", "Application/At+Jwt"}),
        ("application/at+jwt", {"at+jwt", "application/at+jwt"}),
        ("JWT", {"jwt", "JWT", "application/jwt"}),
    ],
)
def test_typ_is_a_media_type(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any], typ: str, accepted: set[str]
) -> None:
    """`typ` is compared without case and without "application/", and must be there when asked for."""
    key = make_key("ES256", 0)
    verifier = make_verifier(key.jwk(), typ=typ)
    for good in accepted:
        assert verifier.verify(key.token(claims, typ=good)) == claims
    for bad in (None, "", "dpop+jwt", "text/at+jwt", "at+jwt;x=1", "application/x/jwt", "atjwt"):
        with pytest.raises(TypeRefused):
            verifier.verify(key.token(claims, typ=bad))


def test_claims_are_checked(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any], clock: FakeClock
) -> None:
    """Issuer, audience, times and required claims of a well signed token count."""
    key = make_key("ES256", 0)
    verifier = make_verifier(key.jwk(), required=("exp", "sub"))
    for changed, error in (
        ({"iss": "https://other.example"}, WrongIssuer),
        ({"aud": ["other"]}, WrongAudience),
        ({"nbf": clock.wall() // 1000 + 31}, ImmatureToken),
        ({"sub": None}, MissingClaim),
    ):
        with pytest.raises(error):
            verifier.verify(key.token(claims | changed))
    clock.advance(timedelta(seconds=89))
    assert verifier.verify(key.token(claims)) == claims
    clock.advance(timedelta(seconds=1))
    with pytest.raises(ExpiredToken):
        verifier.verify(key.token(claims))


@pytest.mark.parametrize("payload", [b"", b"text", b'"text"', b"[]", b'{"exp":', b"\xff"], ids=repr)
def test_jws_that_is_no_jwt(make_key: MakeKey, make_verifier: MakeVerifier, payload: bytes) -> None:
    """`verify` wants claims; `verify_signature` returns any payload, with the header as the caller's own."""
    key = make_key("ES256", 0)
    verifier = make_verifier(key.jwk())
    token = key.token(payload, typ=None, b=[1])
    with pytest.raises(MalformedToken):
        verifier.verify(token)
    header, found = verifier.verify_signature(token)
    assert (header, found) == ({"alg": "ES256", "kid": key.kid, "b": [1]}, payload)
    header["b"].append(2)
    assert asyncio.run(verifier.averify_signature(token))[0]["b"] == [1]


def test_verify_signature_checks_all_but_claims(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any]
) -> None:
    """A payload's claims don't count there; key, algorithm, type and signature do."""
    key, other = make_key("ES256", 0), make_key("ES256", 1)
    verifier = make_verifier(key.jwk(), typ="JWT")
    assert verifier.verify_signature(key.token({"exp": 0}))[1] == b'{"exp":0}'
    for token, error in (
        (key.token(claims, typ="x"), TypeRefused),
        (key.token(claims, alg="none"), AlgorithmRefused),
        (other.token(claims), UnknownKey),
        (other.token(claims, kid=key.kid), InvalidSignature),
    ):
        with pytest.raises(error):
            verifier.verify_signature(token)


def test_size_cap(make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any]) -> None:
    """`max_token` bounds what is looked at."""
    key = make_key("ES256", 0)
    token = key.token(claims)
    assert make_verifier(key.jwk(), max_token=len(token)).verify(token) == claims
    with pytest.raises(TokenTooLarge):
        make_verifier(key.jwk(), max_token=len(token) - 1).verify(token)


class Keys:
    """A key source whose set the test exchanges, and which counts who had to wait."""

    def __init__(self, keys: KeySet | None) -> None:
        self.keys, self.waits = keys, 0

    def current(self) -> KeySet | None:
        return self.keys

    def find(self, kid: str | None, known: KeySet | None) -> KeySet:
        self.waits += 1
        if self.keys is None:
            raise KeysUnavailable("none")
        return self.keys

    async def afind(self, kid: str | None, known: KeySet | None) -> KeySet:
        return self.find(kid, known)


def key_set(*keys: dict[str, Any]) -> KeySet:
    """Return the set of these JWKs."""
    current = JWKSCache.from_document(jwk_set(*keys)).current()
    assert current is not None
    return current


@pytest.mark.parametrize("remember", [0, 10])
def test_key_set_in_use_counts_at_every_call(
    make_key: MakeKey, claims: dict[str, Any], clock: FakeClock, remember: int
) -> None:
    """Nothing that was learnt under one key set outlives it, remembered tokens included."""
    one, two = make_key("ES256", 0), make_key("ES256", 1)
    source = Keys(key_set(one.jwk()))
    verifier = Verifier(
        source,
        issuer="https://id.example",
        audience="api",
        algorithms=["ES256"],
        remember=remember,
        clock=clock,
    )
    token = one.token(claims)
    assert verifier.verify(token) == verifier.verify(token) == claims
    assert source.waits == 0
    # The same kid, another key.
    source.keys = key_set(two.jwk(kid=one.kid))
    with pytest.raises(InvalidSignature):
        verifier.verify(token)
    source.keys = key_set(two.jwk())
    with pytest.raises(UnknownKey):
        verifier.verify(token)
    source.keys = None
    with pytest.raises(KeysUnavailable):
        verifier.verify(token)
    source.keys = key_set(one.jwk())
    assert verifier.verify(token) == claims


def test_remembered_tokens_are_checked_at_every_use(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any], clock: FakeClock
) -> None:
    """A remembered token expires like any other, and its claims are each caller's own."""
    key = make_key("ES256", 0)
    verifier = make_verifier(key.jwk(), remember=1)
    token = key.token(claims | {"roles": ["user"]})
    verifier.verify(token)["roles"].append("admin")
    assert verifier.verify(token)["roles"] == ["user"]
    clock.advance(timedelta(seconds=90))
    with pytest.raises(ExpiredToken):
        verifier.verify(token)


def test_claims_of_remembered_tokens_are_the_callers_own(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any]
) -> None:
    """Whatever a caller does to the claims, first or later, the next one gets the token's."""
    key = make_key("ES256", 0)
    verifier = make_verifier(key.jwk(), remember=2)
    flat, deep = key.token(claims), key.token(claims | {"roles": ["user"], "act": {"by": [{"sub": "u2"}]}})
    for _ in range(3):
        mine = verifier.verify(flat)
        assert mine == claims
        mine.clear()
        mine = verifier.verify(deep)
        assert mine == claims | {"roles": ["user"], "act": {"by": [{"sub": "u2"}]}}
        mine["roles"].append("admin")
        mine["act"]["by"][0]["sub"] = "root"


def test_times_of_remembered_tokens_count_both_ways(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any], clock: FakeClock
) -> None:
    """A remembered token is refused past exp, and before nbf or iat when the clock is set back."""
    key, now = make_key("ES256", 0), clock.wall() // 1000
    verifier = make_verifier(key.jwk(), remember=9)
    tokens = {
        ImmatureToken: key.token({**claims, "iat": now - 500, "nbf": now, "exp": now + 60}),
        FutureToken: key.token({**claims, "iat": now, "exp": now + 60.5}),
    }
    for early, token in tokens.items():
        verifier.verify(token)
        clock.step_wall(-30_000)
        verifier.verify(token)
        clock.step_wall(-1)
        with pytest.raises(early):
            verifier.verify(token)
        clock.step_wall(30_001)
        verifier.verify(token)
    clock.step_wall(90_499)
    verifier.verify(tokens[FutureToken])
    clock.step_wall(1)
    for token in tokens.values():
        with pytest.raises(ExpiredToken):
            verifier.verify(token)


def test_a_token_is_remembered_under_the_keys_that_it_was_checked_by(
    make_key: MakeKey, claims: dict[str, Any], clock: FakeClock
) -> None:
    """When the set changes while a token is checked, the token is not known under the new set."""
    old, new = make_key("ES256", 0), make_key("ES256", 1)
    source = Keys(key_set(old.jwk()))

    class ChangingClock(FakeClock):
        """Asked for the time, lets another thread exchange the set and use it."""

        def wall(self) -> int:
            if source.keys is not current:
                return super().wall()
            source.keys = key_set(new.jwk())
            verifier.verify(new.token(claims))
            return super().wall()

    verifier = Verifier(
        source, issuer=None, audience=None, algorithms=["ES256"], remember=9, clock=ChangingClock()
    )
    for token in (old.token(claims), old.token(claims | {"sub": "u2"})):
        source.keys = current = key_set(old.jwk())
        assert verifier.verify(token)
        with pytest.raises(UnknownKey):
            verifier.verify(token)


def test_denied_key_forgets_its_tokens(make_key: MakeKey, claims: dict[str, Any], clock: FakeClock) -> None:
    """After `deny`, a remembered token is refused at its next use."""
    key = make_key("ES256", 0)
    cache = JWKSCache.from_document(jwk_set(key.jwk()))
    verifier = Verifier(cache, issuer=None, audience=None, algorithms=["ES256"], remember=5, clock=clock)
    token = key.token(claims)
    verifier.verify(token)
    cache.deny(key.kid)
    with pytest.raises(DeniedKey):
        verifier.verify(token)


def test_memory_is_bounded(make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any]) -> None:
    """No more tokens or headers are kept than said, and none that was not good."""
    key = make_key("ES256", 0)
    verifier = make_verifier(key.jwk(), remember=3)
    for number in range(300):
        verifier.verify(key.token(claims | {"jti": number}, n=number))
        with pytest.raises(InvalidSignature):
            verifier.verify(key.token(claims, n=-number).rpartition(".")[0] + ".AAAA")
    assert len(verifier._generation.tokens) == 3
    assert len(verifier._generation.headers) == 256
    with pytest.raises(UsageError):
        make_verifier(remember=-1)


def test_hit_never_suspends(make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any]) -> None:
    """`averify` of a token whose key is known finishes without yielding to the event loop."""
    key = make_key("ES256", 0)
    coroutine = make_verifier(key.jwk()).averify(key.token(claims))
    with pytest.raises(StopIteration) as finished:
        coroutine.send(None)
    assert finished.value.value == claims

"""Keys from elsewhere: every form that is taken, every fault that is not, and nothing private shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import jwcrypto.jwk
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from keyvault_jwt import KeyManager, RotationPolicy, base64url, jwk
from keyvault_jwt.algorithms import ALGORITHMS
from keyvault_jwt.errors import KeyMismatch, KeyRefused, WeakKey, WrongKeyType
from keyvault_jwt.jwk import Secret
from keyvault_jwt.key_factory import FreshKey, LocalKeyFactory, load_private
from keyvault_jwt.key_import import exported, import_jwk, import_pem
from keyvault_jwt.keyring import Keyring
from keyvault_jwt.stores.memory import MemoryStore

from ..canary import spellings

NAMES = list(ALGORITHMS)
ASYMMETRIC = [name for name in NAMES if not ALGORITHMS[name].symmetric]
SYMMETRIC = [name for name in NAMES if ALGORITHMS[name].symmetric]
ONE_OF_EACH = ["ES256", "ES384", "ES512", "Ed25519", "RS256", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87"]

Make = Callable[..., FreshKey]


@pytest.fixture(scope="module")
def make() -> Make:
    """Keys by algorithm and number, made once; RSA algorithms share theirs."""
    made: dict[tuple[str, int], FreshKey] = {}

    def make_one(algorithm: str, number: int = 0) -> FreshKey:
        name = ("RSA" if ALGORITHMS[algorithm].kty == "RSA" else algorithm, number)
        if name not in made:
            made[name] = LocalKeyFactory().make(algorithm)
        return made[name]

    return make_one


@cache
def loaded(algorithm: str, private: bytes) -> Any:
    """Return a stored private half as `cryptography` has it; RSA keys are slow to load."""
    return load_private(algorithm, private)


def private_of(fresh: FreshKey) -> Any:
    """Return the private half as `cryptography` has it."""
    assert fresh.private is not None
    return loaded(fresh.algorithm, fresh.private)


def pem(key: Any, form: PrivateFormat = PrivateFormat.PKCS8, password: bytes | None = None) -> bytes:
    """Return PEM of a private key."""
    sealed = serialization.BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, form, sealed)


def jwk_of(fresh: FreshKey, algorithm: str | None = None, **members: Any) -> dict[str, Any]:
    """Return the private JWK as jwcrypto writes it, with members changed; None removes one."""
    key = private_of(fresh)
    if isinstance(key, Secret):
        made: dict[str, Any] = jwk.secret_members(key) | {"kid": "k1"}
    elif fresh.algorithm.startswith("ML-DSA"):
        made = {**(fresh.public or {}), "priv": base64url.encode(key.private_bytes_raw())}
    else:
        made = dict(private_members(pem(key)))
    made |= {"alg": algorithm or fresh.algorithm}
    return {name: value for name, value in (made | members).items() if value is not None}


def read(members: dict[str, Any], algorithm: str | None = None) -> FreshKey:
    """Import a JWK."""
    return import_jwk(json.dumps(members).encode(), algorithm)


@cache
def parts_of(algorithm: str, private: bytes) -> frozenset[str]:
    """Return the spellings of a private half, and a stretch of each long one, should an error cut it."""
    whole = spellings(algorithm, private)
    return frozenset(whole | {text[8:40] for text in whole if len(text) >= 48})


@cache
def private_members(private: bytes) -> dict[str, Any]:
    """Return the members of a PEM's private JWK as jwcrypto writes them."""
    members: dict[str, Any] = json.loads(jwcrypto.jwk.JWK.from_pem(private).export_private())
    del members["kid"]
    return members


def refused(kind: type[KeyRefused], fresh: FreshKey, attempt: Callable[[], object]) -> KeyRefused:
    """Return the refusal; neither it nor what led to it spells the private half, or carries it."""
    with pytest.raises(kind) as caught:
        attempt()
    assert type(caught.value) is kind
    assert fresh.private is not None
    secret = parts_of(fresh.algorithm, fresh.private)
    error: BaseException | None = caught.value
    while error is not None:
        shown = f"{error!r} {error} {vars(error)} {error.args}"
        assert not any(text in shown for text in secret), f"{type(error).__name__} shows a private half"
        error = error.__cause__ or error.__context__
    return caught.value


@pytest.mark.parametrize("name", ASYMMETRIC)
def test_pem_is_taken(name: str, make: Make) -> None:
    """PKCS #8 of every asymmetric algorithm; the kid is the thumbprint, or the one that is given."""
    fresh = make(name)
    taken = import_pem(pem(private_of(fresh)), name)
    assert (taken.kid, taken.algorithm, taken.public) == (fresh.kid, name, fresh.public)
    assert taken.private == fresh.private
    assert import_pem(pem(private_of(fresh)), name, kid="2024-key").kid == "2024-key"


@pytest.mark.parametrize("name", ["ES256", "ES384", "ES512", "RS256"])
def test_traditional_pem_is_taken(name: str, make: Make) -> None:
    """SEC 1 and PKCS #1, plain and encrypted."""
    key = private_of(make(name))
    for password in (None, b"pass word"):
        text = pem(key, PrivateFormat.TraditionalOpenSSL, password)
        assert (b"EC PRIVATE" in text) or (b"RSA PRIVATE" in text)
        assert import_pem(text, name, password=password).kid == make(name).kid


@pytest.mark.parametrize("name", ["ES256", "Ed25519", "RS256", "ML-DSA-44"])
def test_encrypted_pem_is_taken_with_its_password(name: str, make: Make) -> None:
    """With another password, none, or one too many it is refused, and no password shows."""
    fresh = make(name)
    sealed, plain = pem(private_of(fresh), password=b"right"), pem(private_of(fresh))
    assert import_pem(sealed, name, password=b"right") == import_pem(plain, name)
    for text, password in (
        (sealed, b"wrong-password"),
        (sealed, None),
        (sealed, b""),
        (plain, b"wrong-password"),
    ):
        error = refused(
            KeyRefused, fresh, lambda text=text, password=password: import_pem(text, name, password=password)
        )  # type: ignore[misc]
        assert error.code == "key_refused"
        assert "wrong-password" not in str(error)
        assert "another password" in error.why


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_what_is_no_private_pem_is_refused(name: str, make: Make) -> None:
    """Public, a certificate's frame, cut, garbled, DER, empty: one error that says what to give."""
    fresh = make(name)
    whole = pem(private_of(fresh))
    lines = whole.splitlines(keepends=True)
    public = private_of(fresh).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for data in (
        public,
        b"",
        b"garbage",
        b"\xff" * 100,
        fresh.private or b"",
        whole[: len(whole) // 2],
        b"".join(lines[1:]),
        b"".join(lines[:-1]),
        b"".join([*lines[:1], *lines[2:]]),
        whole.replace(b"PRIVATE KEY", b"CERTIFICATE"),
        lines[0] + b"!!!!" + b"".join(lines[1:]),
    ):
        error = refused(KeyRefused, fresh, lambda data=data: import_pem(data, name))  # type: ignore[misc]
        assert "no PEM private key" in error.what
        assert "PKCS #8, SEC 1 or PKCS #1" in error.fix


@pytest.mark.parametrize("name", ASYMMETRIC)
def test_keys_of_another_type_are_refused(name: str, make: Make) -> None:
    """Another row's key, a curve we don't know, or a kind that can't sign here."""
    kty = ALGORITHMS[name].kty
    for other in ONE_OF_EACH:
        row = ALGORITHMS[other]
        if other == name or kty == row.kty == "RSA":
            continue
        fresh = make(other)
        text = pem(private_of(fresh))
        error = refused(WrongKeyType, fresh, lambda text=text: import_pem(text, name))  # type: ignore[misc]
        assert (error.code, name in error.what) == ("wrong_key_type", True)
    for key in (
        ec.generate_private_key(ec.SECP256K1()),
        ec.generate_private_key(ec.SECP224R1()),
        ed448.Ed448PrivateKey.generate(),
        x25519.X25519PrivateKey.generate(),
    ):
        with pytest.raises(WrongKeyType, match=name):
            import_pem(pem(key), name)


@pytest.mark.parametrize("name", [name for name in ASYMMETRIC if ALGORITHMS[name].kty == "RSA"])
def test_weak_rsa_keys_are_refused(name: str) -> None:
    """1024 bits, as PEM and as JWK, with the number."""
    key = rsa.generate_private_key(65537, 1024)
    text = pem(key)
    members = json.loads(jwcrypto.jwk.JWK.from_pem(text).export_private()) | {"alg": name}
    for attempt in (lambda: import_pem(text, name), lambda: read(members)):
        with pytest.raises(WeakKey, match="RSA key of 1024 bits") as caught:
            attempt()
        assert caught.value.code == "weak_key"


def test_2048_bits_are_enough() -> None:
    """What others made at 2048 bits is taken, though 3072 are made here."""
    key = rsa.generate_private_key(65537, 2048)
    assert import_pem(pem(key), "PS256").algorithm == "PS256"


def test_a_key_that_verifiers_leave_out_is_refused() -> None:
    """An exponent over 32 bits: it would sign, and every token be refused."""
    key = rsa.generate_private_key(65537, 2048)
    numbers, e = key.private_numbers(), (1 << 32) + 15
    d = pow(e, -1, (numbers.p - 1) * (numbers.q - 1))
    wide = rsa.RSAPrivateNumbers(
        numbers.p,
        numbers.q,
        d,
        d % (numbers.p - 1),
        d % (numbers.q - 1),
        numbers.iqmp,
        rsa.RSAPublicNumbers(e, key.public_key().public_numbers().n),
    ).private_key()
    with pytest.raises(KeyRefused, match="verifiers would not take this key") as caught:
        import_pem(pem(wide), "RS256")
    assert "exponent" in caught.value.why


@pytest.mark.parametrize("kid", ["", "x" * 257, "a\nb", "a\0", "\x1b[31m", "\u2028", "\ud800"])
def test_kids_that_no_one_can_read_are_refused(kid: str, make: Make) -> None:
    """Empty, too long, or with characters that print nothing or forge a line."""
    fresh = make("ES256")
    text = pem(private_of(fresh))
    error = refused(KeyRefused, fresh, lambda: import_pem(text, "ES256", kid=kid))
    assert error.what == "a kid has 1 to 256 characters, all of them printable"
    if kid != "\ud800":
        refused(KeyRefused, fresh, lambda: read(jwk_of(fresh, kid=kid)))


def test_kids_of_256_characters_are_taken(make: Make) -> None:
    """The bound itself is inside, as is a kid in another script or with spaces."""
    for kid in ("x" * 256, "k", "Schl\u00fcssel 2024/1 (alt)"):
        assert import_pem(pem(private_of(make("ES256"))), "ES256", kid=kid).kid == kid


@pytest.mark.parametrize("name", NAMES)
def test_jwks_are_taken(name: str, make: Make) -> None:
    """A private JWK as jwcrypto writes it, by its own alg, by the given one, or by both."""
    fresh = make(name)
    kid = "k1" if name in SYMMETRIC else fresh.kid
    members = jwk_of(fresh, name)
    for given, algorithm in ((members, None), (members, name), (jwk_of(fresh, name, alg=None), name)):
        if algorithm is not None and "alg" not in given and name.startswith("ML-DSA"):
            continue
        taken = read(given, algorithm)
        assert (taken.kid, taken.algorithm, taken.private) == (kid, name, fresh.private)
        assert taken.public == fresh.public
    assert read(members | {"kid": "mine"}).kid == "mine"


def test_rsa_without_its_primes_is_taken(make: Make) -> None:
    """RFC 7518 section 6.3.2: `d` alone is a private key; the primes are found from it."""
    fresh = make("RS256")
    members = jwk_of(fresh, "RS256", p=None, q=None, dp=None, dq=None, qi=None)
    taken = private_of(read(members)).private_numbers()
    made = private_of(fresh).private_numbers()
    assert taken.public_numbers == made.public_numbers
    assert {taken.p, taken.q} == {made.p, made.q}


@pytest.mark.parametrize(
    "name", ["ES256", "ES384", "ES512", "Ed25519", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87"]
)
def test_halves_of_two_keys_are_refused(name: str, make: Make) -> None:
    """A private half that gives another public one: `key_mismatch`, whichever is shown as whose."""
    fresh, other = make(name), make(name, 1)
    half = "priv" if name.startswith("ML-DSA") else "d"
    members = jwk_of(fresh) | {half: jwk_of(other)[half]}
    for key in (fresh, other):
        error = refused(KeyMismatch, key, lambda: read(members))
        assert (error.code, "another public key" in error.what) == ("key_mismatch", True)


@pytest.mark.parametrize("taken", [("p",), ("q",), ("p", "q"), ("d", "p", "q"), ("n",), ("n", "e")])
def test_rsa_primes_of_another_modulus_are_refused(taken: tuple[str, ...], make: Make) -> None:
    """Primes whose product is another modulus: `key_mismatch`, whichever number comes from where."""
    fresh, other = make("RS256"), make("RS256", 1)
    members = jwk_of(fresh, "RS256") | {name: jwk_of(other, "RS256")[name] for name in taken}
    for key in (fresh, other):
        error = refused(KeyMismatch, key, lambda: read(members))
        assert error.code == "key_mismatch"


def test_an_rsa_exponent_of_another_modulus_is_refused(make: Make) -> None:
    """A `d` that undoes nothing under this modulus, with its primes beside it and without."""
    fresh, other = make("RS256"), make("RS256", 1)
    members = jwk_of(fresh, "RS256") | {"d": jwk_of(other, "RS256")["d"]}
    without = {name: value for name, value in members.items() if name not in {"p", "q", "dp", "dq", "qi"}}
    for mixed in (members, without):
        for key in (fresh, other):
            refused(KeyRefused, key, lambda mixed=mixed: read(mixed))  # type: ignore[misc]


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_public_and_malformed_jwks_are_refused(name: str, make: Make) -> None:
    """The private member missing, no text, not base64url, of another length, or out of the group."""
    fresh = make(name)
    half = "priv" if name.startswith("ML-DSA") else "d"
    members = jwk_of(fresh, name)
    value = members[half]
    for wrong in (None, 7, [value], {"v": value}, True):
        error = refused(KeyRefused, fresh, lambda wrong=wrong: read(jwk_of(fresh, name, **{half: wrong})))  # type: ignore[misc]
        assert error.what == f"the JWK has no private member {half!r}"
    for wrong in (value + "=", value + "\n", value[:-1] + "+", value + "\u00e9", "\u00e9" + value):
        error = refused(KeyRefused, fresh, lambda wrong=wrong: read(members | {half: wrong}))  # type: ignore[misc]
        assert error.what == f"the member {half!r} is not base64url"
    for octets in (b"", b"\0", b"\1", bytes(32), b"\xff" * 32, b"\xff" * 66, b"\xff" * 5000):
        if (name == "Ed25519" and len(octets) == 32) or (half == "priv" and len(octets) == 32):
            continue
        wrong = base64url.encode(octets)
        with pytest.raises(KeyRefused) as caught:
            read(members | {half: wrong})
        assert caught.value.code in {"key_refused", "key_mismatch"}


@pytest.mark.parametrize(
    ("p", "q"), [(0, 0), (1, 1), (0, 1), (1, None), (None, 1), (2, None), (None, 0), (-1, None)]
)
def test_primes_that_are_none_are_refused(p: int | None, q: int | None, make: Make) -> None:
    """Zero, one, two, the modulus itself: refused, not divided by."""
    fresh = make("RS256")
    members = jwk_of(fresh, "RS256")
    for name, number in (("p", p), ("q", q)):
        if number is not None:
            members[name] = members["n"] if number < 0 else base64url.encode_integer(number)
    with pytest.raises(KeyRefused):
        read(members)


def test_one_prime_alone_is_refused(make: Make) -> None:
    """RFC 7518 section 6.3.2: with `p` the others must be there."""
    fresh = make("RS256")
    error = refused(KeyRefused, fresh, lambda: read(jwk_of(fresh, "RS256", q=None)))
    assert error.what == "the JWK has no private member 'q'"


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"null", b'"x"', b"{", b"{}x", b"\xff", b'{"kty":', b'{"a":' * 100_000, b"[" * 100_000],
    ids=range(10),
)
def test_what_is_no_json_object_is_refused(data: bytes) -> None:
    """Empty, another JSON value, cut short, no UTF-8 or nested too deeply."""
    with pytest.raises(KeyRefused, match="no JSON Web Key") as caught:
        import_jwk(data, "ES256")
    assert caught.value.code == "key_refused"


@pytest.mark.parametrize("name", ["ES256", "RS256", "Ed25519", "ML-DSA-44", "HS256"])
@pytest.mark.parametrize("byte", [b"\xff", b"\x80", b"\xc3", b"\x00", b"\\u00-"])
def test_a_jwk_with_a_broken_character_is_refused(name: str, byte: bytes, make: Make) -> None:
    """A private value that is no UTF-8 any more is not quoted by the decoder's error, nor in its chain."""
    fresh = make(name)
    half = {"HS256": "k", "ML-DSA-44": "priv"}.get(name, "d")
    whole = json.dumps(jwk_of(fresh, name)).encode()
    at = whole.index(f'"{half}": "'.encode()) + len(half) + 5
    for place in (at, at + 20):
        data = whole[:place] + byte + whole[place:]
        refused(KeyRefused, fresh, lambda data=data: import_jwk(data))  # type: ignore[misc]


def test_alg_must_be_said_and_agree(make: Make) -> None:
    """Missing on both sides, two that differ, no text, or none that is known."""
    fresh = make("ES256")
    for members, algorithm in (
        (jwk_of(fresh, alg=None), None),
        (jwk_of(fresh), "ES384"),
        (jwk_of(fresh, alg=7), None),
        (jwk_of(fresh, alg=["ES256"]), "ES256"),
        (jwk_of(fresh, alg="none"), None),
        (jwk_of(fresh, alg="ES384"), None),
        (jwk_of(fresh, alg="HS256"), None),
        (jwk_of(fresh, alg="EdDSA"), None),
    ):
        error = refused(WrongKeyType, fresh, lambda m=members, a=algorithm: read(m, a))  # type: ignore[misc]
        assert error.code == "wrong_key_type"


def test_the_older_name_of_ed25519_means_the_same(make: Make) -> None:
    """A JWK that says EdDSA, as many tools write it, is taken in as Ed25519."""
    fresh = make("Ed25519")
    assert read(jwk_of(fresh, alg="EdDSA"), None) == read(jwk_of(fresh), None)


@pytest.mark.parametrize("kid", [7, ["k"], {"k": 1}, True])
def test_kids_that_are_no_text_are_refused(kid: object, make: Make) -> None:
    """A number is no kid."""
    fresh = make("ES256")
    assert (
        refused(KeyRefused, fresh, lambda: read(jwk_of(fresh, kid=kid))).what == "the JWK's kid is not text"
    )


@pytest.mark.parametrize("name", SYMMETRIC)
def test_secrets(name: str, make: Make) -> None:
    """A symmetric key needs a kid of its own, and as many bytes as the hash has."""
    fresh = make(name)
    error = refused(KeyRefused, fresh, lambda: read(jwk_of(fresh, kid=None)))
    assert error.what == "a symmetric key needs a kid"
    assert fresh.private is not None
    size = len(fresh.private)
    short = base64url.encode(fresh.private[:-1])
    assert f"{size} bytes or more" in refused(WeakKey, fresh, lambda: read(jwk_of(fresh, k=short))).what
    long = base64url.encode(fresh.private * 2)
    assert read(jwk_of(fresh, k=long)).private == fresh.private * 2
    refused(WrongKeyType, fresh, lambda: read(jwk_of(fresh), "ES256"))
    refused(WrongKeyType, fresh, lambda: read(jwk_of(fresh, alg="ES256")))


def keyring_with(fresh: FreshKey, name: str) -> Keyring:
    """Return a keyring that an imported key began."""
    manager = KeyManager(MemoryStore(), listener=lambda _: None)
    manager.import_key("ring", fresh, issuer="https://id.example", policy=RotationPolicy(algorithm=name))
    return manager.keyring("ring")


@pytest.mark.parametrize("name", [*ONE_OF_EACH, "HS256"])
def test_what_is_exported_can_be_imported(name: str, make: Make) -> None:
    """With private halves asked for, each key comes back the same, here and in jwcrypto."""
    fresh = read(jwk_of(make(name), name))
    keys = exported(keyring_with(fresh, name), private=True)
    assert len(keys) >= 3
    (first,) = (key for key in keys if key["kid"] == fresh.kid)
    assert (first["alg"], first["use"], first["keyvault_jwt_state"]) == (name, "sig", "active")
    back = read(first)
    assert (back.kid, back.private, back.public) == (fresh.kid, fresh.private, fresh.public)
    theirs = jwcrypto.jwk.JWK(**{key: value for key, value in first.items() if key != "keyvault_jwt_state"})
    assert theirs.has_private or name == "HS256"


@pytest.mark.parametrize("name", [*ONE_OF_EACH, "HS256"])
def test_exports_are_public_unless_asked(name: str, make: Make) -> None:
    """No private member leaves by default, and of a symmetric keyring nothing does."""
    fresh = read(jwk_of(make(name), name))
    keys = exported(keyring_with(fresh, name), private=False)
    assert bool(keys) == (name != "HS256")
    assert all(jwk.PRIVATE_MEMBERS.isdisjoint(key) for key in keys)
    assert fresh.private is not None
    shown = json.dumps(keys)
    assert not any(text in shown for text in spellings(name, fresh.private))


def test_a_public_half_alone_is_never_a_secret(make: Make) -> None:
    """An RSA public key offered for HS256, as text or as JWK, is refused (RFC 8725 section 2.1)."""
    fresh = make("RS256")
    public = private_of(fresh).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    refused(KeyRefused, fresh, lambda: import_pem(public, "HS256"))
    refused(WrongKeyType, fresh, lambda: import_pem(pem(private_of(fresh)), "HS256"))

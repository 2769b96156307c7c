"""One JWK in and out: thumbprints judged by others, every bound, and nothing secret shown."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from typing import Any

import joserfc.jwk
import jwcrypto.jwk
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, mldsa, rsa

from keyvault_jwt import base64url, jwk
from keyvault_jwt.errors import KeyMismatch, KeyRefused, PrivateMember, WeakKey, WrongKeyType
from keyvault_jwt.jwk import Secret

# RFC 7638 section 3.1.
PUBLISHED = {
    "kty": "RSA",
    "n": (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZ"
        "CiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJ"
        "ZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBn"
        "iIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
    ),
    "e": "AQAB",
    "alg": "RS256",
    "kid": "2011-04-29",
}
PUBLISHED_THUMBPRINT = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
# RFC 8037 appendix A.3.
PUBLISHED_OKP = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
PUBLISHED_OKP_THUMBPRINT = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"

MLDSA_SIZES = {"ML-DSA-44": 1312, "ML-DSA-65": 1952, "ML-DSA-87": 2592}


@pytest.fixture(scope="module")
def keys() -> dict[str, Any]:
    """A public key of each form."""
    made: dict[str, Any] = {
        name: ec.generate_private_key(curve).public_key() for name, curve in jwk.CURVES.items()
    }
    made["Ed25519"] = ed25519.Ed25519PrivateKey.generate().public_key()
    made["RSA"] = rsa.generate_private_key(65537, 2048).public_key()
    made["ML-DSA-44"] = mldsa.MLDSA44PrivateKey.generate().public_key()
    made["ML-DSA-65"] = mldsa.MLDSA65PrivateKey.generate().public_key()
    made["ML-DSA-87"] = mldsa.MLDSA87PrivateKey.generate().public_key()
    return made


FORMS = ["P-256", "P-384", "P-521", "Ed25519", "RSA", *MLDSA_SIZES]


def test_published_thumbprints() -> None:
    """The examples of RFC 7638 section 3.1 and RFC 8037 appendix A.3; other members don't count."""
    assert jwk.thumbprint(PUBLISHED) == PUBLISHED_THUMBPRINT
    assert jwk.thumbprint(PUBLISHED_OKP) == PUBLISHED_OKP_THUMBPRINT
    reordered = dict(reversed(PUBLISHED.items())) | {"kid": "x", "use": "sig", "alg": "PS512"}
    assert jwk.thumbprint(reordered) == PUBLISHED_THUMBPRINT


@pytest.mark.parametrize("form", FORMS)
def test_thumbprints_as_others_compute_them(form: str, keys: dict[str, Any]) -> None:
    """joserfc and jwcrypto come to the same thumbprint; ML-DSA is known to jwcrypto alone."""
    members = jwk.public_members(keys[form])
    assert jwk.thumbprint(members) == jwcrypto.jwk.JWK(**members).thumbprint()
    if form not in MLDSA_SIZES:
        assert jwk.thumbprint(members) == joserfc.jwk.import_key(members).thumbprint()


def test_thumbprint_of_a_secret_as_others_compute_it() -> None:
    """A symmetric key's thumbprint is over `k` and `kty`."""
    members = jwk.secret_members(Secret(bytes(range(32))))
    assert jwk.thumbprint(members) == jwcrypto.jwk.JWK(**members).thumbprint()


def test_thumbprint_of_an_unknown_kty_is_refused() -> None:
    """No hash is made up for members that no RFC defines."""
    with pytest.raises(WrongKeyType, match="no thumbprint") as caught:
        jwk.thumbprint({"kty": "XYZ"})
    assert caught.value.code == "wrong_key_type"


@pytest.mark.parametrize("form", FORMS)
def test_public_keys_come_back(form: str, keys: dict[str, Any]) -> None:
    """Members written here are read here as the same key, and by jwcrypto as the same PEM."""
    members = jwk.public_members(keys[form])
    assert jwk.load(members) == keys[form]
    theirs = jwcrypto.jwk.JWK(**members)
    assert json.loads(theirs.export_public()) == members


@pytest.mark.parametrize(
    "make", [ed448.Ed448PrivateKey.generate, lambda: ec.generate_private_key(ec.SECP256K1())]
)
def test_keys_of_other_curves_have_no_members(make: Callable[[], Any]) -> None:
    """A key on a curve that no algorithm of ours uses is of the wrong type, not a puzzle."""
    with pytest.raises(WrongKeyType, match="curve"):
        jwk.public_members(make().public_key())


def test_coordinates_keep_their_width() -> None:
    """RFC 7518 section 6.2.1.2: a coordinate with leading zero octets keeps its full width."""
    for scalar in range(1, 2000):
        numbers = ec.derive_private_key(scalar, ec.SECP256R1()).public_key().public_numbers()
        if numbers.x >> 248 == 0:
            break
    else:
        pytest.fail("no short coordinate among these")
    members = jwk.public_members(numbers.public_key())
    assert len(base64url.decode(members["x"])) == len(base64url.decode(members["y"])) == 32
    short = members | {"x": base64url.encode_integer(numbers.x)}
    with pytest.raises(KeyRefused, match="'x' holds 31 bytes, not 32"):
        jwk.load(short)


@pytest.mark.parametrize("kty", [None, "", "rsa", "ec", "OCT", "DSA", 7, ["RSA"], {"RSA": 1}])
def test_unknown_kty_is_refused(kty: object) -> None:
    """An unknown type, another case, or no text at all."""
    with pytest.raises(WrongKeyType, match="kty") as caught:
        jwk.load({"kty": kty})
    assert caught.value.code == "wrong_key_type"
    with pytest.raises(WrongKeyType):
        jwk.load({})


@pytest.mark.parametrize("crv", [None, "p-256", "P-224", "secp256k1", "Ed25519", 256, ["P-256"]])
def test_unknown_ec_curve_is_refused(crv: object, keys: dict[str, Any]) -> None:
    """Three curves are known, by their exact names."""
    with pytest.raises(WrongKeyType, match="EC curve"):
        jwk.load(jwk.public_members(keys["P-256"]) | {"crv": crv})


@pytest.mark.parametrize("crv", [None, "Ed448", "X25519", "ed25519", 25519, []])
def test_unknown_okp_curve_is_refused(crv: object) -> None:
    """Ed25519 alone; a key for agreement signs nothing."""
    with pytest.raises(WrongKeyType, match="OKP curve"):
        jwk.load(PUBLISHED_OKP | {"crv": crv})


@pytest.mark.parametrize("alg", [None, "ML-DSA", "ml-dsa-44", "ES256", 44, []])
def test_akp_without_its_algorithm_is_refused(alg: object, keys: dict[str, Any]) -> None:
    """RFC 9964: an AKP key is nothing without `alg`."""
    with pytest.raises(WrongKeyType, match="ML-DSA"):
        jwk.load(jwk.public_members(keys["ML-DSA-44"]) | {"alg": alg})


@pytest.mark.parametrize(("alg", "size"), MLDSA_SIZES.items())
def test_akp_of_another_size_is_refused(alg: str, size: int) -> None:
    """Every set of parameters has one length."""
    for length in (0, size - 1, size + 1, *(other for other in MLDSA_SIZES.values() if other != size)):
        with pytest.raises(KeyRefused, match=f"no {alg} key"):
            jwk.load({"kty": "AKP", "alg": alg, "pub": base64url.encode(bytes(length))})


@pytest.mark.parametrize("form", ["P-256", "P-384", "P-521"])
def test_point_off_the_curve_is_refused(form: str, keys: dict[str, Any]) -> None:
    """Another curve's point, a changed coordinate, infinity: none is a key (RFC 8725 section 3.4)."""
    members = jwk.public_members(keys[form])
    y = bytearray(base64url.decode(members["y"]))
    y[-1] ^= 1
    nil = base64url.encode(bytes(len(y)))
    for changed in ({"y": base64url.encode(y)}, {"x": nil, "y": nil}, {"x": members["y"], "y": members["x"]}):
        with pytest.raises(KeyRefused, match="not on the curve") as caught:
            jwk.load(members | changed)
        assert caught.value.code == "key_refused"


@pytest.mark.parametrize("form", ["P-256", "P-384", "P-521", "Ed25519"])
@pytest.mark.parametrize("by", [-1, 1])
def test_octets_of_another_length_are_refused(form: str, by: int, keys: dict[str, Any]) -> None:
    """Each curve has one width; the numbers are in the message."""
    members = jwk.public_members(keys[form])
    width = len(base64url.decode(members["x"]))
    with pytest.raises(KeyRefused, match=f"'x' holds {width + by} bytes, not {width}"):
        jwk.load(members | {"x": base64url.encode(bytes(width + by))})


@pytest.mark.parametrize("form", FORMS)
def test_missing_or_malformed_members_are_refused(form: str, keys: dict[str, Any]) -> None:
    """Each member, missing, no text, not base64url, too long: refused by its name."""
    members = jwk.public_members(keys[form])
    for name in set(members) - {"kty", "crv", "alg"}:
        without = {key: value for key, value in members.items() if key != name}
        for wrong in (None, 7, True, ["AQAB"], "A" * 8193):
            for broken in (without, members | {name: wrong}):
                with pytest.raises(KeyRefused, match=f"'{name}' is missing, not text, or too long"):
                    jwk.load(broken)
        for wrong in (
            members[name] + "=",
            members[name] + "\n",
            "+" + members[name][1:],
            members[name] + "\xe9",
        ):
            with pytest.raises(KeyRefused, match=f"'{name}' is not base64url"):
                jwk.load(members | {name: wrong})


@pytest.mark.parametrize(("bits", "accepted"), [(1023, False), (1024, True), (8192, True)])
def test_bounds_of_the_modulus(bits: int, accepted: bool) -> None:
    """1024 to 8192 bits are loaded (a verifier's floor is its own); the message has the number."""
    members = {"kty": "RSA", "n": base64url.encode_integer((1 << (bits - 1)) | 1), "e": "AQAB"}
    if accepted:
        key = jwk.load(members)
        assert isinstance(key, rsa.RSAPublicKey)
        assert key.key_size == bits
    else:
        with pytest.raises(WeakKey, match=f"{bits} bits is out of bounds") as caught:
            jwk.load(members)
        assert caught.value.code == "weak_key"


@pytest.mark.parametrize("octets", [1025, 6144])
def test_a_modulus_over_the_bound_is_not_made_a_number(octets: int) -> None:
    """From 8193 bits on it is refused by its length, before any arithmetic."""
    wide = base64url.encode(b"\x01" + bytes(octets - 1))
    with pytest.raises(KeyRefused, match="'n' is not the shortest unsigned integer within bounds"):
        jwk.load({"kty": "RSA", "n": wide, "e": "AQAB"})


@pytest.mark.parametrize("e", [1, 2, 4, 65536, (1 << 32) + 1, 1 << 64 | 1])
def test_exponents_out_of_bounds_are_refused(e: int) -> None:
    """An exponent is odd, 3 at least, and of 32 bits at most."""
    with pytest.raises(WeakKey, match="exponent is out of bounds"):
        jwk.load(PUBLISHED | {"e": base64url.encode_integer(e)})


@pytest.mark.parametrize("e", [3, 17, 65537, (1 << 32) - 1])
def test_exponents_within_bounds_are_taken(e: int) -> None:
    """Both ends of the bounds are inside."""
    key = jwk.load(PUBLISHED | {"e": base64url.encode_integer(e)})
    assert isinstance(key, rsa.RSAPublicKey)
    assert key.public_numbers().e == e


def test_even_modulus_is_refused() -> None:
    """A product of two odd primes is odd."""
    with pytest.raises(WeakKey, match="modulus or exponent"):
        jwk.load(PUBLISHED | {"n": base64url.encode_integer(1 << 2047)})


@pytest.mark.parametrize("name", ["n", "e"])
def test_integers_have_one_spelling(name: str) -> None:
    """RFC 7518 section 2: no octets, or a leading zero octet, is not the number's one form."""
    value = base64url.decode(PUBLISHED[name])
    for wrong in (b"", b"\0" + value, b"\0"):
        with pytest.raises(KeyRefused, match=f"'{name}' is not the shortest unsigned integer"):
            jwk.load(PUBLISHED | {name: base64url.encode(wrong)})


@pytest.mark.parametrize(
    ("length", "accepted"), [(0, False), (15, False), (16, True), (1024, True), (1025, False)]
)
def test_bounds_of_a_secret(length: int, accepted: bool) -> None:
    """16 to 1024 bytes; the message has the length and never the bytes."""
    members = {"kty": "oct", "k": base64url.encode(b"\xa7" * length)}
    if accepted:
        assert jwk.load(members) == Secret(b"\xa7" * length)
    else:
        with pytest.raises(WeakKey, match=f"of {length} bytes") as caught:
            jwk.load(members)
        assert "p6en" not in str(caught.value)


@pytest.mark.parametrize("name", sorted(jwk.PRIVATE_MEMBERS - {"k"}))
def test_private_members_are_not_read(name: str, keys: dict[str, Any]) -> None:
    """The public key is the same, whatever stands in the private members beside it."""
    for form in FORMS:
        assert jwk.load(jwk.public_members(keys[form]) | {name: object()}) == keys[form]


def test_a_secret_has_no_public_form() -> None:
    """Nothing of a symmetric key may be published."""
    with pytest.raises(PrivateMember, match="no public form") as caught:
        jwk.public_members(Secret(b"\xa7" * 32))
    assert caught.value.code == "private_member"


def test_halves_must_be_the_same_key(keys: dict[str, Any]) -> None:
    """Members stated beside a private half must be those it gives; further ones don't matter."""
    derived = jwk.public_members(keys["P-256"])
    jwk.require_same(derived | {"kid": "k1"}, derived)
    for name in derived:
        for stated in (derived | {name: "AA"}, {n: v for n, v in derived.items() if n != name}):
            with pytest.raises(KeyMismatch, match="another public key") as caught:
                jwk.require_same(stated, derived)
            assert caught.value.code == "key_mismatch"


def test_secrets_show_nothing() -> None:
    """Neither repr, str, format, a pickle nor `vars` gives the bytes; only `reveal` does."""
    secret = Secret(b"very-secret-bytes")
    assert {repr(secret), str(secret), f"{secret}", f"{[secret]}"[1:-1]} == {"Secret(<redacted>)"}
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        vars(secret)
    assert secret.reveal() == b"very-secret-bytes"


def test_secrets_compare_by_value() -> None:
    """Equal bytes are one key, also in a set; bytes themselves are no secret."""
    one, two = Secret(b"a" * 32), Secret(bytearray(b"a" * 32))
    assert one == two
    assert len({one, two, Secret(b"b" * 32)}) == 2
    assert one != b"a" * 32
    assert one != Secret(b"a" * 31)


def test_a_secret_keeps_its_bytes() -> None:
    """It copies what it is given, so that the caller's buffer may be wiped."""
    buffer = bytearray(b"a" * 32)
    secret = Secret(buffer)
    buffer[:] = bytes(32)
    assert secret.reveal() == b"a" * 32


def test_tables_are_read_only() -> None:
    """No one can add a curve or an algorithm at run time."""
    for table in (jwk.CURVES, jwk.MLDSA_PUBLIC):
        with pytest.raises(TypeError):
            table["P-1"] = None  # type: ignore[index]


def test_no_error_shows_a_member(keys: dict[str, Any]) -> None:
    """A private JWK that is malformed is refused without a value of it in the message."""
    value = "c2VjcmV0LXNlY3JldC1zZWNyZXQ"
    for members in (
        {"kty": "oct", "k": value + "="},
        {"kty": "oct", "k": value + "\xe9"},
        {"kty": "RSA", "n": value, "e": "AQAB", "d": value},
        {"kty": "EC", "crv": "P-256", "x": value, "y": value, "d": value},
        {"kty": value},
        {"kty": "EC", "crv": value},
        {"kty": "AKP", "alg": "ML-DSA-44", "pub": value},
    ):
        with pytest.raises(KeyRefused) as caught:
            jwk.load(members)
        error: BaseException | None = caught.value
        while error is not None:
            assert value not in f"{error!r} {error} {vars(error)}"
            error = error.__context__


def test_a_key_of_no_known_kind_has_no_loader() -> None:
    """Ed448 in an OKP JWK is refused by its curve though its octets would load elsewhere."""
    raw = ed448.Ed448PrivateKey.generate().public_key().public_bytes_raw()
    with pytest.raises(WrongKeyType, match="OKP"):
        jwk.load({"kty": "OKP", "crv": "Ed448", "x": base64url.encode(raw)})

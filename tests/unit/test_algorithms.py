"""The algorithm table: signatures exchanged with other libraries, and what no row accepts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import joserfc.jwk
import joserfc.jws
import jwcrypto.jwk
import jwcrypto.jws
import jwt
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from keyvault_jwt import base64url, jwk
from keyvault_jwt.algorithms import ALGORITHMS, VERIFY_ALIASES, Algorithm, algorithm_named
from keyvault_jwt.errors import WeakKey, WrongKeyType
from keyvault_jwt.jwk import Secret
from keyvault_jwt.key_factory import LocalKeyFactory, load_private, public_half

NAMES = list(ALGORITHMS)
MLDSA = [name for name in NAMES if name.startswith("ML-DSA")]
CLASSIC = [name for name in NAMES if name not in MLDSA]
ECDSA = {"ES256": 32, "ES384": 48, "ES512": 66}
PAYLOAD = b'{"sub":"u1"}'

Pair = tuple[Any, Any]


@pytest.fixture(scope="module")
def pair() -> Callable[[str], Pair]:
    """A key pair for each algorithm, made once; the RSA rows share one key of their own size."""
    made: dict[str, Pair] = {}

    def make(name: str) -> Pair:
        form = "RSA" if ALGORITHMS[name].kty == "RSA" else name
        if form not in made:
            fresh = LocalKeyFactory().make(name)
            assert fresh.private is not None
            private = load_private(name, fresh.private)
            made[form] = (private, public_half(private))
        return made[form]

    return make


def compact(name: str, private: Any) -> str:
    """Return a compact JWS made here."""
    header = base64url.encode(f'{{"alg":"{name}"}}'.encode())
    signing_input = f"{header}.{base64url.encode(PAYLOAD)}"
    signature = ALGORITHMS[name].signer(private)(signing_input.encode())
    return f"{signing_input}.{base64url.encode(signature)}"


def verified(name: str, public: Any, token: str) -> bool:
    """Whether our row takes the signature of a compact JWS made elsewhere."""
    signing_input, _, signature = token.rpartition(".")
    return algorithm_named(name, verifying=True).verifier(public)(
        base64url.decode(signature), signing_input.encode()
    )


def members_of(private: Any, name: str) -> dict[str, str]:
    """Return the public members, or those of a secret."""
    return (
        jwk.secret_members(private)
        if isinstance(private, Secret)
        else jwk.public_members(private.public_key())
    )


def pem_of(private: Any) -> bytes:
    """Return what other libraries load a private key from: PKCS #8 PEM, or the raw secret."""
    if isinstance(private, Secret):
        return private.reveal()
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def test_the_table() -> None:
    """Names, kty, crv and strength as the RFCs and NIST SP 800-57 have them."""
    assert {row.name: (row.kty, row.crv, row.strength) for row in ALGORITHMS.values()} == {
        "ES256": ("EC", "P-256", 128),
        "ES384": ("EC", "P-384", 192),
        "ES512": ("EC", "P-521", 256),
        "Ed25519": ("OKP", "Ed25519", 128),
        **{f"{scheme}{size}": ("RSA", None, 128) for scheme in ("RS", "PS") for size in (256, 384, 512)},
        **{f"HS{size}": ("oct", None, size) for size in (256, 384, 512)},
        "ML-DSA-44": ("AKP", None, 128),
        "ML-DSA-65": ("AKP", None, 192),
        "ML-DSA-87": ("AKP", None, 256),
    }
    assert all(name == row.name for name, row in ALGORITHMS.items())
    assert {name for name, row in ALGORITHMS.items() if row.symmetric} == {"HS256", "HS384", "HS512"}


def test_the_table_is_read_only() -> None:
    """Nobody adds a row, changes one or adds an alias at run time."""
    with pytest.raises(TypeError):
        ALGORITHMS["none"] = ALGORITHMS["ES256"]  # type: ignore[index]
    with pytest.raises(TypeError):
        VERIFY_ALIASES["none"] = "ES256"  # type: ignore[index]
    with pytest.raises(AttributeError):
        ALGORITHMS["ES256"].kty = "oct"  # type: ignore[misc]


@pytest.mark.parametrize(
    "name",
    ["none", "None", "", "es256", "ES256 ", "ES256K", "EdDSA", "ed25519", "HS1", "A128KW", "\N{KELVIN SIGN}"],
)
def test_unknown_names_are_refused(name: str) -> None:
    """Exact names alone are known; `EdDSA` is none for signing."""
    with pytest.raises(WrongKeyType, match="is not an algorithm we know") as caught:
        algorithm_named(name)
    assert caught.value.code == "wrong_key_type"
    assert "ES256, ES384" in caught.value.fix


def test_a_long_name_is_not_repeated() -> None:
    """A message quotes 40 characters of a name at most."""
    with pytest.raises(WrongKeyType) as caught:
        algorithm_named("x" * 500)
    assert caught.value.what.count("x") == 40


def test_the_older_name_is_known_when_verifying() -> None:
    """RFC 9864 section 2.2: `EdDSA` means Ed25519 when verifying; no other name is added."""
    assert algorithm_named("EdDSA", verifying=True) is ALGORITHMS["Ed25519"]
    for name in NAMES:
        assert algorithm_named(name, verifying=True) is ALGORITHMS[name]
    for name in ("none", "eddsa", "ES256K"):
        with pytest.raises(WrongKeyType):
            algorithm_named(name, verifying=True)


@pytest.mark.parametrize("name", CLASSIC)
def test_joserfc_takes_ours_and_we_take_theirs(name: str, pair: Callable[[str], Pair]) -> None:
    """Signatures pass between this table and joserfc both ways."""
    private, public = pair(name)
    kty: Any = ALGORITHMS[name].kty
    key = joserfc.jwk.import_key(pem_of(private), kty)
    assert joserfc.jws.deserialize_compact(compact(name, private), key, algorithms=[name]).payload == PAYLOAD
    assert verified(
        name, public, joserfc.jws.serialize_compact({"alg": name}, PAYLOAD, key, algorithms=[name])
    )


@pytest.mark.parametrize("name", NAMES)
def test_jwcrypto_takes_ours_and_we_take_theirs(name: str, pair: Callable[[str], Pair]) -> None:
    """Signatures pass between this table and jwcrypto both ways, ML-DSA among them."""
    private, public = pair(name)
    theirs = jwcrypto.jws.JWS()
    theirs.allowed_algs = NAMES
    theirs.deserialize(compact(name, private), jwcrypto.jwk.JWK(**members_of(private, name)))
    assert theirs.payload == PAYLOAD

    if isinstance(private, Secret):
        key = jwcrypto.jwk.JWK(**jwk.secret_members(private))
    elif name in MLDSA:
        priv = base64url.encode(private.private_bytes_raw())
        key = jwcrypto.jwk.JWK(**jwk.public_members(public), priv=priv)
    else:
        key = jwcrypto.jwk.JWK.from_pem(pem_of(private))
    signed = jwcrypto.jws.JWS(PAYLOAD)
    signed.allowed_algs = NAMES
    signed.add_signature(key, protected=f'{{"alg":"{name}"}}')
    assert verified(name, public, signed.serialize(compact=True))


@pytest.mark.parametrize("name", [*(name for name in CLASSIC if name != "Ed25519"), "EdDSA"])
def test_pyjwt_takes_ours_and_we_take_theirs(name: str, pair: Callable[[str], Pair]) -> None:
    """Signatures pass between this table and PyJWT both ways; it knows Ed25519 by the older name."""
    row = VERIFY_ALIASES.get(name, name)
    private, public = pair(row)
    key = private.reveal() if isinstance(private, Secret) else private
    checked = public.reveal() if isinstance(public, Secret) else public
    signing_input, _, signature = compact(row, private).rpartition(".")
    theirs = jwt.get_algorithm_by_name(name)
    assert theirs.verify(signing_input.encode(), checked, base64url.decode(signature))
    assert verified(name, public, jwt.api_jws.encode(PAYLOAD, key, algorithm=name))


@pytest.mark.parametrize("name", NAMES)
def test_bad_signatures_are_refused_without_an_exception(name: str, pair: Callable[[str], Pair]) -> None:
    """Empty, cut, lengthened, zeroed, all ones, another message's: each is False, never an error."""
    private, public = pair(name)
    sign, verify = ALGORITHMS[name].signer(private), ALGORITHMS[name].verifier(public)
    good = sign(PAYLOAD)
    assert verify(good, PAYLOAD) is True
    size = len(good)
    for bad in (
        b"", b"\0", good[:-1], good[1:], good + b"\0", b"\0" + good, good * 2, good[: size // 2],
        bytes(size), b"\xff" * size, good[::-1], b"\0" * 100_000, sign(PAYLOAD + b" "),
    ):  # fmt: skip
        assert verify(bad, PAYLOAD) is False
    for message in (b"", PAYLOAD[:-1], PAYLOAD + b"\0", PAYLOAD.upper()):
        assert verify(good, message) is False


@pytest.mark.parametrize("name", NAMES)
def test_every_flipped_bit_is_refused(name: str, pair: Callable[[str], Pair]) -> None:
    """No signature with a bit changed is taken; of long ones one bit of every few octets is tried."""
    private, public = pair(name)
    sign, verify = ALGORITHMS[name].signer(private), ALGORITHMS[name].verifier(public)
    good = sign(PAYLOAD)
    bits = len(good) * 8
    for bit in range(0, bits, max(1, bits // 600) | 1):
        bad = bytearray(good)
        bad[bit // 8] ^= 1 << bit % 8
        assert verify(bytes(bad), PAYLOAD) is False


@pytest.mark.parametrize("name", NAMES)
def test_another_key_refuses(name: str, pair: Callable[[str], Pair]) -> None:
    """A signature is good under its own key alone."""
    private, _ = pair(name)
    if ALGORITHMS[name].kty == "RSA":
        other: Any = rsa.generate_private_key(65537, 2048).public_key()
    else:
        fresh = LocalKeyFactory().make(name)
        assert fresh.private is not None
        other = public_half(load_private(name, fresh.private))
    assert ALGORITHMS[name].verifier(other)(ALGORITHMS[name].signer(private)(PAYLOAD), PAYLOAD) is False


@pytest.mark.parametrize("name", [name for name in NAMES if ALGORITHMS[name].kty == "RSA"])
def test_rsa_rows_refuse_each_others_signatures(name: str, pair: Callable[[str], Pair]) -> None:
    """With one key, another hash or padding is another algorithm."""
    private, public = pair(name)
    signature = ALGORITHMS[name].signer(private)(PAYLOAD)
    taken = {
        row.name
        for row in ALGORITHMS.values()
        if row.kty == "RSA" and row.verifier(public)(signature, PAYLOAD)
    }
    assert taken == {name}


@pytest.mark.parametrize(("name", "width"), ECDSA.items())
def test_ecdsa_signatures_are_r_and_s_side_by_side(
    name: str, width: int, pair: Callable[[str], Pair]
) -> None:
    """RFC 7518 section 3.4: fixed width, never DER, and no r or s of zero or the group's order."""
    private, public = pair(name)
    row: Any = ALGORITHMS[name]
    sign, verify = row.signer(private), row.verifier(public)
    assert {len(sign(PAYLOAD)) for _ in range(20)} == {2 * width}
    good = sign(PAYLOAD)
    r, s = good[:width], good[width:]
    order = row.curve.group_order.to_bytes(width, "big")
    for bad in (r + b"\0" + s, bytes(width) + s, r + bytes(width), order + s, r + order, s + r):
        assert verify(bad, PAYLOAD) is False
    assert verify(private.sign(PAYLOAD, ec.ECDSA(row.hash)), PAYLOAD) is False


def test_short_r_and_s_keep_their_width(pair: Callable[[str], Pair]) -> None:
    """Leading zero octets stay: among many signatures some have them, and every one verifies."""
    private, public = pair("ES256")
    sign, verify = ALGORITHMS["ES256"].signer(private), ALGORITHMS["ES256"].verifier(public)
    for _ in range(20_000):
        signature = sign(PAYLOAD)
        if signature[0] == 0 or signature[32] == 0:
            break
    else:
        pytest.fail("no short r or s among these")
    assert len(signature) == 64
    assert verify(signature, PAYLOAD)


def test_pss_salt_is_as_long_as_the_hash(pair: Callable[[str], Pair]) -> None:
    """RFC 7518 section 3.5: a signature with another salt length is refused."""
    private, public = pair("PS256")
    verify = ALGORITHMS["PS256"].verifier(public)
    for salt, good in ((32, True), (0, False), (31, False), (33, False), (padding.PSS.MAX_LENGTH, False)):
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), salt)
        assert verify(private.sign(PAYLOAD, pss, hashes.SHA256()), PAYLOAD) is good


@pytest.fixture(scope="module")
def strangers(pair: Callable[[str], Pair]) -> list[Pair]:
    """A pair of every kind the table knows, and of some it does not."""
    found = [pair(name) for name in ("ES256", "ES384", "ES512", "Ed25519", "RS256", "HS512", *MLDSA)]
    unknown: tuple[Any, ...] = (ec.generate_private_key(ec.SECP256K1()), ed448.Ed448PrivateKey.generate())
    found += [(other, other.public_key()) for other in unknown]
    return [*found, (b"bytes", b"bytes"), (None, None)]


@pytest.mark.parametrize("name", NAMES)
def test_keys_of_another_kind_are_refused(
    name: str, pair: Callable[[str], Pair], strangers: list[Pair]
) -> None:
    """No row signs, verifies or passes with a key of another type or curve, nor a public key signs."""
    row, own = ALGORITHMS[name], pair(name)
    for private, public in strangers:
        if type(private) is type(own[0]) and getattr(private, "curve", None) == getattr(
            own[0], "curve", None
        ):
            continue
        for attempt, key in ((row.check, public), (row.verifier, public), (row.signer, private)):
            with pytest.raises(WrongKeyType, match=f"{name} can't use a key of type") as caught:
                attempt(key)  # type: ignore[operator]
            assert caught.value.code == "wrong_key_type"
    if not row.symmetric:
        for attempt, key in ((row.check, own[0]), (row.verifier, own[0]), (row.signer, own[1])):
            with pytest.raises(WrongKeyType):
                attempt(key)  # type: ignore[operator]


def test_no_public_key_becomes_a_secret(pair: Callable[[str], Pair]) -> None:
    """RFC 8725 section 2.1: an RSA public key, or its PEM, verifies no HS256 signature."""
    _, public = pair("RS256")
    for key in (public, b"-----BEGIN PUBLIC KEY-----"):
        with pytest.raises(WrongKeyType):
            ALGORITHMS["HS256"].verifier(key)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", [name for name in NAMES if ALGORITHMS[name].kty == "RSA"])
def test_weak_rsa_keys_are_refused(name: str) -> None:
    """2048 bits pass, one fewer does not, and the message has the number."""

    def public(bits: int) -> rsa.RSAPublicKey:
        return rsa.RSAPublicNumbers(65537, (1 << (bits - 1)) | 1).public_key()

    row = ALGORITHMS[name]
    row.check(public(2048))
    with pytest.raises(WeakKey, match="RSA key of 2047 bits is too weak") as caught:
        row.check(public(2047))
    assert (caught.value.code, "2048" in caught.value.why) == ("weak_key", True)
    with pytest.raises(WeakKey, match="1024 bits"):
        row.signer(rsa.generate_private_key(65537, 1024))


@pytest.mark.parametrize(("name", "size"), [("HS256", 32), ("HS384", 48), ("HS512", 64)])
def test_short_secrets_are_refused(name: str, size: int) -> None:
    """RFC 7518 section 3.2: as long as the hash at least; the message has the number, never the bytes."""
    row: Algorithm = ALGORITHMS[name]
    row.check(Secret(b"\xa7" * size))
    for attempt in (row.check, row.verifier, row.signer):
        with pytest.raises(WeakKey, match=f"{name} needs a secret of {size} bytes or more") as caught:
            attempt(Secret(b"\xa7" * (size - 1)))  # type: ignore[operator]
        assert caught.value.code == "weak_key"
        assert "a7a7" not in f"{caught.value} {caught.value!r}"

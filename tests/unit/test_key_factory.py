"""Fresh keys, and private halves as stored bytes."""

from __future__ import annotations

import pickle
from typing import Any

import jwcrypto.jwk
import msgspec
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa, x25519

from keyvault_jwt import base64url, jwk
from keyvault_jwt.algorithms import ALGORITHMS
from keyvault_jwt.errors import KeyRefused, WeakKey, WrongKeyType
from keyvault_jwt.jwk import Secret
from keyvault_jwt.key_factory import (
    GENERATED_RSA_BITS,
    FreshKey,
    LocalKeyFactory,
    load_private,
    private_bytes,
    public_half,
)

ASYMMETRIC = ["ES256", "ES384", "ES512", "Ed25519", "RS256", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87"]


def chain(error: BaseException | None) -> list[BaseException]:
    """Return an error with all that led to it, suppressed or not."""
    return [] if error is None else [error, *chain(error.__cause__ or error.__context__)]


def der(private: Any, encryption: serialization.KeySerializationEncryption | None = None) -> bytes:
    """Return PKCS #8 DER."""
    return private.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        encryption or serialization.NoEncryption(),
    )


@pytest.mark.parametrize("name", ASYMMETRIC)
def test_fresh_keys_are_whole(name: str) -> None:
    """The kid is the thumbprint as jwcrypto has it, and the halves are of one key for the algorithm."""
    fresh = LocalKeyFactory().make(name)
    assert fresh.private is not None
    assert fresh.public is not None
    assert fresh.reference is None
    private = load_private(name, fresh.private)
    assert private_bytes(private) == fresh.private
    public = public_half(private)
    assert jwk.public_members(public) == fresh.public
    assert fresh.kid == jwcrypto.jwk.JWK(**fresh.public).thumbprint()
    row = ALGORITHMS[fresh.algorithm]
    assert row.verifier(jwk.load(fresh.public))(row.signer(private)(b"data"), b"data")


@pytest.mark.parametrize(("name", "size"), [("HS256", 32), ("HS384", 48), ("HS512", 64)])
def test_fresh_secrets_are_as_long_as_the_hash(name: str, size: int) -> None:
    """No public half, and a random kid of 128 bits that says nothing of the secret."""
    first, second = (LocalKeyFactory().make(name) for _ in range(2))
    assert first.public is None
    assert first.private is not None
    assert len(first.private) == size
    assert len(base64url.decode(first.kid)) == 16
    assert (first.kid, first.private) != (second.kid, second.private)
    secret = load_private(name, first.private)
    assert isinstance(secret, Secret)
    assert public_half(secret) is secret
    assert private_bytes(secret) == first.private


@pytest.mark.parametrize("name", ["ES256", "Ed25519", "ML-DSA-44", "HS256"])
def test_no_two_fresh_keys_are_the_same(name: str) -> None:
    """Each call draws anew."""
    made = [LocalKeyFactory().make(name) for _ in range(20)]
    assert len({fresh.kid for fresh in made}) == len({fresh.private for fresh in made}) == 20


@pytest.mark.parametrize("name", [name for name, row in ALGORITHMS.items() if row.kty == "RSA"])
def test_fresh_rsa_keys_have_3072_bits(name: str) -> None:
    """NIST SP 800-57: 128 bits of strength, and the usual exponent."""
    fresh = LocalKeyFactory().make(name)
    assert fresh.private is not None
    key = load_private(name, fresh.private)
    assert isinstance(key, rsa.RSAPrivateKey)
    assert (key.key_size, key.public_key().public_numbers().e) == (GENERATED_RSA_BITS, 65537)
    assert GENERATED_RSA_BITS == 3072
    assert fresh.algorithm == name


@pytest.mark.parametrize("name", ["none", "EdDSA", "es256", ""])
def test_unknown_algorithms_are_not_made(name: str) -> None:
    """Exact names alone, for making and for loading."""
    with pytest.raises(WrongKeyType, match="not an algorithm we know"):
        LocalKeyFactory().make(name)
    with pytest.raises(WrongKeyType, match="not an algorithm we know"):
        load_private(name, bytes(64))


@pytest.mark.parametrize("name", ASYMMETRIC)
def test_bytes_that_are_no_key_are_refused(name: str) -> None:
    """Empty, garbage, cut short, or a public key: `key_refused`, and none of the bytes in any exception."""
    fresh = LocalKeyFactory().make(name)
    assert fresh.private is not None
    public: Any = public_half(load_private(name, fresh.private))
    spki = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    whole = fresh.private
    for data in (
        b"",
        b"\0",
        b"canary-canary-canary",
        bytes(4000),
        whole[:-1],
        whole[: len(whole) // 2],
        spki,
    ):
        with pytest.raises(KeyRefused, match=r"PKCS #8 DER") as caught:
            load_private(name, data)
        assert caught.value.code == "key_refused"
        for error in chain(caught.value):
            shown = f"{error!r} {error} {vars(error)}"
            assert "canary" not in shown
            assert base64url.encode(whole)[40:80] not in shown
            assert whole.hex()[80:160] not in shown


def test_encrypted_bytes_are_refused() -> None:
    """The stored form is sealed by the store; a password of its own has no place."""
    sealed = der(ec.generate_private_key(ec.SECP256R1()), serialization.BestAvailableEncryption(b"pass"))
    with pytest.raises(KeyRefused, match="no private key"):
        load_private("ES256", sealed)


@pytest.mark.parametrize("name", ASYMMETRIC)
def test_keys_of_another_type_are_refused(name: str) -> None:
    """Another row's key, another curve, or a kind that signs nothing here: `wrong_key_type`."""
    row = ALGORITHMS[name]
    others: list[Any] = [
        ec.generate_private_key(ec.SECP256K1()),
        ec.generate_private_key(ec.SECP384R1() if name != "ES384" else ec.SECP256R1()),
        x25519.X25519PrivateKey.generate(),
        ed448.Ed448PrivateKey.generate(),
    ]
    if name != "Ed25519":
        others.append(ed25519.Ed25519PrivateKey.generate())
    if row.kty != "RSA":
        others.append(rsa.generate_private_key(65537, 2048))
    for other in others:
        with pytest.raises(WrongKeyType, match=f"{name} can't use") as caught:
            load_private(name, der(other))
        assert caught.value.code == "wrong_key_type"


def test_weak_keys_are_refused() -> None:
    """An RSA key of 1024 bits and a secret one byte short, with the numbers."""
    with pytest.raises(WeakKey, match="1024 bits"):
        load_private("PS256", der(rsa.generate_private_key(65537, 1024)))
    with pytest.raises(WeakKey, match="32 bytes or more"):
        load_private("HS256", bytes(31))


def test_fresh_keys_show_no_private_half() -> None:
    """Neither repr, nor what rich lists, nor a pickle has it."""
    fresh = FreshKey(kid="k", algorithm="HS256", public=None, private=b"canary-canary-canary-canary-cana")
    assert "canary" not in f"{fresh!r} {fresh} {fresh.__rich_repr__()}"
    assert "redacted" in repr(fresh)
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(fresh)


def test_fresh_keys_are_frozen() -> None:
    """A key is not changed once it is made."""
    fresh = LocalKeyFactory().make("Ed25519")
    with pytest.raises(AttributeError):
        fresh.kid = "other"  # type: ignore[misc]
    assert msgspec.structs.replace(fresh, kid="other").private == fresh.private

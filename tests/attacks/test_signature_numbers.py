"""Attacks on the numbers in a signature: zeros, orders, paddings, and other ways to write a good one."""

from __future__ import annotations

import hashlib
import itertools
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from keyvault_jwt import base64url, jwk
from keyvault_jwt.verification_errors import InvalidSignature
from tests.attacks.conftest import MakeKey, MakeVerifier, segment, unsigned, verdict
from tests.engines import each_engine, each_kind_by_each_engine

ORDERS = {
    "ES256": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    "ES384": (1 << 384) - 0x389CB27E0BC8D220A7E5F24DB74F58851313E695333AD68D,
    "ES512": (1 << 521) - 0x5AE79787C40D069948033FEB708F65A2FC44A36477663B851449048E16EC79BF7,
}
WIDTHS = {"ES256": 32, "ES384": 48, "ES512": 66}
ED25519_ORDER = (1 << 252) + 27742317777372353535851937790883648493
SHA256_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
"""DigestInfo of PKCS #1 v1.5 for SHA-256, up to the hash itself."""


@each_kind_by_each_engine(*ORDERS)
def test_psychic_signatures(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any], kind: str
) -> None:
    """A signature of zero, the order, or anything beyond it is refused, in each half and in both.

    CVE-2022-21449 (Java), CVE-2021-43572 (starkbank-ecdsa), CVE-2022-24884 (ecdsautils): with them r = s = 0
    is good for every message and every key.
    """
    key, order, width = make_key(kind, 0), ORDERS[kind], WIDTHS[kind]
    verifier = make_verifier(key.jwk())
    stem = unsigned({"alg": kind, "kid": key.kid}, claims)
    most = (1 << 8 * width) - 1
    values = (0, 1, order - 1, order, order + 1, (1 << order.bit_length()) - 1, most)
    for r, s in itertools.product(values, repeat=2):
        signature = r.to_bytes(width, "big") + s.to_bytes(width, "big")
        with pytest.raises(InvalidSignature):
            verifier.verify(f"{stem}.{segment(signature)}")


@each_kind_by_each_engine(*ORDERS)
def test_other_forms_of_an_ecdsa_signature(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any], kind: str
) -> None:
    """A good r and s are refused in any form but two halves of the curve's width, below its order.

    CVE-2026-65632 (erlang-jose), CVE-2020-14966 (jsrsasign), CVE-2024-42460 and CVE-2024-42461 (elliptic):
    with them zeros in front, or BER, make second tokens out of one.
    """
    key, order, width = make_key(kind, 0), ORDERS[kind], WIDTHS[kind]
    verifier = make_verifier(key.jwk())
    stem, _, encoded = key.token(claims).rpartition(".")
    good = base64url.decode(encoded)
    halves = good[:width], good[width:]
    r, s = (int.from_bytes(half, "big") for half in halves)
    others = [
        *(b"".join(bytes(zeros) + half for half in halves) for zeros in (1, 2, 32)),
        *(b"".join(half[cut:] for half in halves) for cut in (1, 2)),
        encode_dss_signature(r, s),
        halves[1] + halves[0],
        good + b"\0",
        b"\0" + good,
        good + good,
        r.to_bytes(width, "little") + s.to_bytes(width, "little"),
        *(value.to_bytes(2 * width, "big") for value in (r, s)),
        *(
            b"".join((value + order).to_bytes(width + grown, "big") for value in (r, s))
            for grown in (0, 1)
            if max(r, s) + order < 1 << 8 * (width + grown)
        ),
    ]
    for other in others:
        if other != good:
            with pytest.raises(InvalidSignature):
                verifier.verify(f"{stem}.{segment(other)}")


@each_engine
def test_twin_of_an_ecdsa_signature_says_nothing_else(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any]
) -> None:
    """ECDSA itself has two signatures for one (s and its negative): the second says the very same claims.

    No JOSE library may refuse it (RFC 7518 section 3.4); who revokes, does so by `jti`, not by the text.
    """
    key = make_key("ES256", 0)
    verifier = make_verifier(key.jwk(), remember=9)
    token = key.token(claims)
    stem, _, encoded = token.rpartition(".")
    good = base64url.decode(encoded)
    twin = good[:32] + (ORDERS["ES256"] - int.from_bytes(good[32:], "big")).to_bytes(32, "big")
    assert verifier.verify(token) == verifier.verify(f"{stem}.{segment(twin)}") == claims


def test_other_forms_of_an_ed25519_signature(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any]
) -> None:
    """An S at or beyond the order, a point of small order, another length: each is refused.

    CVE-2020-36843 (eddsa-java), CVE-2024-42459 and CVE-2024-48949 (elliptic): with them S plus the order,
    or a longer signature, is a second good one.
    """
    key = make_key("Ed25519", 0)
    verifier = make_verifier(key.jwk())
    stem, _, encoded = key.token(claims).rpartition(".")
    good = base64url.decode(encoded)
    point, s = good[:32], int.from_bytes(good[32:], "little")
    neutral, order_two = b"\1" + bytes(31), (2**255 - 20).to_bytes(32, "little")
    scalars = (0, ED25519_ORDER, ED25519_ORDER - s, 2**256 - 1)
    others = [
        *(point + (s + times * ED25519_ORDER).to_bytes(32, "little") for times in range(1, 15)),
        *(small + bytes(32) for small in (neutral, order_two, bytes(32), point)),
        *(point + value.to_bytes(32, "little") for value in scalars),
        *(good[:-1], good + b"\0", b"\0" + good, good + good, good[32:] + good[:32], good[::-1]),
        bytes([point[0], *point[1:31], point[31] ^ 0x80]) + good[32:],
    ]
    for other in others:
        with pytest.raises(InvalidSignature):
            verifier.verify(f"{stem}.{segment(other)}")


def block(stem: str, *, fill: int, after: bytes = b"", info: bytes = SHA256_INFO, width: int = 384) -> bytes:
    """Return a PKCS #1 v1.5 block for SHA-256, with so much filling and something after the hash."""
    inner = b"\0" + info + hashlib.sha256(stem.encode()).digest() + after
    return (b"\0\1" + b"\xff" * fill + inner).ljust(width, b"\0")


@each_engine
def test_lax_paddings_of_rsa(make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any]) -> None:
    """A block that says the right hash is refused unless every other byte of it is right too.

    CVE-2016-1494 (python-rsa), CVE-2021-30246 (jsrsasign), CVE-2022-24771, CVE-2022-24772 and CVE-2022-24773
    (node-forge): with them short filling, garbage or a lax DigestInfo pass, and small exponents are forged.
    """
    key = make_key("RS256", 0)
    private: Any = key.private
    numbers = private.private_numbers()
    n, width = numbers.public_numbers.n, (private.key_size + 7) // 8
    verifier = make_verifier(key.jwk())
    stem = unsigned({"alg": "RS256", "kid": key.kid}, claims)

    def signed(padded: bytes) -> str:
        return f"{stem}.{segment(pow(int.from_bytes(padded, 'big'), numbers.d, n).to_bytes(width, 'big'))}"

    full = width - 3 - len(SHA256_INFO) - 32
    assert verifier.verify(signed(block(stem, fill=full, width=width))) == claims
    no_null = bytes.fromhex("302f300b0609608648016503040201 0420")
    long_form = bytes.fromhex("308131300d060960864801650304020105000420")
    good = block(stem, fill=full, width=width)
    wrong = [
        block(stem, fill=full - 8, after=b"garbage!", width=width),
        block(stem, fill=8, after=bytes(full - 8), width=width),
        block(stem, fill=0, width=width),
        block(stem, fill=full + len(SHA256_INFO), info=b"", width=width),
        block(stem, fill=full + 2, info=no_null, width=width),
        block(stem, fill=full - 1, info=long_form, width=width),
        block(stem, fill=full, info=SHA256_INFO.replace(b"\x01\x05", b"\x03\x05"), width=width),
        b"\0\2" + good[2:],
        b"\0\0" + good[2:],
        good[:2] + b"\0" + good[3:],
        good[:40] + b"\xfe" + good[41:],
    ]
    for padded in wrong:
        assert len(padded) == width
        with pytest.raises(InvalidSignature):
            verifier.verify(signed(padded))


def cube_root(value: int) -> int:
    """Return the greatest integer whose cube is at most `value`."""
    low, high = 0, 1 << (value.bit_length() // 3 + 1)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**3 <= value else (low, middle - 1)
    return low


@each_engine
def test_forged_by_a_cube_root(make_verifier: MakeVerifier, claims: dict[str, Any]) -> None:
    """With exponent 3, a block whose garbage was chosen so that it is nearly a cube is refused.

    Bleichenbacher's forgery (CVE-2006-4339), which lived on in CVE-2016-1494 (python-rsa) and CVE-2022-24771
    (node-forge): with them it takes no private key at all.
    """
    public = rsa.generate_private_key(public_exponent=3, key_size=2048).public_key()
    members = jwk.public_members(public) | {"kid": "three", "alg": "RS256"}
    stem = unsigned({"alg": "RS256", "kid": "three"}, claims)
    meant = block(stem, fill=8, width=62)
    forged = cube_root(int.from_bytes(meant.ljust(256, b"\xff"), "big"))
    # The forgery is a real one: where only the front of the block is looked at, it is a good signature.
    assert (forged**3).to_bytes(256, "big").startswith(meant)
    with pytest.raises(InvalidSignature):
        make_verifier(members).verify(f"{stem}.{segment(forged.to_bytes(256, 'big'))}")


@each_kind_by_each_engine("RS256", "PS256")
def test_other_forms_of_an_rsa_signature(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any], kind: str
) -> None:
    """Numbers at or beyond the modulus, fixed points, and other lengths are refused.

    CVE-2026-89086 (OCaml's jose): with it the padded block is its own signature.  In others the modulus
    may be added, or zeros in front, for a second token out of one.
    """
    key = make_key(kind, 0)
    private: Any = key.private
    n, width = private.private_numbers().public_numbers.n, (private.key_size + 7) // 8
    verifier = make_verifier(key.jwk())
    stem, _, encoded = key.token(claims).rpartition(".")
    good = base64url.decode(encoded)
    value = int.from_bytes(good, "big")
    full = width - 3 - len(SHA256_INFO) - 32
    others = [
        *(number.to_bytes(width, "big") for number in (0, 1, n - 1, n, (1 << 8 * width) - 1, n - value)),
        (value + n).to_bytes(width + 1, "big"),
        *([(value + n).to_bytes(width, "big")] if value + n < 1 << 8 * width else []),
        block(stem, fill=full, width=width),
        *(b"\0" + good, good + b"\0", good[1:], good[:-1], good[::-1], good + good, b""),
    ]
    for other in others:
        with pytest.raises(InvalidSignature):
            verifier.verify(f"{stem}.{segment(other)}")


@each_engine
@pytest.mark.parametrize("salt", [0, 20, 31, 32, 33, PSS.MAX_LENGTH])
def test_length_of_a_salt(
    make_key: MakeKey, make_verifier: MakeVerifier, claims: dict[str, Any], salt: Any
) -> None:
    """A PSS signature with a salt of any length but the hash's is refused (RFC 7518 section 3.5).

    A library that finds the length out by itself takes signatures that others refuse.
    """
    key = make_key("PS256", 0)
    private: Any = key.private
    stem = unsigned({"alg": "PS256", "kid": key.kid}, claims)
    signature = private.sign(stem.encode(), PSS(MGF1(SHA256()), salt), SHA256())
    said = verdict(make_verifier(key.jwk()), f"{stem}.{segment(signature)}")
    assert said == ("accepted" if salt == 32 else "signature_invalid")

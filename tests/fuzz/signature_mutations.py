"""Changes to signature bytes."""

from __future__ import annotations

import hashlib
import hmac
import json
import random
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from tests.fuzz.draft import Draft
from tests.fuzz.signed_inputs import order_of, twin

Change = Callable[[Draft, bytes, bytes], bytes]
"""(draft, signature, signing input) to other signature bytes."""


def _flip(draft: Draft, signature: bytes, _: bytes) -> bytes:
    if not signature:
        return b"\x00"
    raw = bytearray(signature)
    # The ends more often than the middle: a comparison that is cut short forgets them.
    raw[draft.dice.choice([0, -1, draft.dice.randrange(len(raw))])] ^= 1 << draft.dice.randrange(8)
    return bytes(raw)


def _length(draft: Draft, signature: bytes, _: bytes) -> bytes:
    zeros = bytes(draft.dice.choice([1, 2, 32]))
    half = len(signature) // 2
    return draft.dice.choice(
        [
            b"", signature[:-1], signature[1:], signature + zeros, zeros + signature, signature[:half],
            signature + signature, signature.lstrip(b"\x00"),
            signature[: draft.dice.randrange(len(signature) + 1)],
            zeros[:1] + signature[:half] + zeros[:1] + signature[half:],
        ]
    )  # fmt: skip


def _fill(draft: Draft, signature: bytes, _: bytes) -> bytes:
    return draft.dice.choice(
        [bytes(len(signature)), b"\xff" * len(signature), draft.dice.randbytes(len(signature))]
    )


def _numbers(draft: Draft, signature: bytes, _: bytes) -> bytes:
    """r and s at and beyond their edges: zeros are the psychic signature (CVE-2022-21449)."""
    half, order = len(signature) // 2, order_of(draft.algorithm)
    if order is None:
        return signature[half:] + signature[:half]
    r, s = int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big")
    edges = [0, 1, order - 1, order, order + 1, (1 << 8 * half) - 1]
    pairs = [(0, 0), (r, order - s), (order - r, s), (s, r), (r + order, s), (r, s + order), (1, 1)]
    pairs += [(draft.dice.choice(edges), s), (r, draft.dice.choice(edges)), (order, order)]
    fitting = [(a, b) for a, b in pairs if min(a, b) >= 0 and max(a, b) < 1 << 8 * half]
    a, b = draft.dice.choice(fitting)
    return a.to_bytes(half, "big") + b.to_bytes(half, "big")


def _twin(draft: Draft, signature: bytes, _: bytes) -> bytes:
    return twin(draft.algorithm, signature) or _flip(draft, signature, b"")


def _der(draft: Draft, signature: bytes, _: bytes) -> bytes:
    half = len(signature) // 2
    if order_of(draft.algorithm) is None:
        return b"0" + bytes([len(signature) % 128]) + signature
    return encode_dss_signature(
        int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big")
    )


def _public_as_secret(draft: Draft, _: bytes, data: bytes) -> bytes:
    """An HMAC whose secret is what everybody can read (RFC 8725 section 2.1)."""
    members = draft.own
    texts = [str(value).encode() for value in members.values()]
    secret = draft.dice.choice(
        [json.dumps(members).encode(), json.dumps({"keys": draft.keys}).encode(), b"", *texts]
    )
    return hmac.digest(secret, data, draft.dice.choice(["sha256", "sha384", "sha512"]))


def _hash_alone(draft: Draft, _: bytes, data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _of_a_stranger(draft: Draft, _: bytes, data: bytes) -> bytes:
    stranger = draft.dice.choice([it for it in draft.others if it is not draft.holder])
    return draft.signed.sign(stranger, _named(draft.algorithm, stranger.algorithms, draft.dice), data)


def _named(wanted: str, able: tuple[str, ...], dice: random.Random) -> str:
    return wanted if wanted in able else dice.choice(able)


SIGNATURE_CHANGES: dict[str, Change] = {
    "sig-flip": _flip,
    "sig-length": _length,
    "sig-fill": _fill,
    "sig-numbers": _numbers,
    "sig-twin": _twin,
    "sig-der": _der,
    "sig-public-as-secret": _public_as_secret,
    "sig-hash-alone": _hash_alone,
    "sig-of-a-stranger": _of_a_stranger,
}

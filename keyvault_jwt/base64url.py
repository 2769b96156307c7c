"""Base64url without padding, with exactly one spelling for every byte string (RFC 7515 section 2)."""

from __future__ import annotations

import base64
import binascii
import re

_ALPHABET = re.compile(rb"[A-Za-z0-9_-]*")
_TO_STANDARD = bytes.maketrans(b"-_", b"+/")


def encode(data: bytes) -> str:
    """Return `data` as base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def encode_integer(value: int) -> str:
    """Return an unsigned integer as Base64urlUInt: big-endian, the fewest octets (RFC 7518 section 2)."""
    return encode(value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))


def decode(text: bytes | str) -> bytes:
    """Return the bytes that `text` spells; raises `ValueError` for any but the one spelling.

    Refused: padding, white space, the standard alphabet, a length of 1 modulo 4, and spare
    bits that are not zero (RFC 4648 section 3.5), each of which would let one token be
    written in several ways.
    """
    # Replaced, not strict: an encoding error would carry the text, which may be a private half.
    raw = text.encode("ascii", "replace") if isinstance(text, str) else text
    if not _ALPHABET.fullmatch(raw):
        raise ValueError("not base64url")
    try:
        data = binascii.a2b_base64(raw.translate(_TO_STANDARD) + b"=" * (-len(raw) % 4))
    except binascii.Error:
        raise ValueError("not base64url") from None
    if len(raw) % 4 and base64.urlsafe_b64encode(data).rstrip(b"=") != raw:
        raise ValueError("not the one base64url spelling")
    return data

"""Base64url without padding, with exactly one spelling for every byte string (RFC 7515 section 2)."""

from __future__ import annotations

import string
from binascii import Error
from typing import Final

from pybase64 import b64decode, b64encode, b64encode_as_string

_ALPHABET: Final = f"{string.ascii_uppercase}{string.ascii_lowercase}{string.digits}-_".encode()
_PLUS, _SLASH = b"+/"
_PADDING: Final = (b"", b"!", b"==", b"=")
"""By length modulo 4, what makes it a multiple of 4; no length of 1 modulo 4 spells anything."""
_LAST: Final = tuple(frozenset(_ALPHABET[::step]) for step in (1, 1, 16, 4))
"""By length modulo 4, the characters that may be last: those whose spare bits are zero."""
_REFUSAL: Final = "not base64url in its one spelling"
"""Without the text, which may be a private half."""


def encode(data: bytes) -> str:
    """Return `data` as base64url without padding."""
    return b64encode_as_string(data, b"-_").rstrip("=")


def encode_ascii(data: bytes) -> bytes:
    """As `encode`, in bytes."""
    return b64encode(data, b"-_").rstrip(b"=")


def encode_integer(value: int) -> str:
    """Return an unsigned integer as Base64urlUInt: big-endian, the fewest octets (RFC 7518 section 2)."""
    return encode(value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))


def decode(text: bytes | str) -> bytes:
    """Return the bytes that `text` spells; raises `ValueError` for any but the one spelling.

    Refused: padding, white space, the standard alphabet, a length of 1 modulo 4, and spare
    bits that are not zero (RFC 4648 section 3.5), each of which would let one token be
    written in several ways.
    """
    # Replaced, not strict: an encoding error would carry the text.
    raw = text.encode("ascii", "replace") if isinstance(text, str) else text
    # The decoder would still take these two beside - and _.
    if _PLUS in raw or _SLASH in raw:
        raise ValueError(_REFUSAL)
    over = len(raw) % 4
    try:
        data = b64decode(raw + _PADDING[over], b"-_", True)
    except Error:
        raise ValueError(_REFUSAL) from None
    # Padding that the text brought along is last, and in none of these.
    if raw and raw[-1] not in _LAST[over]:
        raise ValueError(_REFUSAL)
    return data

"""Base64url without padding, with exactly one spelling for every byte string (RFC 7515 section 2)."""

from __future__ import annotations

import string
from binascii import Error
from typing import Final

import pybase64

_ALPHABET: Final = f"{string.ascii_uppercase}{string.ascii_lowercase}{string.digits}-_".encode()
_OUTSIDE: Final = b"!"
"""In no base64 alphabet."""
_TO_STANDARD: Final = bytes(
    b"+/"[b"-_".index(it)] if it in b"-_" else it if it in _ALPHABET else _OUTSIDE[0] for it in range(256)
)
_PADDING: Final = (b"", _OUTSIDE, b"==", b"=")
_LAST: Final = tuple(frozenset(_ALPHABET[::step]) for step in (1, 1, 16, 4))
"""By length modulo 4, the characters that may be last: those whose spare bits are zero."""


def encode(data: bytes) -> str:
    """Return `data` as base64url without padding."""
    return pybase64.b64encode_as_string(data, b"-_").rstrip("=")


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
    over = len(raw) % 4
    try:
        data = pybase64.b64decode(raw.translate(_TO_STANDARD) + _PADDING[over], None, True)
    except Error:
        raise ValueError("not base64url") from None
    if over and raw[-1] not in _LAST[over]:
        raise ValueError("not the one base64url spelling")
    return data

"""JSON and base64url written in other ways: some say the same, some nothing."""

from __future__ import annotations

import json
import random
from typing import Any

from keyvault_jwt import base64url
from tests.fuzz.draft import Pairs, Raw

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def plain(pairs: Pairs) -> str:
    """Return the object as everybody writes it, duplicates and raw values included."""
    members = (f"{json.dumps(name)}:{_value(value)}" for name, value in pairs)
    return "{" + ",".join(members) + "}"


def _value(value: Any) -> str:
    return str(value) if isinstance(value, Raw) else json.dumps(value)


def odd(pairs: Pairs, dice: random.Random) -> tuple[str, bytes]:
    """Return the object in an odd spelling, and that spelling's name."""
    text = plain(pairs)
    name = dice.choice(list(_ODD))
    return name, _ODD[name](text, dice)


def _escaped(text: str, dice: random.Random) -> bytes:
    """Some letters of names and values as \\uXXXX, which JSON allows (RFC 8259 section 7)."""
    if "\\" in text:
        return text.encode()
    letters = [f"\\u{ord(it):04x}" if it.isalnum() and dice.random() < 0.2 else it for it in text]
    inside, out = False, []
    for plain_letter, letter in zip(text, letters, strict=True):
        inside ^= plain_letter == '"'
        out.append(letter if inside else plain_letter)
    return "".join(out).encode()


def _spaced(text: str, dice: random.Random) -> bytes:
    space = dice.choice([" ", "\n", "\t", "\r\n"])
    inside, out = False, []
    for letter in text:
        inside ^= letter == '"'
        out.append(f"{space}{letter}{space}" if letter in "{}:," and not inside else letter)
    return "".join(out).encode()


def _cut(text: str, dice: random.Random) -> bytes:
    return text.encode()[: dice.randrange(len(text))]


def _flipped(text: str, dice: random.Random) -> bytes:
    raw = bytearray(text.encode())
    raw[dice.randrange(len(raw))] ^= 1 << dice.randrange(8)
    return bytes(raw)


_ODD: dict[str, Any] = {
    "escaped": _escaped,
    "spaced": _spaced,
    "cut": _cut,
    "flipped": _flipped,
    "bom": lambda text, _: b"\xef\xbb\xbf" + text.encode(),
    "utf-16": lambda text, _: text.encode("utf-16"),
    "utf-16-le": lambda text, _: text.encode("utf-16-le"),
    "utf-32-be": lambda text, _: text.encode("utf-32-be"),
    "latin-1": lambda text, _: text.replace("}", ',"é":"é"}').encode("latin-1"),
    "zero-byte": lambda text, _: text.encode() + b"\x00",
    "trailing": lambda text, dice: text.encode() + dice.choice([b"{}", b",", b"]", b" \n", b"//", b"\x0b"]),
    "leading": lambda text, dice: dice.choice([b" ", b"\n", b"\x0c", b"\xc2\xa0"]) + text.encode(),
    "comma": lambda text, _: (text[:-1] + ",}").encode(),
    "comment": lambda text, _: text.replace(",", "/**/,", 1).encode(),
    "quotes": lambda text, _: text.replace('"', "'").encode(),
    "list": lambda text, _: f"[{text}]".encode(),
    "text": lambda text, _: json.dumps(text).encode(),
    "empty": lambda *_: b"",
    "scalar": lambda _, dice: dice.choice([b"null", b"true", b"0", b'""', b"[]", b"{}", b"NaN"]),
    "surrogate": lambda text, _: (text[:-1] + ',"s":"\\ud800"}').encode(),
    "raw-surrogate": lambda text, _: (text[:-1] + ',"s":"').encode() + b'\xed\xa0\x80"}',
    "control": lambda text, dice: (text[:-1] + f',"c":"{chr(dice.randrange(32))}"}}').encode(),
    "deep": lambda text, dice: (
        text[:-1] + ',"deep":' + "[" * (deep := dice.choice([2, 64, 500, 1100])) + "]" * deep + "}"
    ).encode(),
    "deep-objects": lambda text, dice: (
        text[:-1] + ',"deep":' + '{"a":' * (deep := dice.choice([2, 64, 500, 1100])) + "1" + "}" * deep + "}"
    ).encode(),
    "long-number": lambda text, dice: (
        text[:-1] + ',"n":' + "9" * dice.choice([25, 400, 4301]) + "}"
    ).encode(),
    "huge-exponent": lambda text, dice: (
        text[:-1] + ',"n":' + dice.choice(["1e400", "-1e999", "1e-999"]) + "}"
    ).encode(),
    "odd-number": lambda text, dice: (
        text[:-1]
        + ',"n":'
        + dice.choice(["01", "+1", ".5", "1.", "0x1", "1_0", "-", "Infinity", "NaN"])
        + "}"
    ).encode(),
}


def segment(data: bytes, dice: random.Random) -> tuple[str, str]:
    """Return base64 of `data` that is not the one base64url spelling of it, with its name."""
    text = base64url.encode(data)
    name = dice.choice(list(_SEGMENTS))
    return name, _SEGMENTS[name](text, dice)


def _spare_bits(text: str, dice: random.Random) -> str:
    over = len(text) % 4
    if not over:
        return text + "="
    last = _ALPHABET.index(text[-1])
    return text[:-1] + _ALPHABET[last | dice.randrange(1, 16 if over == 2 else 4)]


def _within(text: str, dice: random.Random, letter: str) -> str:
    at = dice.randrange(len(text) + 1)
    return text[:at] + letter + text[at:]


_SEGMENTS: dict[str, Any] = {
    "padded": lambda text, _: text + "=" * (-len(text) % 4 or 4),
    "one-pad": lambda text, _: text + "=",
    "standard": lambda text, _: text.replace("-", "+").replace("_", "/"),
    "spare-bits": _spare_bits,
    "white": lambda text, dice: _within(text, dice, dice.choice(" \n\t\r\x00")),
    "junk": lambda text, dice: _within(text, dice, dice.choice("!*%~é\u200b=")),
    "quantum": lambda text, dice: text + dice.choice(_ALPHABET),
    "twice": lambda text, _: text + text,
    "none": lambda *_: "",
}

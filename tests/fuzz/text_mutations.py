"""Changes to the finished text of a token."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

from keyvault_jwt import base64url
from tests.fuzz import spelling

Change = Callable[[str, random.Random], Any]


def _flip(text: str, dice: random.Random) -> str:
    at = dice.randrange(len(text))
    return text[:at] + chr(ord(text[at]) ^ 1 << dice.randrange(8)) + text[at + 1 :]


def _letter(text: str, dice: random.Random) -> str:
    at = dice.randrange(len(text))
    return text[:at] + dice.choice("ABCxyz019-_") + text[at + 1 :]


def _insert(text: str, dice: random.Random) -> str:
    at = dice.randrange(len(text) + 1)
    return (
        text[:at]
        + dice.choice([".", " ", "\n", "\x00", "=", "é", "\u202e", "\ud800", "A", "+", "%2E"])
        + text[at:]
    )


def _segment(text: str, dice: random.Random) -> str:
    """One segment in another spelling of the same bytes, or nearly: its own signature stays."""
    parts = text.split(".")
    at = dice.randrange(len(parts))
    try:
        parts[at] = spelling.segment(base64url.decode(parts[at]), dice)[1]
    except ValueError:
        return text
    return ".".join(parts)


def _parts(text: str, dice: random.Random) -> str:
    parts = text.split(".")
    ways = [
        parts[:2],
        parts[:1],
        parts[1:],
        [*parts, ""],
        ["", *parts],
        parts * 2,
        [*parts, "AA", "AA"],
        parts[::-1],
    ]
    ways += [[parts[0], "", parts[-1]], [*parts[:2], ""], ["", "", ""], [""], [parts[0], *parts]]
    return ".".join(dice.choice(ways))


def _json(text: str, dice: random.Random) -> str:
    """The JSON serialisations (RFC 7515 section 7.2), also as polyglots with a compact token."""
    header, payload, signature = ([*text.split("."), "", ""])[:3]
    flat = {"payload": payload, "protected": header, "signature": signature}
    general = {"payload": payload, "signatures": [{"protected": header, "signature": signature}]}
    polyglot = json.dumps({**flat, "x": f".{payload}."})
    return dice.choice(
        [json.dumps(flat), json.dumps(general), polyglot, f'{{"{text}": 1}}', f" {json.dumps(flat)}"]
    )


def _about(text: str, dice: random.Random) -> str:
    return dice.choice(
        [f" {text}", f"{text} ", f"{text}\n", f"Bearer {text}", f'"{text}"', f"\ufeff{text}", f"{text}\x00"]
    )


def _large(text: str, dice: random.Random) -> str:
    return dice.choice(
        [text + "A" * 70_000, "." * 3000, "A" * 9000 + "." + text, text + "." * 1000, "A" * 65_537]
    )


def _no_text(text: str, dice: random.Random) -> Any:
    return dice.choice([None, 1, 1.5, [text], {"token": text}, bytearray(text, "utf-8", "replace"), True, ()])


def _as_bytes(text: str, dice: random.Random) -> bytes:
    raw = text.encode("utf-8", "surrogatepass")
    return raw if dice.random() < 0.5 else raw + dice.choice([b"\xff", b"\x80", b"\xc3\xa9", b"\n"])


TEXT_CHANGES: dict[str, Change] = {
    "text-flip": _flip,
    "text-letter": _letter,
    "text-insert": _insert,
    "text-segment": _segment,
    "text-parts": _parts,
    "text-json": _json,
    "text-about": _about,
    "text-large": _large,
    "text-none": _no_text,
    "text-bytes": _as_bytes,
}

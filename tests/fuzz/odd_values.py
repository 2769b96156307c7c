"""Values that are not what a member should have, and some that only look so."""

from __future__ import annotations

import random
from typing import Any

from tests.fuzz.draft import AUDIENCE, ISSUER, LEEWAY, NOW, Raw

_ANY: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 1.5, "", " ", "0", "none", [], {}, [None], [[]], {"a": 1},
    Raw("NaN"), Raw("Infinity"), Raw("1e400"), Raw("-0"), Raw("1E5"), "\u0000", "é", "\U0001f511", "a" * 1025,
    "a" * 3000, 2**53 + 1, 2**64, -(2**63) - 1, 10**30, "../../etc/passwd", "' OR 1=1",
    "https://evil.example/keys",
)  # fmt: skip


def any_value(dice: random.Random) -> Any:
    """Return a value of any JSON type, or of none."""
    return dice.choice(_ANY)


def near(text: str, dice: random.Random) -> str:
    """Return a text that is nearly, but not exactly, this one."""
    ways = (
        text.upper(),
        text.lower(),
        text.swapcase(),
        f" {text}",
        f"{text} ",
        f"{text}\x00",
        text[:-1],
        text + text,
    )
    others = (text.replace("e", "\u0435"), f"{text}\u200b", f"{text}/", text.capitalize(), f"{text}\n")
    return dice.choice([way for way in (*ways, *others) if way != text] or [f"{text}x"])


def moment(dice: random.Random) -> Any:
    """Return a NumericDate at or about the edges, or a value that is no number."""
    edge = NOW + dice.choice([-LEEWAY, 0, LEEWAY, -600, 600])
    off = dice.choice([0, -1, 1, -0.5, 0.5, 0.25, -0.125])
    return dice.choice(
        [
            edge + off, edge + off, edge + off, float(edge), str(edge), [edge], {"n": edge}, None, True,
            False,
            -edge, 0, edge * 1000, 2**31, 2**63, 2**64, 10**30, -(10**30), 1e300, -1e300, Raw("1e400"),
            Raw("NaN"),
            Raw("-Infinity"), Raw("Infinity"), Raw(f"{edge}e0"), Raw(f"{edge}.0"), Raw("2E9"),
            Raw("1e-400"), "",
            Raw("9" * 400), Raw("9" * 4301), "2033-05-18T03:33:20Z",
        ]
    )  # fmt: skip


def audience(dice: random.Random) -> Any:
    """Return an `aud` that names us, or somebody else, in ways that mean it or don't."""
    return dice.choice(
        [
            AUDIENCE, [AUDIENCE], ["other", AUDIENCE], [AUDIENCE, AUDIENCE], "other", ["other"], [], "",
            [""], None, 1,
            [AUDIENCE, 1], [None, AUDIENCE], [[AUDIENCE]], {AUDIENCE: 1}, {"aud": AUDIENCE}, True,
            near(AUDIENCE, dice),
            [near(AUDIENCE, dice)], f"{AUDIENCE},other", f"other {AUDIENCE}", list(AUDIENCE), [{}],
            [AUDIENCE, {}],
        ]
    )  # fmt: skip


def issuer(dice: random.Random) -> Any:
    """Return an `iss` that is not the issuer's, or does not say it as text."""
    return dice.choice(
        [
            near(ISSUER, dice),
            near(ISSUER, dice),
            [ISSUER],
            {ISSUER: 1},
            None,
            1,
            "",
            True,
            [],
            ISSUER[:8],
            ISSUER,
        ]
    )

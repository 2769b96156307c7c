"""Generation: what a verifier keeps of good tokens, how much of it, and what it hands out."""

from __future__ import annotations

import math
from typing import Any, cast

import msgspec
import pytest

from keyvault_jwt.generation import Generation, Remembered
from keyvault_jwt.keyset import BoundKey, KeySet

ALWAYS = (-math.inf, math.inf)


@pytest.fixture
def generation() -> Generation:
    """A generation that has seen nothing."""
    return Generation(KeySet(()))


def remembered(generation: Generation, claims: dict[str, Any]) -> Remembered:
    """Note a token of these claims, and return what is remembered of it."""
    generation.note_token("token", msgspec.json.encode(claims), claims, ALWAYS, most=1)
    return generation.tokens["token"]


@pytest.mark.parametrize(
    "claims",
    [{}, {"sub": "u1", "exp": 1, "x": 1.5, "y": None, "z": True}, {"a": []}, {"a": {"b": [1]}}],
    ids=str,
)
def test_claims_are_handed_out_as_they_were(generation: Generation, claims: dict[str, Any]) -> None:
    """Each caller gets the claims in a dict of its own, whatever became of the one they were noted from."""
    noted = msgspec.json.decode(msgspec.json.encode(claims))
    seen = remembered(generation, noted)
    noted["sub"] = "root"
    first, second = seen.handed_out(), seen.handed_out()
    assert first == second == claims
    first["sub"] = "root"
    assert seen.handed_out() == second == claims


@pytest.mark.parametrize("nested", [[1], {"b": 1}])
def test_nothing_inside_the_claims_is_shared(generation: Generation, nested: Any) -> None:
    """A list or an object among the claims is each caller's own, too."""
    seen = remembered(generation, {"a": nested})
    first, second = seen.handed_out()["a"], seen.handed_out()["a"]
    assert first == second == nested
    assert len({id(each) for each in (first, second, nested)}) == 3


def test_nothing_remembered_shows(generation: Generation) -> None:
    """Claims may name people, so no repr has them."""
    assert "alice" not in repr(remembered(generation, {"sub": "alice"}))


def test_very_long_tokens_are_not_remembered(generation: Generation) -> None:
    """A token of 8,192 characters is kept, a longer one is not: so many of them take so much and no more."""
    for token in ("a" * 8_192, "a" * 8_193, b"a" * 8_192, b"a" * 8_193):
        generation.note_token(token, b"{}", {}, ALWAYS, most=9)
    assert [len(token) for token in generation.tokens] == [8_192, 8_192]


def test_the_oldest_makes_room(generation: Generation) -> None:
    """At most the tokens asked for and 256 headers are kept, and the newest of them."""
    key = cast("BoundKey", object())
    for number in range(300):
        generation.note_header(b"%d" % number, key)
        generation.note_token(str(number), b"{}", {}, ALWAYS, most=3)
    assert list(generation.tokens) == ["297", "298", "299"]
    assert list(generation.headers) == [b"%d" % number for number in range(44, 300)]

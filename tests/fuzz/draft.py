"""A token in the making: each part can be changed before, or after, the next is made of it."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from tests.fuzz.holder import Holder
from tests.fuzz.seed_set import Members, SeedSet
from tests.fuzz.signed_inputs import SignedInputs

ISSUER, AUDIENCE, NOW, LEEWAY = "https://id.example", "api", 2_000_000_000, 30
"""What every judge expects, and what time it is for all of them, in seconds."""
Pairs = list[tuple[str, Any]]
"""The members of a JSON object, in order; names may come twice."""


class Raw(str):
    """Text that goes into JSON as it is, be it JSON or not."""

    __slots__ = ()


@dataclass(slots=True)
class Draft:
    """What a mutation changes; `trail` names the mutations so far."""

    dice: random.Random
    seeds: SeedSet
    holder: Holder
    algorithm: str
    others: tuple[Holder, ...]
    header: Pairs
    claims: Pairs
    keys: list[Members]
    own: Members
    signed: SignedInputs
    trail: list[str] = field(default_factory=list)
    header_text: bytes | None = None
    claims_text: bytes | None = None
    signer: Holder | None = None
    signed_as: str = ""
    set_text: bytes | None = None
    allowed: tuple[str, ...] = ()
    typ: str | None = None


def put(pairs: Pairs, name: str, value: Any) -> None:
    """Set a member, where it stands if it is there."""
    for index, (there, _) in enumerate(pairs):
        if there == name:
            pairs[index] = (name, value)
            return
    pairs.append((name, value))


def drop(pairs: Pairs, name: str) -> None:
    """Take out a member."""
    pairs[:] = [pair for pair in pairs if pair[0] != name]

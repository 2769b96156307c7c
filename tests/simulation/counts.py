"""What a seed, or many, did."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, fields

from keyvault_jwt.clock import Milliseconds


@dataclass(slots=True)
class Counts:
    """Numbers that add up over seeds; `span` is the virtual time that passed, in milliseconds.

    `happened` counts by name, as in `exercised`.
    """

    span: Milliseconds = 0
    keyrings: int = 0
    rotations: int = 0
    commands: int = 0
    passes: int = 0
    issued: int = 0
    verified: int = 0
    refused: int = 0
    without_keys: int = 0
    stolen: int = 0
    recoveries: int = 0
    happened: Counter[str] = field(default_factory=Counter)

    def add(self, other: Counts) -> None:
        """Add another's numbers to these."""
        for each in fields(self):
            if each.name != "happened":
                setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))
        self.happened.update(other.happened)

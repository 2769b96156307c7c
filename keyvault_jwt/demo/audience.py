"""Audience: whoever watches a demonstration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ..clock import Instant, Milliseconds
from ..keyring import Keyring
from ..plan import Plan
from .tally import Tally


@dataclass(frozen=True, slots=True)
class View:
    """What there is to see at the instant `now`: the keyring, its plan, the counts, the store's S."""

    began: Instant
    now: Instant
    keyring: Keyring
    plan: Plan
    tally: Tally
    staleness: Milliseconds


class Audience(Protocol):
    """Is shown the fleet several times a second, and told in words what happens."""

    def watch(self, view: View) -> None:
        """Look at the fleet as it is now."""
        ...

    def hear(self, at: Milliseconds, text: str) -> None:
        """Take in what happened, so long after the beginning."""
        ...

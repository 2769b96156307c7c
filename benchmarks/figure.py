"""Figure: one number with its name, the most it may be, and how it is measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A number that `make bench` prints; `name` ends in its unit and `what` tells it in words."""

    name: str
    what: str
    at_most: float
    measure: Callable[[], float]

"""Figure: one number with its name, what is wanted of it, and how it is measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


class NotMeasured(Exception):
    """This machine lacks what a figure needs; the message says what, and what to do."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A number that `make bench` prints; `name` ends in its unit and `what` tells it in words.

    It is wanted to be `at_most` one number, or `at_least` one.
    """

    name: str
    what: str
    at_most: float | None
    measure: Callable[[], float]
    at_least: float | None = None

    @property
    def wanted(self) -> str:
        """The wish in words."""
        return f"at least {self.at_least:g}" if self.at_most is None else f"at most {self.at_most:g}"

    def verdict(self, value: float) -> str:
        """Return what is to be said of a value that is not as wanted."""
        if self.at_most is not None and value > self.at_most:
            return "  OVER"
        return "  UNDER" if self.at_least is not None and value < self.at_least else ""

"""The story of one seed: who did what when, and a digest by which two runs are compared."""

from __future__ import annotations

import hashlib
from collections import deque

from keyvault_jwt.clock import iso
from tests.simulation.agenda import Agenda

LAST_LINES = 60


class Violation(AssertionError):
    """A promise that was not kept."""


class Story:
    """Everything that was told; `whole` keeps every line, else only the last ones."""

    def __init__(self, agenda: Agenda, *, whole: bool = False) -> None:
        self._agenda, self._digest = agenda, hashlib.sha256()
        self._lines: deque[tuple[int, str, str]] = deque(maxlen=None if whole else LAST_LINES)

    def tell(self, actor: str, what: str, data: bytes = b"") -> None:
        """Note an event; `data` are bytes that belong to it, compared and not shown."""
        line = (self._agenda.now, actor, what)
        self._lines.append(line)
        self._digest.update(repr(line).encode() + data)

    @property
    def digest(self) -> str:
        """What tells this story from every other."""
        return self._digest.hexdigest()

    def __str__(self) -> str:
        return "\n".join(f"{iso(now)}  {actor:<14}  {what}" for now, actor, what in self._lines)

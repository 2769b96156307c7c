"""Request: what is asked of one of AWS's services, and what became of its tries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from keyvault_jwt.clock import Clock, Milliseconds


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of a secret; `safe` if it does no harm to be carried out twice."""

    operation: str
    parameters: Mapping[str, Any] = field(repr=False)
    safe: bool

    @property
    def secret(self) -> str:
        """The secret's name; empty for a request about none in particular."""
        return str(self.parameters.get("SecretId") or self.parameters.get("Name") or "")

    def __str__(self) -> str:
        return f"{self.operation} of {self.secret}" if self.secret else self.operation


@dataclass(frozen=True, slots=True)
class Refused:
    """A refusal as the service worded it; its messages quote names, never values."""

    code: str
    message: str
    status: int


@dataclass(slots=True)
class Tries:
    """The tries of one request so far; `in_doubt` once one may have been carried out unheard."""

    clock: Clock
    started: Milliseconds
    in_doubt: bool = False

    def elapsed(self) -> Milliseconds:
        """Return how long the request has been under way."""
        return self.clock.monotonic() - self.started

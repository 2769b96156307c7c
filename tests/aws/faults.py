"""What networks, quotas and policies do to a request, as a test asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Answers:
    """The request is not carried out; this error is answered."""

    code: str
    message: str = "as the test asked for"
    status: int = 400


@dataclass(frozen=True)
class Breaks:
    """The connection breaks; before that, the request was carried out or not."""

    carried_out: bool


@dataclass(frozen=True)
class Stalls:
    """No answer comes until the client gives up; before that, the request was carried out or not."""

    carried_out: bool


Fault: TypeAlias = Answers | Breaks | Stalls

THROTTLED = Answers("ThrottlingException", "Rate exceeded")

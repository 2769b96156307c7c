"""What explains that another library judges otherwise than we do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.fuzz.model import Reading
from tests.fuzz.mutant import Mutant
from tests.fuzz.ours import Verdict

PYJWT, JOSERFC, JWCRYPTO = "pyjwt", "joserfc", "jwcrypto"
ALL = (PYJWT, JOSERFC, JWCRYPTO)


@dataclass(frozen=True, slots=True)
class Case:
    """A disagreement: the library, the mutant, what the model says of it, and the library's verdict."""

    judge: str
    mutant: Mutant
    reading: Reading
    theirs: Verdict


@dataclass(frozen=True, slots=True)
class NotLookedAt:
    """Reasons of the model's that these libraries don't look at, so that they accept."""

    name: str
    judges: tuple[str, ...]
    reasons: frozenset[str]
    why: str


@dataclass(frozen=True, slots=True)
class Stricter:
    """A refusal by these libraries, in these words, of what is good by the RFCs."""

    name: str
    judges: tuple[str, ...]
    words: tuple[str, ...]
    about: Callable[[Case], bool]
    why: str

"""What a pure pass asks of the world, one call at a time, and what it may be answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from .clock import Milliseconds
from .errors import KeyvaultJWTError
from .key_factory import FreshKey
from .store import DocumentName, Draft, Version, Versioned


@dataclass(frozen=True, slots=True)
class Read:
    """Read a document; answered by `Versioned`, None, or a `StoreError` or `DocumentError`."""

    name: DocumentName


@dataclass(frozen=True, slots=True)
class Write:
    """Replace a document; answered by its `Version`, or by a `Conflict` or `StoreError`."""

    name: DocumentName
    draft: Draft
    expected: Version | None


@dataclass(frozen=True, slots=True)
class Generate:
    """Make a key for an algorithm; answered by a `FreshKey`."""

    algorithm: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Let time pass, in milliseconds; answered by None."""

    duration: Milliseconds


Call: TypeAlias = Read | Write | Generate | Wait
Answer: TypeAlias = Versioned | Version | FreshKey | KeyvaultJWTError | None


def versioned(answer: Answer) -> Versioned | None:
    """Return the answer to a `Read`; raises the error that was the answer."""
    if answer is None or isinstance(answer, Versioned):
        return answer
    raise unexpected(answer)


def version(answer: Answer) -> Version:
    """Return the answer to a `Write`; raises the error that was the answer."""
    if isinstance(answer, str):
        return Version(answer)
    raise unexpected(answer)


def unexpected(answer: Answer) -> Exception:
    """Return the error that an answer is, or a `TypeError` for one that fits no call."""
    if isinstance(answer, KeyvaultJWTError):
        return answer
    return TypeError(f"an answer of type {type(answer).__name__} does not fit the call")

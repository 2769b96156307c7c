"""Finding: what one check of `doctor` saw."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How much a finding matters."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was checked, what was seen, and what to do about it if anything."""

    level: Level
    check: str
    seen: str
    fix: str = ""


def ok(check: str, seen: str) -> Finding:
    """Return a finding that needs nothing done."""
    return Finding(Level.OK, check, seen)


def warn(check: str, seen: str, fix: str) -> Finding:
    """Return a finding that a person should look at."""
    return Finding(Level.WARN, check, seen, fix)


def fail(check: str, seen: str, fix: str) -> Finding:
    """Return a finding that keeps something from working."""
    return Finding(Level.FAIL, check, seen, fix)

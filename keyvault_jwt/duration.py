"""Durations as people write them: `90d`, `1h30m`, `15m`, `30s`, `500ms`."""

from __future__ import annotations

import re
from datetime import timedelta

from .errors import BadDuration

_UNITS = {"w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}
_PART = re.compile(r"([0-9]{1,12})(ms|[wdhms])", re.ASCII)
_WHOLE = re.compile(r"(?:[0-9]{1,12}(?:ms|[wdhms]))+", re.ASCII)
LONGEST = timedelta(days=100 * 365)
"""The longest duration that can be written: 100 years."""


def parse_duration(text: str) -> timedelta:
    """Return the duration that `text` writes; raises `BadDuration`, also above 100 years."""
    if not _WHOLE.fullmatch(text):
        raise _bad(text)
    total = sum(int(number) * _UNITS[unit] for number, unit in _PART.findall(text))
    if total > milliseconds(LONGEST):
        raise _bad(text)
    return timedelta(milliseconds=total)


def format_duration(duration: timedelta | int) -> str:
    """Return the shortest exact spelling of a duration (a timedelta, or whole milliseconds)."""
    left = duration if isinstance(duration, int) else milliseconds(duration)
    if left == 0:
        return "0s"
    sign, left = ("-", -left) if left < 0 else ("", left)
    parts: list[str] = []
    for unit, size in _UNITS.items():
        if unit == "w":
            continue
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{unit}")
    return sign + "".join(parts)


def milliseconds(duration: timedelta) -> int:
    """Return whole milliseconds, rounding a finer remainder up so that no wait is cut short."""
    whole, rest = divmod(duration, timedelta(milliseconds=1))
    return whole + 1 if rest else whole


def _bad(text: str) -> BadDuration:
    return BadDuration(
        f"{text[:40]!r} is not a duration",
        why="a duration is whole numbers with units, at most 100 years",
        fix="write it like 90d, 1h30m, 15m, 30s or 500ms",
    )

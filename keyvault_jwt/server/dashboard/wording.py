"""Times in words, and text made safe for HTML."""

from __future__ import annotations

from html import escape
from typing import Final

from ...clock import Instant, Milliseconds, iso

NONE: Final = "&ndash;"
"""What stands where there is nothing to say."""

_UNITS: Final = (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000))


def text(value: object) -> str:
    """Return any value as text that HTML takes for nothing else."""
    return escape(str(value), quote=True)


def length(duration: Milliseconds) -> str:
    """Return a duration in its two largest units; tenths of a second below ten."""
    if abs(duration) < 10_000:
        return f"{duration / 1000:.1f} s"
    sign, left = ("-", -duration) if duration < 0 else ("", duration)
    parts: list[str] = []
    for unit, size in _UNITS:
        count, left = divmod(left, size)
        if count or parts:
            parts.append(f"{count} {unit}")
    return sign + " ".join(part for part in parts[:2] if not part.startswith("0 "))


def moment(instant: Instant | None, now: Instant) -> str:
    """Return when something is or was, seen from now, with the date where the pointer rests."""
    if instant is None:
        return NONE
    away = f"in {length(instant - now)}" if instant > now else f"{length(now - instant)} ago"
    return f'<time datetime="{iso(instant)}" title="{iso(instant)}">{away}</time>'


def kid(value: str) -> str:
    """Return a kid's first 10 characters, the whole where the pointer rests."""
    return f'<code title="{text(value)}">{text(value[:10])}{"…" if len(value) > 10 else ""}</code>'

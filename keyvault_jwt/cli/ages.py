"""Lengths of time as people say them: rounded, in one or two units."""

from __future__ import annotations

from ..clock import Instant, Milliseconds, iso

_UNITS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000))


def about(length: Milliseconds, units: int = 1) -> str:
    """Return a length rounded to one unit, or to `units` of them: `3d`, `2h6m`, `0.4s`."""
    left = abs(length)
    if left < 10_000:
        return f"{left / 1000:.1f}s"
    largest = next(place for place, (_, size) in enumerate(_UNITS) if left >= size)
    finest = _UNITS[min(largest + units, len(_UNITS)) - 1][1]
    left = (left + finest // 2) // finest * finest
    parts: list[str] = []
    for unit, size in _UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)


def seen_from(now: Instant, instant: Instant, units: int = 1) -> str:
    """Return where an instant lies: `in 3d`, or `3d ago`."""
    length = about(instant - now, units)
    return f"in {length}" if instant > now else f"{length} ago"


def dated(now: Instant, instant: Instant) -> str:
    """Return an instant exactly, and where it lies."""
    return f"{iso(instant)} ({seen_from(now, instant, units=2)})"


def iso_or_none(instant: Instant | None) -> str | None:
    """Return an instant as JSON output has it; None stays None."""
    return None if instant is None else iso(instant)

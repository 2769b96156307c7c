"""How long a set may be used (C and G) and when it is asked for again, from what its source says.

A key cache is not an HTTP cache: whether a set may be used while its source *fails* is the
operator's decision (`max_stale`), which the publisher can shorten by `stale-if-error` and nobody
can lengthen.  So `must-revalidate` changes nothing here: every set is asked for again when its
time is up, and past that time it serves only while the asking fails.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from ..clock import Clock, Instant, Milliseconds
from ..duration import milliseconds
from ..errors import UsageError

_DIRECTIVE: Final = re.compile(r'([a-z][a-z0-9_-]*)(?:[ \t]*=[ \t]*(?:"([^"]*)"|([^\s,;"]*)))?', re.ASCII)
_OLDEST: Final[Milliseconds] = (1 << 31) * 1_000
_SECONDS: Final = re.compile(r"[0-9]{1,10}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a verifier makes of a publisher's words, in milliseconds.

    `min_ttl` spaces the requests and is what `no-store` means here; it never makes a set last
    longer than a stated max-age.  `default_ttl` is for a publisher who says nothing.
    """

    min_ttl: Milliseconds = 10_000
    default_ttl: Milliseconds = 300_000
    max_ttl: Milliseconds = 3_600_000
    max_stale: Milliseconds = 3_600_000

    @classmethod
    def of(cls, **bounds: timedelta) -> Bounds:
        """Return bounds given as timedeltas; raises `UsageError` for one below zero."""
        if any(length < timedelta() for length in bounds.values()):
            raise UsageError("a bound of a key cache is below zero")
        return cls(**{name: milliseconds(length) for name, length in bounds.items()})


@dataclass(frozen=True, slots=True)
class Lifetime:
    """C and G of a set, and how old it was when it came (`Age`), in milliseconds."""

    ttl: Milliseconds
    stale: Milliseconds
    age: Milliseconds = 0

    @property
    def end(self) -> Milliseconds:
        """The age past which the set may not be used: C + G (I4)."""
        return self.ttl + self.stale

    def within(self, bounds: Bounds) -> Lifetime:
        """Return it no longer than the bounds allow."""
        return replace(self, ttl=min(self.ttl, bounds.max_ttl), stale=min(self.stale, bounds.max_stale))


def lifetime_of(headers: Mapping[str, str], bounds: Bounds, previous: Lifetime | None = None) -> Lifetime:
    """Return what a response's headers (names in lower case) say, within the bounds.

    `previous` counts for an answer without `Cache-Control`, as a 304 may be (RFC 9111 section
    4.3.4).  Of contradicting values the shortest counts; one that can't be read counts as 0.
    """
    age = _age(headers.get("age", "0").partition(",")[0].strip())
    stated = headers.get("cache-control")
    if stated is None and previous is not None:
        return replace(previous, age=age)
    directives: dict[str, list[str]] = {}
    for name, quoted, plain in _DIRECTIVE.findall((stated or "").lower()):
        directives.setdefault(name, []).append(quoted or plain)
    if directives.keys() & {"no-store", "no-cache"}:
        ttl = bounds.min_ttl
    elif "max-age" in directives:
        ttl = _seconds(directives["max-age"])
    else:
        ttl = bounds.default_ttl
    stale = bounds.max_stale
    if "stale-if-error" in directives:
        stale = min(stale, _seconds(directives["stale-if-error"]))
    return Lifetime(min(ttl, bounds.max_ttl), stale, age)


def _age(value: str) -> Milliseconds:
    """Return an Age: one too large to read is old, not new (RFC 9111 section 1.2.2); 0 for no number."""
    return _OLDEST if value.isdecimal() and len(value) > 10 else _seconds([value])


def _seconds(values: list[str]) -> Milliseconds:
    return min(int(value) * 1000 if _SECONDS.fullmatch(value) else 0 for value in values)


@dataclass(frozen=True, slots=True)
class Moment:
    """One moment by both clocks: whichever shows more time passed is believed (I3, I4)."""

    wall: Instant
    monotonic: Milliseconds

    @classmethod
    def now(cls, clock: Clock) -> Moment:
        """Return this moment."""
        return cls(clock.wall(), clock.monotonic())

    def later(self, by: Milliseconds) -> Moment:
        """Return the moment that comes `by` milliseconds after this one."""
        return Moment(self.wall + by, self.monotonic + by)

    def has_come(self, now: Moment) -> bool:
        """Whether, at `now`, this moment is here by either clock."""
        return now.wall >= self.wall or now.monotonic >= self.monotonic

    def since(self, earlier: Moment) -> Milliseconds:
        """Return the milliseconds from `earlier` until this moment, by the clock that shows more."""
        return max(self.wall - earlier.wall, self.monotonic - earlier.monotonic)


def next_refresh(lifetime: Lifetime, bounds: Bounds, *, ours: bool, jitter: float) -> Milliseconds:
    """Return how long after the request a set is asked for again: before C, unevenly.

    `jitter` is from 0 to 1.  A set of ours keeps to its policy's C, however short; a stranger's
    is spaced by `min_ttl`.  Always before the set must not be used any more.
    """
    room = 0.8 * (lifetime.end - lifetime.age)
    if room <= 0:
        # Good for nobody but those who waited for it, so there is nothing to keep fresh.
        return bounds.min_ttl
    ahead = lifetime.ttl * (0.75 + 0.15 * jitter) - lifetime.age
    spacing = min(bounds.min_ttl, max(lifetime.ttl // 2, 500)) if ours else bounds.min_ttl
    return int(max(ahead, min(spacing, room)))


def next_retry(failures: int, lifetime: Lifetime | None, *, jitter: float) -> Milliseconds:
    """Return how long to wait after the nth failure in a row: 1 s, 2 s, … 30 s, unevenly.

    Within what is left of a short-lived set several retries must find room.
    """
    pause = min(1_000 << min(failures - 1, 5), 30_000)
    if lifetime is not None:
        pause = min(pause, max(lifetime.end // 10, 200))
    return int(pause * (0.8 + 0.4 * jitter))

"""The set in use, and what follows from each answer of its source: times, generations, refusals.

No thread, no network and no file: what happens is told to it, with the moment it happened.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from .. import jwks
from ..clock import Milliseconds
from ..errors import FetchError, KeyvaultJWTError
from ..jwks import JWKSet
from ..keyset import KeySet
from .freshness import Bounds, Lifetime, Moment, next_refresh, next_retry
from .health import Health, State
from .quarantine import Quarantine, require_begun
from .source import Loaded
from .warm_start import SavedSet

AT_ONCE: Final = Moment(-(1 << 62), -(1 << 62))
NEVER: Final = Moment(1 << 62, 1 << 62)


@dataclass(frozen=True, slots=True)
class Held:
    """The set in use; from `end` on it may not be used."""

    keys: KeySet
    parsed: JWKSet
    asked: Moment
    lifetime: Lifetime | None
    end: Moment
    tag: str | None

    def age(self, now: Moment) -> Milliseconds | None:
        """Milliseconds since it was asked for, and its Age on top (I4); None if it never grows old."""
        return None if self.lifetime is None else now.since(self.asked) + self.lifetime.age

    def saved(self) -> SavedSet | None:
        """Return it for the state file; None if it holds secrets or never grows old."""
        lifetime = self.lifetime
        if lifetime is None or any(key.symmetric for key in self.parsed.keys):
            return None
        return SavedSet(
            keys=[jwks.public_jwk(key) for key in self.parsed.keys],
            origin=self.parsed.origin,
            tag=self.tag,
            asked=self.asked.wall,
            ttl=lifetime.ttl,
            stale=lifetime.stale,
            age=lifetime.age,
        )


class Shelf:
    """Holds one set at a time.  Thread-safe; `held` and `due` may be read without the lock."""

    def __init__(self, source: str, bounds: Bounds, jitter: Callable[[], float] = random.random) -> None:
        self._source, self._bounds, self._jitter = source, bounds, jitter
        self._lock = threading.Lock()
        self._generation = 0
        self._closed = False
        self.held: Held | None = None
        self.due: Moment = AT_ONCE
        self.quarantine = Quarantine()
        self.failures = 0
        self.error: KeyvaultJWTError | None = None

    def renew_lock(self) -> None:
        """Forget a lock that a thread of the parent process may hold for ever."""
        self._lock = threading.Lock()

    def cooling_down(self, now: Moment) -> bool:
        """Whether the source failed and is left alone for a while."""
        return self.failures > 0 and not self.due.has_come(now)

    def take_in(self, loaded: Loaded, asked: Moment) -> Held | None:
        """Put a good answer in the place of the last one, which is returned.

        A set with other keys is a new generation: a key that it lacks is out at once.  Raises
        `FetchError`, `RolledBack`, `FutureDocument` or `ForeignDocument` for an answer that is not
        good, and then changes nothing.
        """
        lifetime = loaded.lifetime
        if lifetime is not None and lifetime.age > lifetime.end:
            raise FetchError(
                f"the set from {self._source} is too old",
                why=f"its Age is {lifetime.age // 1000} s, and it may be used for {lifetime.end // 1000} s",
                fix="look for a proxy that holds it for longer than it may",
            )
        with self._lock:
            before = self.held
            parsed = loaded.keys or (before.parsed if before else None)
            if parsed is None:
                raise FetchError(f"{self._source} says that a set is unchanged which was never loaded")
            if parsed.origin is not None and lifetime is not None:
                require_begun(parsed.origin, asked.wall)
            self.quarantine = self.quarantine.admit(parsed.origin).with_denied(loaded.revoked)
            if not self._closed:
                self._hold(parsed, asked, lifetime, loaded.tag)
                self.failures, self.error = 0, None
            return before

    def restore(self, quarantine: Quarantine, saved: SavedSet | None, now: Moment) -> None:
        """Start with what an earlier process kept; it is asked for again at once.

        It serves no longer than the bounds allow now, which may have been lowered since.  A set
        from the future is not taken: one of the two clocks was wrong, so its age is unknown.
        """
        self.quarantine = quarantine
        if saved is None or saved.asked > now.wall:
            return
        parsed = replace(jwks.parse(jwks.render(saved.keys, origin=None)), origin=saved.origin)
        lifetime = saved.lifetime.within(self._bounds)
        self._hold(parsed, now.later(saved.asked - now.wall), lifetime, saved.tag)
        self.due = AT_ONCE

    def note_failure(self, error: KeyvaultJWTError, now: Moment) -> None:
        """Count a failed load and put the next one off."""
        with self._lock:
            self.failures, self.error = self.failures + 1, error
            lifetime = None if self.held is None else self.held.lifetime
            if not self._closed:
                self.due = now.later(next_retry(self.failures, lifetime, jitter=self._jitter()))

    def deny(self, name: str) -> None:
        """Withdraw a kid or thumbprint for good, whatever the source says."""
        with self._lock:
            self.quarantine = self.quarantine.with_denied({name})
            self._apply_denials()

    def adopt(self, quarantine: Quarantine) -> None:
        """Refuse also what another process has come to refuse."""
        with self._lock:
            self.quarantine = self.quarantine.merged(quarantine)
            self._apply_denials()

    def close(self) -> None:
        """Hold nothing from now on."""
        with self._lock:
            self._closed, self.held, self.due = True, None, NEVER
            self.error = FetchError(f"the cache of {self._source} is closed")

    def state(self, now: Moment) -> State:
        """Return what can be said of the set in use."""
        held = self.held
        if held is None:
            return "empty"
        age = held.age(now)
        if held.lifetime is None or age is None:
            return "fresh"
        if held.end.has_come(now):
            return "expired"
        return "fresh" if age <= held.lifetime.ttl else "stale"

    def health(self, now: Moment) -> Health:
        """Return everything that can be said."""
        held, error = self.held, self.error
        age = None if held is None else held.age(now)
        return Health(
            state=self.state(now),
            age=None if age is None else timedelta(milliseconds=age),
            generation=0 if held is None else held.keys.generation,
            origin=None if held is None else held.parsed.origin,
            kids=() if held is None else tuple(key.kid for key in held.keys.keys),
            skipped=() if held is None else held.parsed.skipped,
            denied=self.quarantine.denied,
            failures=self.failures,
            last_error=None if error is None else error.code,
        )

    def _hold(self, parsed: JWKSet, asked: Moment, lifetime: Lifetime | None, tag: str | None) -> None:
        before, denied = self.held, self.quarantine.denied
        if before is not None and (before.parsed.keys, before.keys.denied) == (parsed.keys, denied):
            keys = before.keys
        else:
            keys = self._next_generation(parsed)
        end = due = NEVER
        if lifetime is not None:
            end = asked.later(lifetime.end - lifetime.age)
            ours = parsed.origin is not None
            due = asked.later(next_refresh(lifetime, self._bounds, ours=ours, jitter=self._jitter()))
        self.held, self.due = Held(keys, parsed, asked, lifetime, end, tag), due

    def _apply_denials(self) -> None:
        held = self.held
        if held is not None and held.keys.denied != self.quarantine.denied:
            self.held = replace(held, keys=self._next_generation(held.parsed))

    def _next_generation(self, parsed: JWKSet) -> KeySet:
        self._generation += 1
        self.quarantine = self.quarantine.with_bytes_of(parsed.keys)
        return KeySet(parsed.keys, generation=self._generation, denied=self.quarantine.denied)

"""A service that verifies: the real `Verifier` over sets as old as the policy allows."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from keyvault_jwt import jwks
from keyvault_jwt.cache.freshness import Bounds, Lifetime, lifetime_of
from keyvault_jwt.cache.shelf import Shelf
from keyvault_jwt.cache.source import Loaded
from keyvault_jwt.cache.store_source import StoreSource
from keyvault_jwt.clock import Instant
from keyvault_jwt.errors import KeyvaultJWTError
from keyvault_jwt.keyset import KeySet
from keyvault_jwt.publisher import Publisher
from keyvault_jwt.verification_errors import KeysUnavailable
from keyvault_jwt.verifier import Verifier
from tests.simulation.kept_marks import KeptMarks
from tests.simulation.ring import Ring
from tests.simulation.seeded_keys import PUBLIC_KEY, SECRET_BYTES
from tests.simulation.shared_store import StoreView
from tests.simulation.site import Site
from tests.simulation.tokens import AUDIENCE

_UNBOUNDED: Final = 1 << 60
_BOUNDS: Final = Bounds(min_ttl=0, default_ttl=0, max_ttl=_UNBOUNDED, max_stale=_UNBOUNDED)


class Replica:
    """One publisher, reached over a shared cache that keeps answers as long as it may."""

    def __init__(self, ring: Ring, site: Site) -> None:
        self._ring, self._clock, self._dice = ring, site.clock(), site.dice
        self._view = StoreView(site.store, self._clock, site.dice)
        self._answered: Instant = 0
        self._marks = KeptMarks()
        self._publisher = self._started()

    def _started(self) -> Publisher:
        return Publisher(
            self._view,
            self._ring.name,
            clock=self._clock,
            marks=self._marks,
            listener=lambda event: None,
            background=False,
        )

    def restart(self, *, marks_lost: bool) -> None:
        """Begin anew, with or without what was remembered."""
        self._marks = KeptMarks() if marks_lost else self._marks
        self._publisher = self._started()

    def load(self, asked: Instant, tag: str | None, previous: Lifetime | None) -> Loaded:
        """Return what a request at an instant is answered; raises what the publisher does."""
        timing = self._ring.policy.timing(0)
        oldest = max(self._answered, asked - timing.jwks_max_age - timing.max_stale)
        answered = self._dice.choice((asked, asked, self._dice.randint(min(oldest, asked), asked)))
        self._answered = max(self._answered, answered)
        earliest = max(self._view.last, answered - timing.publisher_lease)
        read = self._dice.choice((answered, earliest, self._dice.randint(min(earliest, answered), answered)))
        with self._clock.back_at(read):
            self._publisher.refresh()
        with self._clock.back_at(answered):
            published = self._publisher.current()
        age = -((answered - asked) // 1000)
        headers = {"cache-control": published.cache_control, "age": str(age)}
        lifetime = lifetime_of(headers, _BOUNDS, previous)
        if tag == published.etag:
            return Loaded(None, lifetime, tag)
        return Loaded(jwks.parse(published.body), lifetime, published.etag)


class VerifyingService:
    """One process that verifies for one keyring; a `KeySource` by the real shelf of a JWKS cache.

    As with signers, the instants of its fetches are made up when they matter.  It never asks
    for a kid that it lacks, so that what it holds must do.
    """

    def __init__(self, name: str, ring: Ring, site: Site, *, hoards: float = 1.0) -> None:
        self.name, self._ring, self._site = name, ring, site
        self.clock, self._dice, self._hoards = site.clock(), site.dice, hoards
        self._asked: Instant = 0
        direct = ring.symmetric or site.dice.random() < 0.25
        self._view = StoreView(site.store, self.clock, site.dice)
        self._replica = None if direct else Replica(ring, site)
        self._forget()

    def _forget(self) -> None:
        ring = self._ring
        self._shelf = Shelf(self.name, _BOUNDS, jitter=lambda: 0.0)
        self._direct = StoreSource(self._view, ring.name, self.clock)
        self._verifier = Verifier(
            self,
            issuer=ring.issuer,
            audience=AUDIENCE,
            algorithms=tuple(SECRET_BYTES) if ring.symmetric else PUBLIC_KEY,
            leeway=timedelta(milliseconds=ring.terms.leeway),
            clock=self.clock,
        )

    def restart(self, *, marks_lost: bool) -> None:
        """Restart the publisher; where nothing needs to be remembered, the verifier with an empty cache."""
        restarts = "restarts and has forgotten everything" if marks_lost else "restarts"
        self._site.happened(f"fault: a service {restarts}")
        self._site.story.tell(self.name, restarts)
        if self._replica is not None:
            self._replica.restart(marks_lost=marks_lost)
        if marks_lost:
            self._forget()

    def verify(self, text: str) -> None:
        """Accept a token, or raise why not."""
        if self.current() is None or self._dice.random() < 0.4:
            self._fetch(self._some_time_ago())
        if self.current() is None:
            self._fetch(self._site.now)
        self._verifier.verify(text)

    def current(self) -> KeySet | None:
        """Return the set, if it may still be used: as `JWKSCache` does."""
        held = self._shelf.held
        if held is None:
            return None
        overtime = round((self._hoards - 1) * (held.lifetime.end if held.lifetime else 0))
        return None if held.end.later(overtime).has_come(self.clock.moment) else held.keys

    def find(self, kid: str | None, known: KeySet | None) -> KeySet:
        """Return what is held, and ask nobody."""
        held = self.current()
        if held is None:
            raise KeysUnavailable("there is no usable set")
        return held

    async def afind(self, kid: str | None, known: KeySet | None) -> KeySet:
        """As `find`."""
        return self.find(kid, known)

    def _some_time_ago(self) -> Instant:
        timing, now = self._ring.policy.timing(0), self._site.now
        oldest = now - timing.jwks_max_age - timing.max_stale + 1
        earliest = max(self._asked, oldest)
        return self._dice.choice((now, earliest, earliest, self._dice.randint(min(earliest, now), now)))

    def _fetch(self, when: Instant) -> None:
        """Fetch the set as if it had been done at `when`."""
        self._asked = when
        held = self._shelf.held
        tag, lifetime = (None, None) if held is None else (held.tag, held.lifetime)
        with self.clock.back_at(when):
            asked = self.clock.moment
            try:
                if self._replica is None:
                    loaded = self._direct.load(tag, lifetime)
                else:
                    loaded = self._replica.load(when, tag, lifetime)
                self._shelf.take_in(loaded, asked)
            except KeyvaultJWTError as error:
                self._shelf.note_failure(error, asked)

"""The store that everybody shares: compare-and-swap, reads as old as S, outages, and memory of late."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from keyvault_jwt.clock import Instant, Milliseconds
from keyvault_jwt.errors import Conflict, StoreUnavailable
from keyvault_jwt.store import DocumentName, Draft, Version, Versioned
from tests.simulation.agenda import Agenda
from tests.simulation.process_clock import ProcessClock

_KEPT = 48
"""How many of a document's last states are remembered, for reads that are made up afterwards."""

Landed = Callable[[DocumentName, Draft], None]


@dataclass(frozen=True, slots=True)
class State:
    """A document (None: deleted) and since when it is there."""

    since: Instant
    there: Versioned | None


class SharedStore:
    """Documents by name; `landed` is told of every write that takes effect."""

    def __init__(self, agenda: Agenda, staleness: Milliseconds, landed: Landed) -> None:
        self.staleness = staleness
        self.outages: list[tuple[Instant, Instant]] = []
        self.ignores_versions = False
        self._agenda, self._landed = agenda, landed
        self._states: dict[DocumentName, list[State]] = {}
        self._writes = 0

    def read(self, name: DocumentName) -> Versioned | None:
        """Return what is there."""
        states = self._states.get(name)
        return states[-1].there if states else None

    def as_of(self, name: DocumentName, when: Instant) -> Versioned | None:
        """Return what was there at an instant not long ago."""
        states = self._states.get(name, ())
        return next((state.there for state in reversed(states) if state.since <= when), None)

    def replace(self, name: DocumentName, draft: Draft, expected: Version | None) -> Version:
        """Write, unless another version is there (`Conflict`)."""
        there = self.read(name)
        if (None if there is None else there.version) != expected and not self.ignores_versions:
            raise Conflict("another version is there")
        version = self.put(name, draft)
        self._landed(name, draft)
        return version

    def put(self, name: DocumentName, draft: Draft | None) -> Version:
        """Put a document in place whatever was there, as a restore does."""
        self._writes += 1
        version = Version(str(self._writes))
        states = self._states.setdefault(name, [])
        states.append(State(self._agenda.now, None if draft is None else Versioned(draft, version)))
        del states[:-_KEPT]
        return version

    def names(self, ring: str) -> Iterable[DocumentName]:
        """Return the names of a keyring's documents, in order."""
        return sorted(name for name in self._states if name.ring == ring)

    def out_at(self, when: Instant) -> bool:
        """Whether nothing reaches the store at an instant."""
        return any(begin <= when < end for begin, end in self.outages)


class StoreView:
    """The store as one reader sees it, at its own time: a `DocumentStore` for reading alone."""

    def __init__(self, store: SharedStore, clock: ProcessClock, dice: random.Random) -> None:
        self._store, self._clock, self._dice = store, clock, dice
        self.last: Instant = 0

    @property
    def staleness(self) -> Milliseconds:
        """The store's S."""
        return self._store.staleness

    def read(self, name: DocumentName) -> Versioned | None:
        """Return what was there at most S before this reader asked."""
        asked = self._clock.true
        if self._store.out_at(asked):
            raise StoreUnavailable("no route to the store")
        self.last = asked
        late = self._dice.choice((0, self.staleness, self._dice.randint(0, self.staleness)))
        return self._store.as_of(name, asked - late)

    def replace(self, name: DocumentName, draft: Draft, *, expected: Version | None) -> Version:
        """Refuse: readers don't write."""
        raise NotImplementedError

    def names(self) -> Iterable[DocumentName]:
        """Refuse: readers don't list."""
        raise NotImplementedError

"""Who waits for the source, for what, and who is turned away instead."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from typing import Final

from ..clock import Clock, Milliseconds
from ..keyset import KeySet
from .freshness import Moment
from .refresh import Flight, Refresher
from .shelf import NEVER, Shelf
from .unknown_kids import UnknownKids

WAITING_THREADS: Final = 32
MAX_TASKS: Final = 1_024
"""How many callers with an unknown kid may wait at a time, since they may all be an attacker's.

Threads are what a server has few of: those that wait are missed by good requests.  Whoever is
turned away is refused, though the key may be on its way: so not too few of them.
"""
BURST: Final = 5
CAPACITY: Final = 1024


class WaitingRoom:
    """Decides what a caller waits for who has no usable set, or lacks a kid.  Thread-safe."""

    def __init__(self, shelf: Shelf, refresher: Refresher, clock: Clock, cooldown: Milliseconds) -> None:
        self._shelf, self._refresher, self._clock = shelf, refresher, clock
        self._lock = threading.Lock()
        self._waiting = 0
        # An absent kid may be published at any moment, and have been asked for by an attacker before.
        self._unknown = UnknownKids(
            burst=BURST, refill=cooldown, forget=cooldown, capacity=CAPACITY, now=clock.monotonic()
        )

    def renew_lock(self) -> None:
        """Forget the parent process's threads, which may hold the lock or wait."""
        self._lock, self._waiting = threading.Lock(), 0

    def flights(
        self, kid: str | None, known: KeySet | None, current: Callable[[], KeySet | None], *, room: int
    ) -> Generator[Flight]:
        """Yield what the caller should wait for, one after the other; nothing if it can't help.

        `current` returns the usable set; `known` is the one that the caller found no key in;
        with an unknown kid, nobody is let in where `room` callers wait already.
        """
        landed = self._refresher.landed
        usable = current()
        if usable is None:
            if not self._cooling_down():
                yield self._refresher.join(landed)
            if current() is None and not self._cooling_down():
                # A good answer, but so long on its way that it may serve no longer.
                yield self._refresher.depart()
        elif usable is known and self._enter(kid, room):
            try:
                yield from self._for_kid(kid)
            finally:
                with self._lock:
                    self._waiting -= 1

    def _for_kid(self, kid: str | None) -> Generator[Flight]:
        # One that somebody asked for and that has not left yet is as good as one's own.
        flight = self._refresher.requested
        if flight is None:
            under_way = self._refresher.under_way
            if under_way is not None:
                yield under_way
                if self._has(kid):
                    return
            with self._lock:
                # Asked again here: what was under way may have failed, and that counts for whoever waited.
                if self._cooling_down() or not self._unknown.spend(self._clock.monotonic()):
                    return
            flight = self._refresher.depart()
        yield flight
        if flight.done() and flight.result() is None and not self._has(kid):
            with self._lock:
                self._unknown.remember(kid, self._clock.monotonic())

    def _cooling_down(self) -> bool:
        return self._shelf.cooling_down(Moment.now(self._clock))

    def _enter(self, kid: str | None, room: int) -> bool:
        with self._lock:
            if (
                self._shelf.due is NEVER
                or self._cooling_down()
                or self._waiting >= room
                or self._unknown.known_absent(kid, self._clock.monotonic())
            ):
                return False
            self._waiting += 1
            return True

    def _has(self, kid: str | None) -> bool:
        held = self._shelf.held
        return held is not None and held.keys.has(kid)

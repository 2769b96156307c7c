"""Fleet: a publisher for every keyring of a store, refreshed in the background.

Requests look at what it holds and never cause a read, so that nobody outside can make the
store work: not by asking often, and not by asking for keyrings that there are not.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Final

from ..clock import Clock, Milliseconds, SystemClock
from ..due_heap import DueHeap
from ..errors import KeyvaultJWTError
from ..events import Event, Listener, log
from ..listing_pace import pause_after
from ..marks import MarkStore, MemoryMarks
from ..publisher import Publisher, PublisherStatus
from ..store import DocumentKind, DocumentStore, check_ring_name
from ..workers import Crew

MOST_RINGS: Final = 10_000
"""How many keyrings one server publishes; further ones are left out, with an alarm."""
_LONGEST_REST: Final = 1.0


class Fleet:
    """Publishers by keyring; thread-safe.

    `rings` are names, or None for all that the store lists.  `marks` must be of `public`
    documents alone.  `after` is called in a worker's thread after each refresh, `gone` with the
    name of each keyring that is published no longer.
    """

    def __init__(
        self,
        store: DocumentStore,
        rings: Iterable[str] | None = None,
        *,
        clock: Clock | None = None,
        marks: MarkStore | None = None,
        listener: Listener = log,
        jitter: Callable[[], float] = random.random,
        workers: int = 4,
        after: Callable[[Publisher], None] | None = None,
        gone: Callable[[str], None] | None = None,
    ) -> None:
        self._store = store
        self._named = None if rings is None else frozenset(check_ring_name(ring) for ring in rings)
        self._clock = SystemClock() if clock is None else clock
        self._marks = MemoryMarks() if marks is None else marks
        self._listener, self._jitter, self._after, self._gone = listener, jitter, after, gone
        self._guard = threading.Lock()
        self._publishers: dict[str, Publisher] = {}
        self._due = DueHeap()
        self._list_at: Milliseconds = self._clock.monotonic()
        self._listing = self._list_failed = self._crowded = False
        self._first_round = threading.Event()
        self._unread: set[str] = set()
        self._listed = False
        self._crew = Crew(workers, "keyvault-jwt-publisher", self._work, self._rest)

    @property
    def listed(self) -> bool:
        """Whether the names of the keyrings are known, so that another name is known to be wrong."""
        return self._listed

    def publisher(self, ring: str) -> Publisher | None:
        """Return the keyring's publisher; None if it is not among those published."""
        return self._publishers.get(ring)

    def __len__(self) -> int:
        return len(self._publishers)

    def serves(self) -> bool:
        """Return whether at least one keyring's lease holds."""
        return any(publisher.peek() is not None for publisher in self._publishers.values())

    def statuses(self) -> list[PublisherStatus]:
        """Return how each publisher fares, by name."""
        with self._guard:
            publishers = sorted(self._publishers.items())
        return [publisher.status() for _, publisher in publishers]

    def start(self, patience: timedelta = timedelta(seconds=5)) -> None:
        """Begin, and wait until every keyring was read or failed, for at most `patience`."""
        self._crew.start()
        self._first_round.wait(patience.total_seconds())

    def close(self, patience: timedelta = timedelta(seconds=5)) -> bool:
        """End, and return whether all reads under way ended within `patience`."""
        return self._crew.close(patience.total_seconds())

    def run_pending(self) -> None:
        """Do in this thread all that is due now."""
        while self._work():
            pass

    # --- working ---------------------------------------------------------------------------

    def _work(self) -> bool:
        """Do one thing that is due; return whether there was one."""
        with self._guard:
            now = self._clock.monotonic()
            listing = not self._listing and now >= self._list_at
            publisher = None if listing else self._next(now)
            self._listing = self._listing or listing
        if listing:
            self._list()
        elif publisher is None:
            return False
        else:
            self._refresh(publisher)
        return True

    def _next(self, now: Milliseconds) -> Publisher | None:
        name = self._due.take_one(now)
        return None if name is None else self._publishers[name]

    def _rest(self) -> float:
        with self._guard:
            now, earliest = self._clock.monotonic(), self._due.earliest()
            due = self._list_at if earliest is None else min(self._list_at, earliest)
        return min(max(0, due - now) / 1000, _LONGEST_REST)

    def _refresh(self, publisher: Publisher) -> None:
        try:
            publisher.refresh()
            if self._after is not None:
                self._after(publisher)
        finally:
            with self._guard:
                if publisher.ring in self._publishers:
                    self._due.put(publisher.ring, self._clock.monotonic() + publisher.next_poll())
                self._unread.discard(publisher.ring)
                if not self._unread:
                    self._first_round.set()

    def _list(self) -> None:
        began, names, failure = self._clock.monotonic(), self._named, ""
        try:
            if names is None:
                listed = self._store.names()
                names = frozenset(name.ring for name in listed if name.kind is DocumentKind.PUBLIC)
        except KeyvaultJWTError as error:
            failure = error.code
        except Exception as error:  # noqa: BLE001  a store of anyone's must not end the server
            failure = type(error).__name__
        with self._guard:
            news, self._list_failed = bool(failure) and not self._list_failed, bool(failure)
            gone = [] if names is None else self._sail(names)
            if not self._unread:
                self._first_round.set()
            now = self._clock.monotonic()
            self._list_at, self._listing = now + pause_after(now - began), False
        self._tell(names, failure, news=news)
        if self._gone is not None:
            for ring in gone:
                self._gone(ring)
        self._crew.kick()

    def _tell(self, names: frozenset[str] | None, failure: str, *, news: bool) -> None:
        if failure:
            self._listener(Event("server.list-failed", facts={"code": failure}, alarm=news))
        crowded = names is not None and len(names) > MOST_RINGS
        if crowded and not self._crowded:
            self._listener(Event("server.too-many-keyrings", facts={"published": MOST_RINGS}, alarm=True))
        self._crowded = crowded

    def _sail(self, names: frozenset[str]) -> list[str]:
        """Publish exactly the keyrings named, and return those that are published no longer.

        One whose lease still holds stays: a listing without it may be a store's mistake, and
        what its verifiers hold would end with it.
        """
        wanted = sorted(names)[:MOST_RINGS]
        gone = [r for r, p in self._publishers.items() if r not in names and p.peek() is None]
        new = [ring for ring in wanted if ring not in self._publishers]
        added = {ring: self._publisher(ring) for ring in new}
        # Replaced whole, since requests read it without the lock.
        self._publishers = {r: p for r, p in self._publishers.items() if r not in gone} | added
        for ring in gone:
            self._due.remove(ring)
            self._unread.discard(ring)
        for ring in new:
            self._due.put(ring, self._clock.monotonic())
        if not self._first_round.is_set():
            self._unread.update(new)
        self._listed = True
        return gone

    def _publisher(self, ring: str) -> Publisher:
        return Publisher(
            self._store,
            ring,
            clock=self._clock,
            marks=self._marks,
            listener=self._listener,
            background=False,
            jitter=self._jitter,
        )

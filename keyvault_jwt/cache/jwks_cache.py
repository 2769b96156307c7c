"""JWKSCache: the key set that a verifier uses now, kept fresh behind its back."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from contextlib import closing, suppress
from copy import copy
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from .. import events, jwks
from ..clock import Clock, Milliseconds, SystemClock
from ..duration import milliseconds
from ..errors import FetchError, KeyvaultJWTError, UsageError
from ..events import Listener
from ..forks import survive_forks
from ..keyset import KeySet
from ..store import DocumentStore
from ..verification_errors import KeysUnavailable
from ..web_address import web_address
from .announcements import Announcer
from .freshness import Bounds, Moment
from .health import Health
from .refresh import Flight, Refresher
from .shelf import NEVER, Held, Shelf
from .source import DocumentSource, Source, WebSource
from .waiting_room import MAX_TASKS, WAITING_THREADS, WaitingRoom
from .warm_start import WarmStart

_SYSTEM_CLOCK: Final = SystemClock()
_UNBOUNDED: Final = timedelta.max


class JWKSCache:
    """A `KeySource` over a JWKS endpoint, a store, a given document or any `Source`.

    A set is used for C + G from the moment it was asked for (I4): C is the response's max-age
    within `max_ttl`, G its stale-if-error within `max_stale`.  A background thread, started at
    the first use, asks again before C is over; whoever needs a known key never waits for it.
    Nothing is fetched before that first use: call `refresh` to be ready when a service starts.
    A kid that the set lacks may cause one request in each `cooldown` (five in a burst), whoever
    makes it up; who needs that, or has no usable set, waits for `timeout` and a second at most.
    Of those with an unknown kid `waiting_threads` may wait at a time, and the others are refused at
    once: made-up kids must not fill a server, so let it be less than the threads that the server has.

    `state` is a directory for what must survive a restart: the last public set, the newest
    revision seen and the keys denied.  `headers`, `tls` and the bounds are for a URL; of another
    source's set they bound only what comes from `state`.  Thread-safe and fork-safe; a context manager.

    Raises `BadURL` for anything but HTTPS or loopback, unless `allow_plain_http`; `StoreError`
    and `CorruptDocument` when `state` can't be read, since a denied key may be noted there.
    """

    def __init__(
        self,
        source: str | Source,
        *,
        clock: Clock = _SYSTEM_CLOCK,
        listener: Listener = events.log,
        state: Path | None = None,
        timeout: timedelta = timedelta(seconds=5),
        cooldown: timedelta = timedelta(seconds=10),
        min_ttl: timedelta = timedelta(seconds=10),
        default_ttl: timedelta = timedelta(minutes=5),
        max_ttl: timedelta = timedelta(hours=1),
        max_stale: timedelta = timedelta(hours=1),
        max_bytes: int = jwks.MAX_BYTES,
        max_keys: int = jwks.MAX_KEYS,
        waiting_threads: int = WAITING_THREADS,
        headers: Mapping[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
        allow_plain_http: bool = False,
    ) -> None:
        if min(timeout, cooldown) <= timedelta():
            raise UsageError("`timeout` and `cooldown` must be above zero")
        if waiting_threads < 1:
            raise UsageError("`waiting_threads` must be 1 or more", why="else no new key is ever waited for")
        bounds = Bounds.of(min_ttl=min_ttl, default_ttl=default_ttl, max_ttl=max_ttl, max_stale=max_stale)
        if isinstance(source, str):
            source = WebSource(
                web_address(source, allow_plain_http=allow_plain_http),
                bounds=bounds,
                timeout=milliseconds(timeout),
                max_bytes=max_bytes,
                max_keys=max_keys,
                headers=headers,
                tls=tls,
            )
        self._source, self._clock = source, clock
        # A little more than a request may take, so that its outcome is known to whoever waited for it.
        self._patience: Milliseconds = milliseconds(timeout) + 1_000
        self._announcer = Announcer(source.name, listener)
        self._shelf = Shelf(source.name, bounds)
        self._refresher = Refresher(self._load, self._seconds_until_due)
        self._waiting_room = WaitingRoom(self._shelf, self._refresher, clock, milliseconds(cooldown))
        self._waiting_threads = waiting_threads
        self._warm = None
        if state is not None:
            self._warm = WarmStart(state, identity=source.identity, name=source.name)
            self._shelf.restore(*self._warm.load(), Moment.now(clock))
        survive_forks(self)

    @classmethod
    def from_document(
        cls, document: bytes | str | Mapping[str, object], *, allow_symmetric: bool = False
    ) -> Self:
        """Return a cache that holds this JWK Set and never grows old.

        `oct` keys are taken only with `allow_symmetric`.  Raises `CorruptDocument` or
        `DocumentTooLarge`.
        """
        cache = cls(DocumentSource(document, allow_symmetric=allow_symmetric))
        cache._load()
        return cache

    @classmethod
    def from_store(
        cls,
        store: DocumentStore,
        ring: str,
        *,
        clock: Clock = _SYSTEM_CLOCK,
        listener: Listener = events.log,
        state: Path | None = None,
        timeout: timedelta = timedelta(seconds=5),
        cooldown: timedelta = timedelta(seconds=10),
        waiting_threads: int = WAITING_THREADS,
    ) -> Self:
        """Return a cache of a keyring's `public` document, or `verification` if it is symmetric.

        C and G are those of the keyring's policy.  Raises `BadRingName`.
        """
        # Documents bring pydantic along, which costs more than all that a verifier imports.
        from .store_source import StoreSource  # noqa: PLC0415

        source = StoreSource(store, ring, clock)
        return cls(
            source,
            clock=clock,
            listener=listener,
            state=state,
            timeout=timeout,
            cooldown=cooldown,
            waiting_threads=waiting_threads,
            max_ttl=_UNBOUNDED,
            max_stale=_UNBOUNDED,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"JWKSCache({self._source.name!r})"

    def close(self) -> None:
        """Stop refreshing, for good; nothing is verified by this cache any more."""
        self._shelf.close()
        self._refresher.close()

    def current(self) -> KeySet | None:
        """Return the set to verify by now, without waiting; None when there is none to be used."""
        wall, monotonic = self._clock.wall(), self._clock.monotonic()
        due, held = self._shelf.due, self._shelf.held
        if wall >= due.wall or monotonic >= due.monotonic:
            self._refresher.prompt()
        if held is None or wall >= held.end.wall or monotonic >= held.end.monotonic:
            return None
        return held.keys

    def find(self, kid: str | None, known: KeySet | None) -> KeySet:
        """Return the best set to be had, after `known` lacked the kid; may wait for the source.

        Raises `KeysUnavailable` when there is none.
        """
        until, room = self._clock.monotonic() + self._patience, self._waiting_threads
        with (
            closing(self._waiting_room.flights(kid, known, self.current, room=room)) as flights,
            suppress(TimeoutError),
        ):
            for flight in flights:
                flight.result(self._seconds_until(until))
        return self._current_or_refuse()

    async def afind(self, kid: str | None, known: KeySet | None) -> KeySet:
        """As `find`, without blocking the event loop."""
        until, room = self._clock.monotonic() + self._patience, MAX_TASKS
        with (
            closing(self._waiting_room.flights(kid, known, self.current, room=room)) as flights,
            suppress(TimeoutError),
        ):
            for flight in flights:
                await asyncio.wait_for(asyncio.wrap_future(flight), self._seconds_until(until))
        return self._current_or_refuse()

    def refresh(self) -> None:
        """Ask the source now and wait for what it says; raises what went wrong.

        Raises `UsageError` in a listener that is told of a refresh.
        """
        if not self._never_changes:
            _raise(self._flight().result())

    async def arefresh(self) -> None:
        """As `refresh`, without blocking the event loop."""
        if not self._never_changes:
            _raise(await asyncio.wrap_future(self._flight()))

    def deny(self, name: str) -> None:
        """Accept no more tokens by the key of this kid or thumbprint, from now on and for good.

        A kid's key is denied by its thumbprint too, unless it is a secret, so that it does not
        come back under another kid.
        Raises `StoreError` when that can't be kept in `state`; it holds in this process even so.
        """
        self._shelf.deny(name)
        self._announcer.denied(name)
        if self._warm is not None:
            self._warm.save(self._shelf.quarantine, None)

    def health(self) -> Health:
        """Return how the cache is doing."""
        return self._shelf.health(Moment.now(self._clock))

    @property
    def _never_changes(self) -> bool:
        return self._shelf.held is not None and self._shelf.due is NEVER

    def _flight(self) -> Flight:
        if self._refresher.is_this_thread:
            raise UsageError(
                "a listener can't refresh the cache that tells it", why="it would wait for itself"
            )
        return self._refresher.depart()

    def _current_or_refuse(self) -> KeySet:
        current = self.current()
        if current is not None:
            return current
        error = self._shelf.error
        late = "none came in time, and the last one may serve no longer"
        raise KeysUnavailable(
            f"there is no usable key set from {self._source.name}",
            why=late if error is None else ", ".join(filter(None, (error.what, error.why))),
            fix="see the cache's health(); max-age and `max_stale` say how long a set may serve",
        )

    def _seconds_until(self, monotonic: Milliseconds) -> float:
        return max(0, monotonic - self._clock.monotonic()) / 1000

    def _seconds_until_due(self) -> float:
        now, due = Moment.now(self._clock), self._shelf.due
        return min(due.wall - now.wall, due.monotonic - now.monotonic) / 1000

    def _load(self) -> KeyvaultJWTError | None:
        """Load once, and return what went wrong; called by the refresher's thread."""
        asked, held = Moment.now(self._clock), self._shelf.held
        tag, lifetime = (None, None) if held is None else (held.tag, held.lifetime)
        before: Held | None = None
        failure: KeyvaultJWTError | None = None
        try:
            before = self._shelf.take_in(self._source.load(tag, lifetime), asked)
        except KeyvaultJWTError as error:
            failure = error
        except Exception as error:  # noqa: BLE001  (somebody else's source may raise anything)
            why = f"the source raised {type(error).__name__}"
            failure = FetchError(f"can't load from {self._source.name}", why=why)
        if failure is not None:
            # Out here, since a listener that fails is logged with the exception it failed under.
            return self._failed(failure)
        after = self._shelf.held
        if after is not None:
            self._announcer.refreshed(before, after)
            self._keep_state()
        return None

    def _failed(self, error: KeyvaultJWTError) -> KeyvaultJWTError:
        now = Moment.now(self._clock)
        self._shelf.note_failure(error, now)
        self._announcer.failed(error, self._shelf.state(now), self._shelf.failures)
        return error

    def _keep_state(self) -> None:
        held = self._shelf.held
        if self._warm is None or held is None:
            return
        try:
            self._shelf.adopt(self._warm.save(self._shelf.quarantine, held.saved()))
        except KeyvaultJWTError as error:
            self._announcer.state_failed(error)

    def _after_fork(self) -> None:
        self._shelf.renew_lock()
        self._waiting_room.renew_lock()


def _raise(error: KeyvaultJWTError | None) -> None:
    if error is not None:
        # A copy, since every waiter raises it and a traceback belongs to one of them.
        raise copy(error) from None

"""One flight to the source at a time, for any number of threads and event loops that wait for it."""

from __future__ import annotations

import queue
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Final, TypeAlias

from ..errors import FetchError, KeyvaultJWTError
from ..forks import survive_forks

Flight: TypeAlias = "Future[KeyvaultJWTError | None]"
"""One request to the source, under way or about to start; its result is what went wrong, if anything."""

_LONGEST_SLEEP: Final = 30.0
"""Seconds after which the clocks are looked at again, whatever was due: they may have jumped."""


class Refresher:
    """A thread that loads when somebody asks and when it is due, started when first needed.

    It holds no reference to this object while it sleeps, so an abandoned cache ends its thread;
    a forked child starts a thread of its own.
    """

    def __init__(
        self, load: Callable[[], KeyvaultJWTError | None], seconds_until_due: Callable[[], float]
    ) -> None:
        self._load, self._seconds_until_due = load, seconds_until_due
        self._closed = False
        self._after_fork()
        survive_forks(self)

    def _after_fork(self) -> None:
        # In a forked child: locks may be held, and flights flown, by threads that are not here.
        self._lock = threading.Lock()
        # Not an Event: this one may be told from a finalizer, in whatever thread that runs.
        self._wake: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._under_way: Flight | None = None
        self._next: Flight | None = None
        self._landed: Flight | None = None
        weakref.finalize(self, self._wake.put, None).atexit = False

    @property
    def under_way(self) -> Flight | None:
        """The flight that has left and not come back."""
        return self._under_way

    @property
    def requested(self) -> Flight | None:
        """The flight that somebody waits for and that has not left yet."""
        return self._next

    @property
    def landed(self) -> Flight | None:
        """The flight that came back last."""
        return self._landed

    @property
    def is_this_thread(self) -> bool:
        """Whether the caller is the thread that flies: it would wait for itself."""
        return self._thread is threading.current_thread()

    def join(self, landed: Flight | None) -> Flight:
        """Return the flight under way, or else the next.

        When another one than `landed`, which the caller knows of, has come back meanwhile, that
        one is returned: its news may be what the caller wants.
        """
        with self._lock:
            if self._under_way is None and self._landed is not None and self._landed is not landed:
                return self._landed
            return self._under_way or self._request()

    def depart(self) -> Flight:
        """Return a flight that leaves after this call, so that it sees what is so now."""
        with self._lock:
            return self._request()

    def prompt(self) -> None:
        """See to it that a flight is under way, without waiting for it."""
        if self._under_way is None and self._next is None:
            with self._lock:
                if self._under_way is None:
                    self._request()

    def close(self) -> None:
        """End the thread after the flight under way; flights that have not left come to nothing."""
        with self._lock:
            self._closed = True
            stranded, self._next = self._next, None
            self._wake.put(None)
        if stranded is not None:
            stranded.set_result(_CLOSED)

    def _request(self) -> Flight:
        if self._next is None:
            self._next = _flight()
        flight = self._next
        if self._closed or not self._is_awake():
            self._next = None
            flight.set_result(_CLOSED)
        return flight

    def _is_awake(self) -> bool:
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(
                target=_keep_going,
                args=(weakref.ref(self), self._wake),
                name="keyvault-jwt-jwks",
                daemon=True,
            )
            try:
                self._thread.start()
            except RuntimeError:
                self._thread = None
                return False
        self._wake.put(None)
        return True

    def _step(self) -> float | None:
        """Fly what is asked for or due; return the seconds to sleep, None to stop."""
        with self._lock:
            if self._closed:
                return None
            pause = self._seconds_until_due()
            if self._next is None and pause > 0:
                return min(pause, _LONGEST_SLEEP)
            # In this order, so that whoever looks without the lock sees it in one place or the other.
            self._under_way = flight = self._next or _flight()
            self._next = None
        outcome: KeyvaultJWTError | None = FetchError("the refresh broke off")
        try:
            outcome = self._load()
        finally:
            with self._lock:
                self._under_way, self._landed = None, flight
            flight.set_result(outcome)
        return 0.0


def _flight() -> Flight:
    """Return a flight that can't be cancelled: one waiter who gives up would end it for all."""
    flight: Flight = Future()
    flight.set_running_or_notify_cancel()
    return flight


_CLOSED: Final = FetchError(
    "no more keys are fetched", why="the cache is closed, or no thread can be started"
)


def _keep_going(itself: weakref.ref[Refresher], wake: queue.SimpleQueue[None]) -> None:
    while True:
        refresher = itself()
        pause = None if refresher is None else refresher._step()  # noqa: SLF001  (its own module)
        del refresher
        if pause is None:
            return
        with suppress(queue.Empty):
            wake.get(timeout=pause)

"""Follower: the last good state of one document, kept fresh and used under a lease.

Signer and publisher are built on it: both read one derived document again and again, go on
with the last good one while reads fail, and stop when their lease has run out (I3).
"""

from __future__ import annotations

import hashlib
import logging
import os
import random
import threading
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from copy import copy
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Generic, TypeVar

from .clock import Clock, Instant, Milliseconds, Stopwatch, SystemClock
from .duration import format_duration, milliseconds
from .errors import KeyringNotFound, KeyvaultJWTError, LeaseError, RolledBack, StoreError, UsageError
from .events import Event, Listener, log
from .history import Head
from .lease import Lease
from .marks import MarkStore, MemoryMarks
from .per_process import PerProcess
from .polling import Poller
from .store import DocumentName, DocumentStore, staleness_of
from .watermark import Watermark

_T = TypeVar("_T")
_LOGGER = logging.getLogger("keyvault_jwt")

FIRST_POLL: Final[Milliseconds] = 1_000
"""How often to try while no read has succeeded yet and so no poll interval is known."""
SPACING: Final[Milliseconds] = 1_000
"""How long after a failed read callers without a lease are refused without another one."""
PATIENCE: Final = timedelta(seconds=5)
"""How long a caller without a lease waits for the store at most."""


@dataclass(frozen=True, slots=True)
class Reading(Generic[_T]):
    """A document taken in: what it means to its reader, and the terms under which it may be used.

    `kids` are the keys it holds good and `revoked` those it shows as revoked; `facts` go into
    the event that tells of a change, which is an alarm if `alarm` is set.
    """

    value: _T = field(repr=False)
    head: Head = field(repr=False)
    lease: Milliseconds
    poll: Milliseconds
    kids: AbstractSet[str]
    revoked: AbstractSet[str] = frozenset()
    facts: Mapping[str, str | int] = field(default_factory=dict)
    alarm: bool = False


@dataclass(frozen=True, slots=True)
class Held(Generic[_T]):
    """The last good reading, its lease, and the SHA-256 of the bytes that it was read from."""

    reading: Reading[_T]
    lease: Lease
    digest: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Role:
    """Who follows: the word its events begin with, and the error that tells of its lease's end."""

    name: str
    expired: type[LeaseError]


class Follower(Generic[_T]):
    """Follows one document; thread-safe, and safe to fork.

    `take` turns bytes into a reading or raises.  With `background` a thread polls from the
    first use on; without it the owner calls `refresh`.  `jitter` returns a number from 0 to 1.
    """

    def __init__(
        self,
        store: DocumentStore,
        name: DocumentName,
        role: Role,
        take: Callable[[bytes], Reading[_T]],
        *,
        clock: Clock | None = None,
        marks: MarkStore | None = None,
        listener: Listener = log,
        background: bool = True,
        patience: timedelta = PATIENCE,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._store, self._name, self._role, self._take = store, name, role, take
        self._clock = SystemClock() if clock is None else clock
        self._listener, self._jitter = listener, jitter
        self._patience: Milliseconds = milliseconds(patience)
        self._watermark = Watermark(
            name.ring,
            MemoryMarks() if marks is None else marks,
            staleness=staleness_of(store),
            clock=self._clock,
        )
        self._staleness = staleness_of(store)
        self._held: Held[_T] | None = None
        self._failure: KeyvaultJWTError | None = None
        self._tried: Stopwatch | None = None
        self._told_expired = self._closed = False
        self._reading = PerProcess(threading.Lock)
        self._reader: tuple[int, int] | None = None
        self._poller = Poller(f"keyvault-jwt-{role.name}-{name.ring}", self._poll) if background else None

    # --- looking ---------------------------------------------------------------------------

    @property
    def held(self) -> Held[_T] | None:
        """The last good reading, whether or not its lease still holds."""
        return self._held

    @property
    def failure(self) -> KeyvaultJWTError | None:
        """Why the last read failed; None if it succeeded or there was none."""
        return self._failure

    def peek(self) -> tuple[_T, Instant] | None:
        """Return what is held and the instant that passed the lease check; None past the lease.

        Never reads and never waits.
        """
        held = self._held
        if held is None or (now := held.lease.confirm()) is None:
            return None
        return held.reading.value, now

    def current(self) -> tuple[_T, Instant]:
        """Return what is held and the instant that passed the lease check, reading if it must.

        Raises the role's `LeaseError` when no read confirmed it in time, or, as long as there
        never was one, what made the reads fail.
        """
        if self._closed:
            raise UsageError(f"this {self._role.name} is closed")
        if self._poller is not None:
            self._poller.start()
        # As `peek`, without calling it: each token that is signed comes by here.
        held = self._held
        if held is None or (now := held.lease.confirm()) is None:
            return self._read_now()
        return held.reading.value, now

    # --- reading ---------------------------------------------------------------------------

    def refresh(self) -> None:
        """Read once, now; what goes wrong is kept in `failure` and told to the listener.

        Raises `UsageError` in a listener that is told of a read.
        """
        # With the process, since another thread's turn at a fork is nobody's in the child.
        me = os.getpid(), threading.get_ident()
        if self._reader == me:
            raise UsageError(
                f"a listener can't refresh the {self._role.name} that tells it",
                why="it would wait for itself",
            )
        with self._reading.get():
            self._reader = me
            try:
                self._read_and_tell()
            finally:
                self._reader = None

    def next_poll(self) -> Milliseconds:
        """Return how long to wait before the next read, spread so that readers don't march in step."""
        held = self._held
        poll = FIRST_POLL if held is None else held.reading.poll
        if self._watermark.doubtful and self._staleness:
            poll = min(poll, self._staleness)
        # Only ever sooner: the policy promises that two polls fit into a lease.
        return max(1, round(poll * (1 - 0.2 * self._jitter())))

    def start(self) -> None:
        """Read once if nothing was read yet, and poll from now on; raises as `current`."""
        self.current()

    def close(self) -> bool:
        """Stop polling; return whether the thread ended, which is waited for as callers' patience lasts."""
        self._closed = True
        return self._poller is None or self._poller.close(self._patience / 1000)

    def _poll(self) -> float:
        try:
            self.refresh()
        except Exception:
            _LOGGER.exception("the listener of a %s failed", self._role.name)
        return self.next_poll() / 1000

    def _read_and_tell(self) -> None:
        before, failure = self._held, None
        age = Stopwatch(self._clock)
        try:
            self._held = self._read(age)
        except KeyvaultJWTError as error:
            # A copy has no traceback, whose frames would keep the document's bytes alive.
            failure = copy(error)
        except Exception as error:  # noqa: BLE001  a store of anyone's must not end the polling
            # Without its message, which may quote anything.
            failure = StoreError(f"the store failed with {type(error).__name__}")
        was, self._failure, self._tried = self._failure, failure, age
        self._tell(before, was)

    def _read_now(self) -> tuple[_T, Instant]:
        """Return what a read finds that was to be made before anything can be returned."""
        self._try_again()
        found = self.peek()
        if found is None:
            raise self._expired()
        return found

    def _try_again(self) -> None:
        """Make one attempt that all callers share; none when one has only just failed."""
        held = self._held
        spacing = SPACING if held is None else min(SPACING, held.reading.poll)
        if self._failure is not None and self._tried is not None and self._tried.elapsed() < spacing:
            return
        if self._poller is not None:
            self._poller.ask(self._patience / 1000)
        else:
            self.refresh()

    def _read(self, age: Stopwatch) -> Held[_T]:
        found = self._store.read(self._name)
        if found is None:
            raise KeyringNotFound(
                f"there is no {self._name.kind} document of keyring {self._name.ring!r}",
                fix="`create` makes a keyring, and `reconcile` writes what one lacks; see `list`",
            )
        digest, held = hashlib.sha256(found.draft.data).digest(), self._held
        same = held is not None and held.digest == digest
        reading = held.reading if held is not None and same else self._take(found.draft.data)
        mark = self._watermark.admit(reading.head, kids=reading.kids, revoked=reading.revoked)
        try:
            self._watermark.keep(mark)
        except (KeyvaultJWTError, OSError) as error:
            # To stop for it would let a full disk on this machine refuse good tokens.
            code = error.code if isinstance(error, KeyvaultJWTError) else type(error).__name__
            self._event("mark-unsaved", {"code": code}, alarm=True)
        return Held(reading, Lease(reading.lease, age), digest)

    # --- telling ---------------------------------------------------------------------------

    def _tell(self, before: Held[_T] | None, was: KeyvaultJWTError | None) -> None:
        held, failure = self._held, self._failure
        if failure is not None:
            fresh = was is None or was.code != failure.code
            grave = not isinstance(failure, StoreError)
            name = "rolled-back" if isinstance(failure, RolledBack) else "read-failed"
            self._event(name, {"code": failure.code}, alarm=fresh and grave)
        elif was is not None:
            self._event("read-again", {})
        if held is not None and (before is None or before.digest != held.digest):
            reading = held.reading
            facts = {"epoch": reading.head.epoch, "revision": reading.head.revision, **reading.facts}
            self._event("changed", facts, alarm=reading.alarm)
        if held is not None and held.lease.holds():
            self._told_expired = False
        elif held is not None and not self._told_expired:
            self._told_expired = True
            self._event("lease-expired", {"code": "" if failure is None else failure.code}, alarm=True)

    def _event(self, what: str, facts: Mapping[str, str | int], *, alarm: bool = False) -> None:
        self._listener(Event(f"{self._role.name}.{what}", self._name.ring, facts, alarm))

    def _expired(self) -> KeyvaultJWTError:
        held, failure = self._held, self._failure
        if held is None and failure is not None:
            return copy(failure)
        if held is None:
            return StoreError(
                f"the store did not answer within {format_duration(self._patience)}",
                fix="see whether it can be reached; reading goes on in the background",
            )
        reason = "no read has ended since" if failure is None else f"{failure.what} ({failure.code})"
        return self._role.expired(
            f"the {self._role.name} of keyring {self._name.ring} has not been confirmed for "
            f"{format_duration(held.lease.age.elapsed())}, its lease is {format_duration(held.lease.length)}",
            why=reason,
            fix="make the store reachable again; nothing else needs to be done",
        )

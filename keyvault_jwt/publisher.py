"""Publisher: a keyring's JWK Set, answered for as long as the lease D on it holds."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from types import TracebackType
from typing import Final, Self

from . import document
from .clock import Clock, Milliseconds
from .duration import milliseconds
from .errors import PublisherLeaseExpired
from .events import Listener, log
from .follower import PATIENCE, Follower, Reading, Role
from .marks import MarkStore
from .published_set import PublishedSet, published_set
from .store import DocumentKind, DocumentName, DocumentStore

ROLE: Final = Role("publisher", PublisherLeaseExpired)


@dataclass(frozen=True, slots=True)
class PublisherStatus:
    """How a publisher fares: its last good set, that set's age and lease, and what failed last.

    `age` and `lease` are in milliseconds; `serving` is whether the lease holds.
    """

    ring: str
    published: PublishedSet | None
    age: Milliseconds
    lease: Milliseconds
    serving: bool
    failure: str


class Publisher:
    """Publishes what the keyring's `public` document says; thread-safe, safe to fork.

    `marks` remember across restarts what was seen, and must be of this keyring's `public`
    document alone.  With `background` a thread reads the document at the policy's interval,
    from the first use on; without it, call `refresh` every `next_poll` milliseconds.
    """

    def __init__(
        self,
        store: DocumentStore,
        ring: str,
        *,
        clock: Clock | None = None,
        marks: MarkStore | None = None,
        listener: Listener = log,
        background: bool = True,
        patience: timedelta = PATIENCE,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.ring = ring
        self._follower = Follower(
            store,
            DocumentName(ring, DocumentKind.PUBLIC),
            ROLE,
            partial(_taken, ring),
            clock=clock,
            marks=marks,
            listener=listener,
            background=background,
            patience=patience,
            jitter=jitter,
        )

    def __repr__(self) -> str:
        return f"Publisher({self.ring!r})"

    def __enter__(self) -> Self:
        self._follower.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def current(self) -> PublishedSet:
        """Return the set to answer with, reading first if the lease has run out.

        Raises `PublisherLeaseExpired` when no read confirmed it in time, and before the first
        good read whatever made it fail.
        """
        return self._follower.current()[0]

    def peek(self) -> PublishedSet | None:
        """Return the set to answer with, None past the lease; never reads and never waits."""
        found = self._follower.peek()
        return None if found is None else found[0]

    def status(self) -> PublisherStatus:
        """Return how it fares; never reads and never waits."""
        held, failure = self._follower.held, self._follower.failure
        code = "" if failure is None else failure.code
        if held is None:
            return PublisherStatus(self.ring, None, 0, 0, serving=False, failure=code)
        lease = held.lease
        return PublisherStatus(
            self.ring, held.reading.value, lease.age.elapsed(), lease.length, lease.holds(), code
        )

    def start(self) -> None:
        """Read the set now and poll from now on; raises what the first `current` would."""
        self._follower.start()

    def refresh(self) -> None:
        """Read the document once, now; a failure is told to the listener and kept for `current`."""
        self._follower.refresh()

    def next_poll(self) -> Milliseconds:
        """Return after how many milliseconds to `refresh` again, at most the policy's interval."""
        return self._follower.next_poll()

    def close(self) -> None:
        """Stop polling."""
        self._follower.close()


def _taken(ring: str, data: bytes) -> Reading[PublishedSet]:
    public = document.decode_public(ring, data)
    return Reading(
        value=published_set(public),
        head=public,
        lease=public.policy.timing(0).publisher_lease,
        poll=milliseconds(public.policy.publisher_poll),
        kids=public.kids,
        revoked=frozenset(r.kid for r in public.records if r.compromised is not None),
        facts={"keys": len(public.keys)},
    )

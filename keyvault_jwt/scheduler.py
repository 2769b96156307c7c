"""RotationScheduler: reconciles every keyring when it is due, for as long as it runs."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable, Iterable
from datetime import timedelta
from types import TracebackType
from typing import Self

from .clock import Clock, Milliseconds, SystemClock
from .errors import Conflict, KeyringFrozen, KeyringNotFound, KeyvaultJWTError
from .events import Event, Listener, log
from .key_manager import KeyManager
from .listing_pace import pause_after
from .per_process import PerProcess
from .store import check_ring_name
from .wakeups import LONGEST_WAIT, Wakeups
from .watch_list import Moment, WatchList
from .workers import Crew


def spread(most: Milliseconds) -> Milliseconds:
    """Return a number of milliseconds from 0 to `most`: the default jitter."""
    return random.randrange(most + 1)  # noqa: S311  spreads load, guards nothing


class _Desk:
    """What the threads of one process share, under one lock."""

    def __init__(self, jitter: Callable[[Milliseconds], Milliseconds]) -> None:
        self.lock = threading.Lock()
        self.watch = WatchList(jitter)
        self.listing = self.list_failed = False
        self.list_from: Milliseconds | None = None
        self.list_by: Milliseconds | None = None


class RotationScheduler:
    """Watches keyrings of one store; any number may run side by side, for the store decides races.

    `keyrings` is "*" for all that the store lists, or one name, or several.  `workers` passes
    run at a time, so that a slow one delays few.  After a fork only the parent's goes on; the
    child may `start` its own.
    """

    def __init__(
        self,
        manager: KeyManager,
        keyrings: str | Iterable[str] = "*",
        *,
        clock: Clock | None = None,
        jitter: Callable[[Milliseconds], Milliseconds] = spread,
        listener: Listener = log,
        workers: int = 4,
    ) -> None:
        self._manager = manager
        named = (keyrings,) if isinstance(keyrings, str) else tuple(keyrings)
        self._names = None if named == ("*",) else tuple(check_ring_name(ring) for ring in named)
        self._clock = SystemClock() if clock is None else clock
        self._listener, self._workers = listener, workers
        self._desks = PerProcess(lambda: _Desk(jitter))
        self._running: tuple[int, Wakeups, Crew] | None = None

    def __repr__(self) -> str:
        return f"RotationScheduler({self._manager!r}, {'*' if self._names is None else self._names})"

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shutdown()

    @property
    def running(self) -> bool:
        """Whether it runs in this process."""
        return self._running is not None and self._running[0] == os.getpid()

    @property
    def settled(self) -> bool:
        """Whether the names were listed and, at this moment, no keyring is due or in a pass."""
        desk = self._desks.get()
        with desk.lock:
            return desk.list_by is not None and desk.watch.is_quiet(Moment.of(self._clock))

    def start(self) -> Self:
        """Begin, and return itself; the first thing is a pass over every keyring."""
        if not self.running:
            self._desks.get().listing = False
            crew = Crew(self._workers, "keyvault-jwt-scheduler", self._work)
            wakeups = Wakeups(self._wake, self._wait)
            self._running = (os.getpid(), wakeups, crew)
            crew.start()
            wakeups.start()
        return self

    def shutdown(self, timeout: timedelta = timedelta(seconds=30)) -> bool:
        """Begin no more passes, wait for those under way, and return whether they ended in time."""
        if not self.running or self._running is None:
            return True
        _, wakeups, crew = self._running
        self._running = None
        wakeups.close()
        ended = crew.close(timeout.total_seconds())
        if not ended:
            self._tell("scheduler.still-running", alarm=True)
        return ended

    close = shutdown

    def run_pending(self) -> tuple[str, ...]:
        """List the names, run in this thread every pass that is due now, and return their keyrings."""
        self._list()
        desk = self._desks.get()
        done: list[str] = []
        while True:
            with desk.lock:
                ring = desk.watch.take(Moment.of(self._clock))
            if ring is None:
                return tuple(done)
            self._pass(ring)
            done.append(ring)

    def next_wake(self) -> Milliseconds:
        """Return in how many milliseconds it will look again, at most 30,000."""
        return self._wait()

    # --- waking ----------------------------------------------------------------------------

    def _wake(self) -> None:
        """Move what is due into the workers' reach; called in APScheduler's thread, so it doesn't block."""
        desk, moment = self._desks.get(), Moment.of(self._clock)
        with desk.lock:
            work = desk.watch.ripen(moment) or self._may_list(desk, moment)
        if work and self._running is not None:
            self._running[2].kick()

    def _wait(self) -> Milliseconds:
        desk, moment = self._desks.get(), Moment.of(self._clock)
        with desk.lock:
            wait = desk.watch.wait(moment)
            waits = [LONGEST_WAIT] if wait is None else [wait, LONGEST_WAIT]
            if desk.list_by is not None and not desk.listing:
                waits.append(max(0, desk.list_by - moment.monotonic))
        return min(waits)

    def _may_list(self, desk: _Desk, moment: Moment) -> bool:
        early = desk.list_from is not None and moment.monotonic < desk.list_from
        return not desk.listing and not early

    # --- working ---------------------------------------------------------------------------

    def _work(self) -> bool:
        """Do one thing that is due, in a worker's thread; return whether there was one."""
        desk, moment = self._desks.get(), Moment.of(self._clock)
        with desk.lock:
            listing = self._may_list(desk, moment)
            desk.listing = desk.listing or listing
            ring = None if listing else desk.watch.take(moment)
        if listing:
            self._list()
        elif ring is None:
            return False
        else:
            self._pass(ring)
        if self._running is not None:
            self._running[1].hasten()
        return True

    def _list(self) -> None:
        desk, began = self._desks.get(), self._clock.monotonic()
        names, failure = self._names, None
        try:
            names = self._manager.names() if names is None else names
        except KeyvaultJWTError as error:
            failure = error.code
        except Exception as error:  # noqa: BLE001  one bad listing must not end the scheduler
            failure = type(error).__name__
        moment = Moment.of(self._clock)
        with desk.lock:
            known, news = len(desk.watch), failure is not None and not desk.list_failed
            if names is not None:
                desk.watch.set_names(names, moment)
            desk.list_from = moment.monotonic + pause_after(moment.monotonic - began)
            desk.list_by = moment.monotonic + LONGEST_WAIT
            desk.listing, desk.list_failed = False, failure is not None
            more = len(desk.watch) > known
        if failure is not None:
            self._tell("scheduler.list-failed", alarm=news, code=failure)
        if more and self._running is not None:
            self._running[2].kick()

    def _pass(self, ring: str) -> None:
        """Reconcile one keyring, and put it back by what came of it."""
        desk = self._desks.get()
        try:
            report = self._manager.reconcile(ring)
        except Conflict:
            # Somebody else is at it, which is as good.
            with desk.lock:
                desk.watch.raced(ring, Moment.of(self._clock))
        except KeyringFrozen:
            with desk.lock:
                desk.watch.rested(ring, Moment.of(self._clock))
        except KeyringNotFound as error:
            # A keyring that was listed a moment ago was deleted; one that was named is missed.
            self._failed(ring, error.code, alarm=self._names is not None)
        except KeyvaultJWTError as error:
            self._failed(ring, error.code)
        except Exception as error:  # noqa: BLE001  one bad keyring must not stop the others
            # Its message may quote anything, so only its name is told.
            self._failed(ring, type(error).__name__)
        else:
            with desk.lock:
                desk.watch.passed(
                    ring,
                    Moment.of(self._clock),
                    due=report.plan.next_due,
                    rotate_every=report.keyring.policy.timing(0).rotate_every,
                    changed=report.changed,
                )

    def _failed(self, ring: str, code: str, *, alarm: bool = True) -> None:
        desk = self._desks.get()
        with desk.lock:
            failures, pause = desk.watch.failed(ring, Moment.of(self._clock))
        facts: dict[str, str | int] = {"code": code, "failures": failures, "retry_ms": pause}
        self._tell("scheduler.keyring-failed", ring, alarm=alarm, **facts)

    def _tell(self, name: str, ring: str = "", *, alarm: bool, **facts: str | int) -> None:
        self._listener(Event(name, ring, facts, alarm))

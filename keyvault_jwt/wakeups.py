"""Wakeups: one APScheduler job that fires when something is due, and at least every 30 seconds."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from apscheduler.executors.debug import DebugExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from .clock import Milliseconds

LONGEST_WAIT: Final[Milliseconds] = 30_000
_JOB: Final = "wake"
_EXECUTOR: Final = "keyvault_jwt"


class Wakeups:
    """Calls `wake`, which must not block, after each wait that `wait` tells, in milliseconds.

    `misfire_grace_time=None` since APScheduler's default drops a run for good when the process
    was stopped for a few seconds; the job runs in the scheduler's own thread (that is all its
    debug executor does), so there is no pool to wait for.
    """

    def __init__(self, wake: Callable[[], None], wait: Callable[[], Milliseconds]) -> None:
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            daemon=True,
            jobstores={"default": _NearJobs()},
            executors={_EXECUTOR: DebugExecutor()},
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        # It would log each wake as news.
        logging.getLogger(f"apscheduler.executors.{_EXECUTOR}").setLevel(logging.WARNING)
        self._trigger = _WhenDue(wait)
        self._scheduler.add_job(
            wake, self._trigger, id=_JOB, executor=_EXECUTOR, next_run_time=datetime.now(UTC)
        )

    def start(self) -> None:
        """Wake now, and from now on."""
        self._scheduler.start()

    def hasten(self) -> None:
        """Look again at when to wake, since it may have become sooner.

        If so it wakes now, and finds the right time: of two threads that set times, the later
        would otherwise undo the sooner.
        """
        if self._trigger.has_become_sooner():
            with suppress(JobLookupError):  # closed meanwhile
                self._scheduler.modify_job(_JOB, next_run_time=datetime.now(UTC))

    def close(self) -> None:
        """Wake no more; returns when the thread has ended."""
        self._scheduler.shutdown(wait=False)


class _WhenDue(BaseTrigger):  # type: ignore[misc]  # APScheduler has no types
    """Fires after the wait that is asked for each time; remembers when that was to be."""

    def __init__(self, wait: Callable[[], Milliseconds]) -> None:
        self._wait = wait
        self._guard = threading.Lock()
        self._last = datetime.max.replace(tzinfo=UTC)

    def get_next_fire_time(self, previous_fire_time: Any, now: Any) -> Any:  # noqa: ARG002
        with self._guard:
            self._last = self._due()
            return self._last

    def has_become_sooner(self) -> bool:
        with self._guard:
            return self._due() < self._last

    def _due(self) -> datetime:
        return datetime.now(UTC) + timedelta(milliseconds=min(self._wait(), LONGEST_WAIT))


class _NearJobs(MemoryJobStore):  # type: ignore[misc]  # APScheduler has no types
    """Jobs that are never far off: one that seems to be is due, for the wall clock was set back.

    APScheduler dates its jobs by the wall clock; without this an hour's step back would be an
    hour's silence.
    """

    def get_due_jobs(self, now: datetime) -> list[Any]:
        horizon = now + timedelta(milliseconds=LONGEST_WAIT)
        for job in self.get_all_jobs():
            if job.next_run_time > horizon:
                job.next_run_time = now
                self.update_job(job)
        jobs: list[Any] = super().get_due_jobs(now)
        return jobs

"""The wakeups: in time, put forward, and whatever the wall clock does."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

from apscheduler.triggers.date import DateTrigger

from keyvault_jwt import wakeups
from keyvault_jwt.clock import Milliseconds
from keyvault_jwt.wakeups import Wakeups
from tests.waiting import until


def test_a_wake_that_was_put_forward_is_not_missed() -> None:
    """Whoever makes something due sooner is heard, at whatever moment of the sleep."""
    wakes: list[str] = []
    asked: list[Milliseconds] = []
    waits: list[Milliseconds] = [30_000]

    def wait() -> Milliseconds:
        asked.append(waits[0])
        return waits[0]

    alarm_clock = Wakeups(lambda: wakes.append("wake"), wait)
    alarm_clock.start()
    try:
        for _ in range(20):
            until(lambda: wakes and asked and asked[-1] == 30_000)
            seen, waits[0] = len(wakes), 0
            alarm_clock.hasten()
            until(lambda seen=seen: len(wakes) > seen, within=20)
            waits[0] = 30_000
    finally:
        alarm_clock.close()


def test_wakes_follow_the_wait() -> None:
    """A short wait is waited again and again."""
    wakes = threading.Semaphore(0)
    alarm_clock = Wakeups(wakes.release, lambda: 1)
    alarm_clock.start()
    try:
        assert all(wakes.acquire(timeout=30) for _ in range(50))
    finally:
        alarm_clock.close()


def test_no_wait_is_longer_than_half_a_minute() -> None:
    """However long nothing is due, the next wake is at most 30 s away."""
    trigger = wakeups._WhenDue(lambda: 10**9)
    limit = datetime.now(UTC) + timedelta(seconds=31)
    assert trigger.get_next_fire_time(None, None) < limit


def test_a_job_that_seems_far_off_is_due() -> None:
    """After the wall clock was set back an hour, the job's date lies an hour ahead: it runs now."""
    store = wakeups._NearJobs()
    scheduler = wakeups.BackgroundScheduler(timezone=UTC, jobstores={"default": store})
    now = datetime.now(UTC)
    scheduler.start(paused=True)
    try:
        job = scheduler.add_job(print, DateTrigger(now + timedelta(seconds=29)), id="wake")
        assert store.get_due_jobs(now) == []
        assert store.get_due_jobs(now - timedelta(hours=1)) == [job]
        assert job.next_run_time == now - timedelta(hours=1)
    finally:
        scheduler.shutdown()

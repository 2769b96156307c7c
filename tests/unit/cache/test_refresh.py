"""Refresher: one flight at a time, shared by all who wait, in a thread that ends with its owner."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from keyvault_jwt.cache.refresh import Refresher
from keyvault_jwt.errors import FetchError, KeyvaultJWTError

from ..conftest import eventually


class Airport:
    """Flights that leave when the refresher says so and land when the test does."""

    def __init__(self) -> None:
        self.departures = 0
        self.runway = threading.Semaphore(0)
        self.outcome: KeyvaultJWTError | None = None
        self.due = 1_000.0
        self.refresher = Refresher(self.fly, lambda: self.due)

    def fly(self) -> KeyvaultJWTError | None:
        self.departures += 1
        assert self.runway.acquire(timeout=20)
        return self.outcome

    def wait_for(self, departures: int) -> None:
        eventually(lambda: self.departures == departures)


@pytest.fixture
def airport() -> Iterator[Airport]:
    """An airport of the test's own."""
    opened = Airport()
    yield opened
    opened.refresher.close()
    opened.runway.release(1_000)


def test_all_share_one_flight(airport: Airport) -> None:
    """Any number of threads that join get the one flight and its outcome."""
    airport.outcome = FetchError("no luck")
    with ThreadPoolExecutor(20) as pool:
        waiting = [pool.submit(lambda: airport.refresher.join(None).result(20)) for _ in range(20)]
        airport.wait_for(1)
        eventually(lambda: sum(future.running() for future in waiting) == 20)
        airport.runway.release()
        assert {future.result(20) for future in waiting} == {airport.outcome}
    assert airport.departures == 1


def test_joining_takes_the_flight_under_way(airport: Airport) -> None:
    """Who joins late shares a flight that has left; who departs gets the next one."""
    first = airport.refresher.join(None)
    airport.wait_for(1)
    assert airport.refresher.under_way is first
    assert airport.refresher.join(None) is first
    second = airport.refresher.depart()
    assert second is not first
    assert airport.refresher.depart() is second
    airport.runway.release()
    assert first.result(20) is None
    airport.wait_for(2)
    assert not second.done()
    airport.runway.release()
    assert second.result(20) is None
    assert airport.refresher.under_way is None


def test_news_on_the_way_are_not_asked_for_again(airport: Airport) -> None:
    """Who decided to wait before a flight landed gets that one, not a further request."""
    before = airport.refresher.landed
    first = airport.refresher.join(before)
    airport.runway.release()
    first.result(20)
    assert airport.refresher.join(before) is first
    assert airport.refresher.landed is first
    airport.runway.release()
    assert airport.refresher.join(first) is not first
    airport.wait_for(2)


def test_due_flights_leave_by_themselves(airport: Airport) -> None:
    """Once started, the thread flies whenever it is due, without anybody asking."""
    airport.due = 0.0
    airport.refresher.prompt()
    for number in (1, 2, 3):
        airport.wait_for(number)
        airport.runway.release()


def test_prompting_never_piles_up(airport: Airport) -> None:
    """Prompting while a flight is under way asks for no other."""
    airport.refresher.prompt()
    airport.wait_for(1)
    for _ in range(100):
        airport.refresher.prompt()
    airport.runway.release(2)
    assert airport.refresher.depart().result(20) is None
    assert airport.departures == 2


def test_waiter_that_gives_up_cancels_nothing(airport: Airport) -> None:
    """A flight can't be cancelled by one of those who wait for it."""
    flight = airport.refresher.join(None)
    assert not flight.cancel()
    airport.runway.release()
    assert flight.result(20) is None


def test_waiter_that_gives_up_cancels_no_scheduled_flight(airport: Airport) -> None:
    """A flight that left by itself can't be cancelled either, and its thread flies on."""
    airport.due = 0.0
    airport.refresher.prompt()
    airport.wait_for(1)
    airport.runway.release()
    airport.wait_for(2)
    scheduled = airport.refresher.join(airport.refresher.landed)
    assert not scheduled.cancel()
    airport.due = 1_000.0
    airport.runway.release()
    assert scheduled.result(20) is None


def test_closing(airport: Airport) -> None:
    """After close the flight under way lands, no other leaves, and whoever asks is told at once."""
    first = airport.refresher.join(None)
    airport.wait_for(1)
    thread, second = airport.refresher._thread, airport.refresher.depart()
    airport.refresher.close()
    assert isinstance(second.result(0), FetchError)
    assert isinstance(airport.refresher.depart().result(0), FetchError)
    airport.runway.release()
    assert first.result(20) is None
    assert thread is not None
    thread.join(20)
    assert not thread.is_alive()
    assert airport.departures == 1


def test_broken_flight_ends_nothing(airport: Airport, monkeypatch: pytest.MonkeyPatch) -> None:
    """A load that raises lands with an error, and the next one gets a thread again."""
    raised: list[object] = []
    monkeypatch.setattr(threading, "excepthook", raised.append)

    def crash() -> None:
        raise ZeroDivisionError

    refresher = Refresher(crash, lambda: 1_000.0)
    for _ in range(2):
        assert isinstance(refresher.depart().result(20), FetchError)
    eventually(lambda: len(raised) == 2)
    refresher.close()


def test_abandoned_refresher_ends_its_thread() -> None:
    """A refresher that nobody holds any more is collected, and its thread ends."""
    airport = Airport()
    airport.runway.release()
    airport.refresher.join(None).result(20)
    thread = airport.refresher._thread
    assert thread is not None
    assert thread.is_alive()
    del airport
    gc.collect()
    thread.join(20)
    assert not thread.is_alive()


FORK = """
import os, sys, threading
from keyvault_jwt.cache.refresh import Refresher

inside, land = threading.Event(), threading.Event()
def load():
    inside.set()
    land.wait()

refresher = Refresher(load, lambda: 1000.0)
flight = refresher.depart()
inside.wait()
refresher._lock.acquire()
child = os.fork()
if child == 0:
    land.set()
    os._exit(0 if refresher.under_way is None and refresher.depart().result(20) is None else 1)
refresher._lock.release()
land.set()
flight.result(20)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_forked_child_flies_by_itself() -> None:
    """A child forked during a flight, and with the lock held, has no flight under way and can fly."""
    subprocess.run([sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORK], check=True, timeout=60)

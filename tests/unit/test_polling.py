"""Poller: one thread for as long as somebody has use for it, and one round for all who ask at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from keyvault_jwt.polling import Poller
from tests.forked import in_a_child
from tests.waiting import until

NAME = "the poller under test"
LONG = 3_600.0
"""Seconds of a pause that no test lives to see the end of."""
PATIENCE = 10.0


class Work:
    """Counts the rounds that began and those that ended; one lasts until `open` is set."""

    def __init__(self, pause: float = LONG) -> None:
        self.pause, self.began, self.ended = pause, 0, 0
        self.open = threading.Event()
        self.open.set()
        self.then: Callable[[], object] = bool

    def step(self) -> float:
        self.began += 1
        self.open.wait(30)
        self.then()
        self.ended += 1
        return self.pause


@pytest.fixture
def work() -> Work:
    """Rounds that end at once, and a pause after each that doesn't."""
    return Work()


@pytest.fixture
def poller(work: Work) -> Iterator[Poller]:
    """A poller of `work`, not started."""
    made = Poller(NAME, work.step)
    yield made
    work.open.set()
    assert made.close(PATIENCE)


def running() -> list[threading.Thread]:
    """Return the pollers' threads."""
    return [thread for thread in threading.enumerate() if thread.name == NAME]


def until_waiting(poller: Poller, count: int) -> None:
    """Return when so many wait: callers for a round's end, and the thread while it rests."""
    rounds = poller._rounds.here
    assert rounds is not None
    until(lambda: len(rounds._news._waiters) == count)


def hold_a_round(poller: Poller, work: Work) -> None:
    """Start the poller, and return when it is in the midst of a round."""
    work.open.clear()
    poller.start()
    until(lambda: work.began == 1)


def test_many_starts_make_one_thread(poller: Poller, work: Work) -> None:
    """Eight threads that start it at once, and once more, start one daemon thread of its name."""
    together = threading.Barrier(8)

    def start() -> None:
        together.wait(PATIENCE)
        poller.start()
        poller.start()

    with ThreadPoolExecutor(8) as pool:
        for started in [pool.submit(start) for _ in range(8)]:
            started.result()
    (thread,) = running()
    assert thread.daemon
    until_waiting(poller, 1)
    assert work.ended == 1


def test_it_goes_on_by_itself(poller: Poller, work: Work) -> None:
    """A round follows upon the other, after the pause that the step returns."""
    work.pause = 0
    poller.start()
    until(lambda: work.ended >= 5)


def test_who_asks_an_idle_thread_gets_a_round_at_once(poller: Poller, work: Work) -> None:
    """No pause is waited out, and the round is over when `ask` returns."""
    poller.start()
    until_waiting(poller, 1)
    for rounds in (2, 3):
        poller.ask(PATIENCE)
        assert work.ended == rounds
        until_waiting(poller, 1)
    assert work.ended == 3


def test_to_ask_starts_it(poller: Poller, work: Work) -> None:
    """Nobody has to start it first."""
    poller.ask(PATIENCE)
    assert work.ended >= 1
    assert len(running()) == 1


def test_all_who_ask_share_the_round_under_way(poller: Poller, work: Work) -> None:
    """Eight that ask in the midst of a round wait for its end, and cause no other."""
    hold_a_round(poller, work)
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(poller.ask, 2 * PATIENCE) for _ in range(8)]
        until_waiting(poller, 8)
        assert not any(each.done() for each in asked)
        work.open.set()
        for each in asked:
            each.result(PATIENCE)
    until_waiting(poller, 1)
    assert work.began == work.ended == 1


def test_who_asks_waits_no_longer_than_their_patience(poller: Poller, work: Work) -> None:
    """A round that hangs is given up by who asked, and goes on."""
    hold_a_round(poller, work)
    poller.ask(0.01)
    assert (work.began, work.ended) == (1, 0)


def test_nothing_happens_after_close(poller: Poller, work: Work) -> None:
    """One that was closed before its first use makes no thread, whoever starts, asks or closes it."""
    assert poller.close(PATIENCE)
    poller.start()
    poller.ask(PATIENCE)
    assert running() == []
    assert poller.close(PATIENCE)
    assert work.began == 0


def test_close_ends_the_pause(poller: Poller, work: Work) -> None:
    """A thread that rests ends at once, without a last round, and is not made again."""
    poller.start()
    until_waiting(poller, 1)
    assert poller.close(PATIENCE)
    poller.start()
    poller.ask(PATIENCE)
    assert running() == []
    assert work.began == 1


def test_close_tells_that_a_round_hangs(poller: Poller, work: Work) -> None:
    """Past its patience it says so, and lets those go who wait for the round; the thread ends with it."""
    hold_a_round(poller, work)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(poller.ask, 2 * PATIENCE)
        until_waiting(poller, 1)
        assert poller.close(0.01) is False
        asked.result(PATIENCE)
        assert work.ended == 0
    work.open.set()
    assert poller.close(PATIENCE)
    assert running() == []
    assert work.began == 1


def test_a_step_may_close_its_own_poller(poller: Poller, work: Work) -> None:
    """It doesn't wait for itself, and its round is the last one."""
    said: list[bool] = []
    work.pause, work.then = 0, lambda: said.append(poller.close(PATIENCE))
    poller.start()
    until(lambda: running() == [])
    assert (said, work.ended) == ([False], 1)


def test_the_thread_ends_with_its_object() -> None:
    """An object that nobody holds any more is not kept alive by its poller, and takes the thread along."""
    work = Work(pause=0.001)
    poller = Poller(NAME, work.step)
    poller.start()
    (thread,) = running()
    poller.ask(PATIENCE)
    del work
    thread.join(PATIENCE)
    assert not thread.is_alive()


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_child_has_a_thread_of_its_own(poller: Poller, work: Work) -> None:
    """Forked in the midst of a round, a child doesn't wait for that one's end but polls by itself."""
    hold_a_round(poller, work)

    def child() -> bool:
        work.open = threading.Event()
        work.open.set()
        alone = running() == []
        poller.ask(PATIENCE)
        polled = work.ended > 0 and len(running()) == 1
        return alone and polled and poller.close(PATIENCE) and running() == []

    assert in_a_child(child)
    work.open.set()
    until_waiting(poller, 1)
    assert work.began == work.ended == 1
    assert len(running()) == 1


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_closed_in_the_parent_is_closed_in_the_child(poller: Poller, work: Work) -> None:
    """Nothing happens in a child either that was forked after `close`."""
    poller.ask(PATIENCE)
    assert poller.close(PATIENCE)
    began = work.began

    def child() -> bool:
        poller.start()
        poller.ask(PATIENCE)
        return running() == [] and work.began == began and poller.close(PATIENCE)

    assert in_a_child(child)

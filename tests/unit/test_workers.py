"""The crew: works until there is nothing to do, and ends when told to."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator

import pytest

from keyvault_jwt.workers import Crew
from tests.waiting import until


class Bench:
    """Tasks for a crew, and what became of them."""

    def __init__(self) -> None:
        self.tasks: deque[str] = deque()
        self.done: list[str] = []
        self.gate = threading.Event()
        self.waiting = 0

    def work(self) -> bool:
        try:
            task = self.tasks.popleft()
        except IndexError:
            return False
        if task == "fail":
            raise ValueError("a bug")
        if task == "hang":
            self.waiting += 1
            self.gate.wait(30)
        self.done.append(task)
        return True


@pytest.fixture
def bench() -> Bench:
    """No tasks yet."""
    return Bench()


@pytest.fixture
def crew(bench: Bench) -> Iterator[Crew]:
    """Two workers at the bench."""
    crew = Crew(2, "test-crew", bench.work)
    crew.start()
    yield crew
    bench.gate.set()
    crew.close(10)


def test_a_kick_gets_everything_done(bench: Bench, crew: Crew) -> None:
    """One kick is enough for any number of tasks, and another for those that came later."""
    for batch in ("ab", "cdefg"):
        bench.tasks.extend(batch)
        crew.kick()
        until(lambda batch=batch: set(batch) <= set(bench.done))
    assert sorted(bench.done) == list("abcdefg")


def test_a_task_that_hangs_holds_up_no_other(bench: Bench, crew: Crew) -> None:
    """While one worker waits for ever, the other does the rest."""
    bench.tasks.extend(["hang", "a", "b"])
    crew.kick()
    until(lambda: bench.done == ["a", "b"])


def test_a_task_that_raises_is_logged_and_passed_over(
    bench: Bench, crew: Crew, caplog: pytest.LogCaptureFixture
) -> None:
    """A bug in one task ends no worker."""
    bench.tasks.extend(["fail", "fail", "fail", "a"])
    crew.kick()
    until(lambda: bench.done == ["a"])
    assert caplog.text.count("a worker's task failed") == 3


def test_closing_waits_for_what_was_begun_and_begins_nothing(bench: Bench, crew: Crew) -> None:
    """A running task may end in time; one that doesn't is left behind, and said so."""
    bench.tasks.extend(["hang", "hang", "later"])
    crew.kick()
    until(lambda: bench.waiting == 2)
    assert not crew.close(0.01)
    bench.gate.set()
    assert crew.close(10)
    assert bench.done == ["hang", "hang"]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("test-crew")]

"""PerProcess: a value of which each process has its own, and all threads of one the same."""

from __future__ import annotations

import threading

from keyvault_jwt.per_process import PerProcess
from tests.forked import in_a_child


def test_made_at_the_first_use_and_kept() -> None:
    """Nothing is made before somebody asks, and then it is made once."""
    made: list[object] = []

    def make() -> object:
        made.append(object())
        return made[-1]

    value = PerProcess(make)
    assert (value.here, made) == (None, [])
    assert value.get() is value.get() is value.here is made[0]
    assert len(made) == 1


def test_threads_that_ask_at_once_share_one() -> None:
    """Each of many threads gets the same, though several may have made one."""
    together = threading.Barrier(8)

    def make() -> object:
        together.wait()
        return object()

    value, got = PerProcess(make), list[object]()
    threads = [threading.Thread(target=lambda: got.append(value.get())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {id(one) for one in (*got, value.get())} == {id(value.here)}


def test_a_child_and_a_grandchild_have_their_own() -> None:
    """After a fork the child makes one of its own, and so does its child; the parent's stays what it was."""
    value = PerProcess(object)
    ours = value.get()

    def grandchild(theirs: object) -> bool:
        return value.here is None and value.get() is not theirs and value.get() is not ours

    def child() -> bool:
        if value.here is not None:
            return False
        theirs = value.get()
        kept = in_a_child(lambda: grandchild(theirs)) and value.get() is theirs
        return kept and theirs is not ours

    assert in_a_child(child)
    assert value.get() is ours

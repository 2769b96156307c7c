"""Forks: a child puts in order what it inherits, and nothing is kept for that which nobody uses."""

from __future__ import annotations

import gc
import os
import weakref

from keyvault_jwt.forks import survive_forks


class Counter:
    """Counts the forks behind it."""

    def __init__(self) -> None:
        self.forks = 0
        survive_forks(self)

    def _after_fork(self) -> None:
        self.forks += 1


def test_a_child_puts_in_order_what_it_inherits() -> None:
    """Every object that lives is told once in the child and once more in its child; none in the parent."""
    counters = [Counter(), Counter()]
    child = os.fork()
    if child == 0:
        grandchild = os.fork()
        if grandchild == 0:
            os._exit([it.forks for it in counters] != [2, 2])
        good = os.waitstatus_to_exitcode(os.waitpid(grandchild, 0)[1]) == 0
        os._exit(not good or [it.forks for it in counters] != [1, 1])
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert [it.forks for it in counters] == [0, 0]


def test_it_is_held_weakly() -> None:
    """An object that nobody uses any more goes, and no later fork asks for it."""
    gone = weakref.ref(Counter())
    gc.collect()
    assert gone() is None
    child = os.fork()
    if child == 0:
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

"""PerProcess: what must not be shared across a fork, made anew in each process."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Generic, TypeVar

_T = TypeVar("_T")


class PerProcess(Generic[_T]):
    """A value of which every process has its own: threads don't survive a fork, and locks may be held.

    `dict.setdefault` decides between threads that ask for it at once, so no lock is needed to
    make a lock.
    """

    __slots__ = ("_make", "_values")

    def __init__(self, make: Callable[[], _T]) -> None:
        self._make = make
        self._values: dict[int, _T] = {}

    def get(self) -> _T:
        """Return this process's value, making it the first time."""
        process = os.getpid()
        found = self._values.get(process)
        return self._values.setdefault(process, self._make()) if found is None else found

    def peek(self) -> _T | None:
        """Return this process's value, None if it has none yet."""
        return self._values.get(os.getpid())

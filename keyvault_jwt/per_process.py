"""PerProcess: what must not be shared across a fork, made anew in each process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from .forks import survive_forks

_T = TypeVar("_T")


class PerProcess(Generic[_T]):
    """A value of which every process has its own: threads don't survive a fork, and locks may be held.

    `dict.setdefault` decides between threads that ask for it at once, so no lock is needed to
    make a lock.  A parent's value is kept in its children, unused: to end it is not theirs.
    """

    __slots__ = ("__weakref__", "_forks", "_make", "_values", "here")

    here: _T | None
    """This process's value, None if it has none yet."""

    def __init__(self, make: Callable[[], _T]) -> None:
        self._make, self.here = make, None
        self._values: dict[int, _T] = {}
        # Counted, since to ask for the process's number at each use costs more than all the rest.
        self._forks = 0
        survive_forks(self)

    def get(self) -> _T:
        """Return this process's value, making it the first time."""
        if (found := self.here) is None:
            found = self.here = self._values.setdefault(self._forks, self._make())
        return found

    def _after_fork(self) -> None:
        self._forks, self.here = self._forks + 1, None

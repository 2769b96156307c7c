"""Forks: what a child has to put in order before anybody uses it there."""

from __future__ import annotations

import os
from typing import Final, Protocol
from weakref import WeakSet


class SurvivesForks(Protocol):
    """Holds what a fork leaves unusable: a lock that another thread held, a thread, a descriptor."""

    def _after_fork(self) -> None:
        """Put it in order; called in a forked child, where no other thread is."""
        ...


# The one list of the process, since the interpreter's own can't be taken off: of objects that come
# and go it would keep a trace each, for good, and walk them all at every fork.
_SURVIVORS: Final[WeakSet[SurvivesForks]] = WeakSet()


def survive_forks(it: SurvivesForks) -> None:
    """Have it put in order in every child forked while it lives; it is held weakly."""
    _SURVIVORS.add(it)


def _put_in_order() -> None:
    for it in list(_SURVIVORS):
        it._after_fork()  # noqa: SLF001  (nobody else's to call)


os.register_at_fork(after_in_child=_put_in_order)

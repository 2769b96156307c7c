"""Crew: a few daemon threads that work whatever there is to do, and rest until told of more."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from functools import partial

_LOGGER = logging.getLogger("keyvault_jwt")


class Crew:
    """`size` threads that call `work` until it returns False, and again after each `kick`.

    `work` does one thing, finds for itself which, and returns whether there was one.  With
    `rest` the threads also look again by themselves, after as many seconds as it returns.  They
    are daemons: a store that never answers can't keep the process from ending.
    """

    def __init__(
        self, size: int, name: str, work: Callable[[], bool], rest: Callable[[], float] | None = None
    ) -> None:
        self._work, self._rest = work, rest
        self._news = threading.Condition()
        self._kicks = 0
        self._closing = False
        self._threads = [
            threading.Thread(target=self._run, name=f"{name}-{number}", daemon=True)
            for number in range(1, size + 1)
        ]

    def start(self) -> None:
        """Start the threads, once."""
        for thread in self._threads:
            thread.start()

    def kick(self) -> None:
        """Tell that there may be something to do."""
        with self._news:
            self._kicks += 1
            self._news.notify_all()

    def close(self, patience: float) -> bool:
        """Begin nothing more, and return whether all that was begun ended within `patience` seconds."""
        with self._news:
            self._closing = True
            self._news.notify_all()
        deadline = time.monotonic() + patience
        for thread in self._threads:
            if thread is not threading.current_thread() and thread.ident is not None:
                thread.join(max(0.0, deadline - time.monotonic()))
        return not any(t.is_alive() for t in self._threads if t is not threading.current_thread())

    def _run(self) -> None:
        while not self._closing:
            heard = self._kicks
            while self._work_safely():
                pass
            rest = None if self._rest is None else self._rest()
            with self._news:
                self._news.wait_for(partial(self._is_called, heard), rest)

    def _is_called(self, heard: int) -> bool:
        return self._kicks != heard or self._closing

    def _work_safely(self) -> bool:
        try:
            return not self._closing and self._work()
        except Exception:
            # Its own failures `work` handles itself; this is a bug, or a listener's.
            _LOGGER.exception("a worker's task failed")
            return True

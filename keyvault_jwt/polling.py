"""Poller: a background thread that does one thing again and again, and at once when asked."""

from __future__ import annotations

import threading
from collections.abc import Callable
from weakref import WeakMethod

from .per_process import PerProcess


class Poller:
    """Calls `step` in a daemon thread and waits as many seconds as it returns.

    `step` is a bound method that must not raise.  Its object is held weakly: when nobody uses
    it any more, the thread ends by itself.  After a fork the child gets a thread of its own.
    """

    def __init__(self, name: str, step: Callable[[], float]) -> None:
        method = WeakMethod(step)
        self._rounds = PerProcess(lambda: _Rounds(name, method))
        self._closed = False

    def start(self) -> None:
        """Make sure that the thread runs; nothing happens after `close`."""
        rounds = self._rounds.here
        if rounds is None or not rounds.started:
            self._start()

    def ask(self, patience: float) -> None:
        """Wait until a round is finished, for at most `patience` seconds; idle, it begins at once.

        All who ask while one round is under way share it.
        """
        if not self._closed:
            self._rounds.get().ask(patience)

    def _start(self) -> None:
        if not self._closed:
            self._rounds.get().start()

    def close(self, patience: float) -> bool:
        """End the thread and return whether it ended within `patience` seconds."""
        self._closed = True
        rounds = self._rounds.here
        return rounds is None or rounds.close(patience)


class _Rounds:
    """One process's thread."""

    def __init__(self, name: str, method: WeakMethod[Callable[[], float]]) -> None:
        self._method = method
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.started = self._closing = self._asked = self._busy = False
        self._finished = 0

    def start(self) -> None:
        with self._news:
            if not self.started:
                self._thread.start()
                self.started = True

    def ask(self, patience: float) -> None:
        self.start()
        with self._news:
            awaited = self._finished + 1
            if not self._busy:
                self._asked = True
                self._news.notify_all()
            self._news.wait_for(lambda: self._finished >= awaited or self._closing, patience)

    def close(self, patience: float) -> bool:
        with self._news:
            self._closing = True
            self._news.notify_all()
            started = self.started
        if started and self._thread is not threading.current_thread():
            self._thread.join(patience)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (pause := self._round()) is not None:
            with self._news:
                self._busy = False
                self._finished += 1
                self._news.notify_all()
                self._news.wait_for(lambda: self._asked or self._closing, pause)

    def _round(self) -> float | None:
        with self._news:
            if self._closing:
                return None
            self._busy, self._asked = True, False
        step = self._method()
        return None if step is None else step()

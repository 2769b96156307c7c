"""Progress: a word on stderr for whatever takes longer than two seconds."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

PATIENCE = 2.0
"""Seconds after which a person wonders whether anything is happening."""
INTERVAL = 10.0
"""Seconds between further words."""


@dataclass(frozen=True)
class Progress:
    """Tells `tell` what is being done once it takes long, and again now and then."""

    tell: Callable[[str], None]
    patience: float = PATIENCE
    interval: float = INTERVAL

    @contextmanager
    def of(self, what: str) -> Iterator[None]:
        """Watch over the block, which does `what`."""
        done = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(what, done), daemon=True)
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()

    def _watch(self, what: str, done: threading.Event) -> None:
        seconds = self.patience
        while not done.wait(seconds):
            self.tell(f"still {what} …")
            seconds = self.interval

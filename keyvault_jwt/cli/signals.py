"""SIGINT and SIGTERM ask a running service to end; a second one ends it at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_ASKING = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def ending() -> Iterator[threading.Event]:
    """Yield an event that is set by the first signal; for the main thread alone."""
    asked = threading.Event()

    def ask(_number: int, _frame: FrameType | None) -> None:
        asked.set()
        for number in _ASKING:
            signal.signal(number, signal.SIG_DFL)

    before = {number: signal.signal(number, ask) for number in _ASKING}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

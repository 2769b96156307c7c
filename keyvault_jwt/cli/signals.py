"""SIGINT and SIGTERM ask a running service to end; a second one ends it at once."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

_ASKING = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class Ending:
    """Whether the end was asked for; `pipe` becomes readable when it was."""

    pipe: int

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until it is asked for, for at most `seconds`; return whether it was."""
        return bool(select.select([self.pipe], [], [], seconds)[0])


@contextmanager
def ending() -> Iterator[Ending]:
    """Yield what tells of the first signal; for the main thread alone.

    The kernel may give a signal to any thread, and then nothing wakes a main thread that waits
    for a lock or an event; but every signal is written to the wake-up descriptor.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    woken = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    before = {number: signal.signal(number, _end_at_the_next) for number in _ASKING}
    try:
        yield Ending(reader)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(woken)
        os.close(reader)
        os.close(writer)


def _end_at_the_next(_number: int, _frame: FrameType | None) -> None:
    for number in _ASKING:
        signal.signal(number, signal.SIG_DFL)

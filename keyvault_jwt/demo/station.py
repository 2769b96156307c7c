"""Station: a member's end of the pipes to the conductor."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import BinaryIO, TypeVar

import msgspec

from .messages import ENCODER, ORDERS, Awake, Order, Report

_Part = TypeVar("_Part")


class Station:
    """Takes orders from one pipe and writes reports to the other; thread-safe.

    A conductor that is gone, by whatever way, has closed the pipe: then the process ends at once.
    """

    def __init__(self, orders: BinaryIO, reports: BinaryIO) -> None:
        self._orders, self._reports = orders, reports
        self._guard = threading.Lock()

    def part(self, parts: msgspec.json.Decoder[_Part]) -> _Part:
        """Wait for the first line, which says what this member does."""
        self.tell(Awake())
        line = self._orders.readline()
        if not line:
            os._exit(0)
        return parts.decode(line)

    def listen(self, take: Callable[[Order], None]) -> None:
        """Hand every further order to `take`, in this thread, until the pipe closes."""
        for line in self._orders:
            take(ORDERS.decode(line))
        os._exit(0)

    def attend(self, take: Callable[[Order], None]) -> None:
        """Listen in a thread of its own."""
        threading.Thread(target=self.listen, args=(take,), name="orders", daemon=True).start()

    def tell(self, report: Report) -> None:
        """Write one report."""
        try:
            with self._guard:
                self._reports.write(ENCODER.encode(report) + b"\n")
                self._reports.flush()
        except OSError:
            os._exit(0)

"""Connection: uvicorn's, of which there are so many at most, and which may be silent for so long."""

from __future__ import annotations

import asyncio
import logging
import resource
from dataclasses import dataclass
from typing import ClassVar, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

BACKLOG: Final = 128
"""How many connections the kernel holds ready, and asyncio takes at a time: so many beyond the cap."""
_RESERVE: Final = 128
"""File descriptors for all that is no connection: the store, the log, the other side of a request."""

# What strangers send is answered, but is not worth a line of the log each: they would fill the disk.
_LOGGER: Final = logging.getLogger(__name__)
_LOGGER.setLevel(logging.ERROR)


def most_connections() -> int:
    """Return how many there may be in this process."""
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    known = 65_536 if soft == resource.RLIM_INFINITY else min(soft, 65_536)
    return max(64, known - BACKLOG - _RESERVE)


@dataclass(frozen=True, slots=True)
class Limits:
    """How many connections there may be, and for how many seconds one may make no progress.

    `most` leaves some of the process's file descriptors free: a server that runs out of them takes
    no connection any more, and writes of each that it can't take.
    """

    most: int
    silence: float = 15.0


class Connection(HttpToolsProtocol):
    """Ends when there are too many, or when it asks nothing and waits for no answer, or doesn't read it.

    uvicorn's own timer runs only behind an answer: before the first request, and in the midst of
    one, a silent client could stay for ever.
    """

    limits: ClassVar[Limits] = Limits(most_connections())
    asked = 0
    """How many requests have come whole."""
    _asked_before = 0
    _look: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, unless there are too many."""
        super().connection_made(transport)
        self.logger = _LOGGER
        if len(self.connections) > self.limits.most:
            transport.abort()
            return
        self._look = self.loop.call_later(self.limits.silence, self._look_again)

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        if self._look is not None:
            self._look.cancel()
        super().connection_lost(exc)

    def _look_again(self) -> None:
        # There is no cycle before the first request that the application was asked.
        answering = not getattr(self.cycle, "response_complete", True)
        if self.asked == self._asked_before and (not answering or self.flow.write_paused):
            self.transport.abort()
            return
        self._asked_before = self.asked
        self._look = self.loop.call_later(self.limits.silence, self._look_again)

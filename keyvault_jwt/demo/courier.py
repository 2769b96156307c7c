"""Courier: carries tokens to one verifier, over one HTTP connection that is made anew when it breaks."""

from __future__ import annotations

import queue
import threading
import time
from http.client import HTTPConnection, HTTPException
from typing import Final

from ..clock import Clock
from .ticket import Ticket

_TIMEOUT: Final = 2.0
_PAUSE: Final = 0.05


class Courier:
    """Delivers to a path in the order of arrival, from a thread of its own; gives up on what has expired."""

    def __init__(self, address: tuple[str, int], path: str, clock: Clock) -> None:
        self._address, self._path, self._clock = address, path, clock
        self._tickets: queue.SimpleQueue[Ticket] = queue.SimpleQueue()
        threading.Thread(target=self._run, name=f"courier-{address[1]}", daemon=True).start()

    def carry(self, ticket: Ticket) -> None:
        """Deliver a token, soon."""
        self._tickets.put(ticket)

    def _run(self) -> None:
        connection = HTTPConnection(*self._address, timeout=_TIMEOUT)
        while True:
            ticket = self._tickets.get()
            while self._clock.wall() < ticket.expires and not self._delivered(connection, ticket):
                connection.close()
                time.sleep(_PAUSE)

    def _delivered(self, connection: HTTPConnection, ticket: Ticket) -> bool:
        try:
            connection.request("POST", self._path, headers={"Authorization": f"Bearer {ticket.token}"})
            with connection.getresponse() as answer:
                answer.read()
                return answer.status == 202
        except (OSError, HTTPException):
            return False

"""Doorway: where a verifier takes tokens in, over HTTP as an API does."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from .ticket import Ticket, ticket_of

HOST: Final = "127.0.0.1"
_BEARER: Final = "Bearer "


class Doorway(ThreadingHTTPServer):
    """Answers 202 to a request that bears a token, and hands it to `take`; the verdict comes later."""

    daemon_threads = True

    def __init__(self, take: Callable[[Ticket], None]) -> None:
        super().__init__((HOST, 0), _Handler)
        self.take = take

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        return HOST, int(self.server_address[1])

    def open(self) -> None:
        """Answer from now on, in threads of its own."""
        threading.Thread(target=self.serve_forever, name="doorway", daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """Take a token in."""
        token = self.headers.get("Authorization", "")
        try:
            ticket = ticket_of(token.removeprefix(_BEARER))
        except ValueError:
            self._answer(400)
            return
        assert isinstance(self.server, Doorway)
        self.server.take(ticket)
        self._answer(202)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (its signature)
        """Write nothing: the request line is no news, and the header bears a token."""

"""Doorway: where a verifier takes tokens in, over HTTP as an API does."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from .ticket import Ticket, ticket_of

HOST: Final = "127.0.0.1"
_BEARER: Final = "Bearer "


class Doorway(ThreadingHTTPServer):
    """Answers 202 to a request that bears a token, and hands it to `take`; the verdict comes later.

    `path` is a secret of the fleet; at any other the answer is 404.
    """

    daemon_threads = True

    def __init__(self, path: str, take: Callable[[Ticket], None]) -> None:
        super().__init__((HOST, 0), _Handler)
        self.take, self._path = take, path.encode()

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        return HOST, int(self.server_address[1])

    def known_to(self, path: str) -> bool:
        """Whether this is the path, told in constant time."""
        return secrets.compare_digest(path.encode(), self._path)

    def open(self) -> None:
        """Answer from now on, in threads of its own."""
        threading.Thread(target=self.serve_forever, name="doorway", daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """Take a token in."""
        assert isinstance(self.server, Doorway)
        if not self.server.known_to(self.path):
            self._answer(404)
            return
        token = self.headers.get("Authorization", "")
        try:
            ticket = ticket_of(token.removeprefix(_BEARER))
        except ValueError:
            self._answer(400)
            return
        self.server.take(ticket)
        self._answer(202)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (its signature)
        """Write nothing: the request line holds the fleet's secret, and the header a token."""

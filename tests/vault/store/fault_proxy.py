"""A proxy on loopback that counts requests to a server and does to some what networks and nodes do."""

from __future__ import annotations

import http.client
import threading
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Self, TypeAlias
from urllib.parse import urlsplit

_PATIENCE: Final = 400
"""How often an answer without end goes on: for 20 s."""


@dataclass(frozen=True)
class Answers:
    """The request is not passed on; this is answered."""

    status: int
    body: bytes = b'{"errors":[]}'
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Breaks:
    """The connection breaks; before that, the request was carried out or not."""

    carried_out: bool


@dataclass(frozen=True)
class Drips:
    """The answer begins and then comes byte by byte until the client gives up."""


@dataclass(frozen=True)
class Prolongs:
    """What comes before a body goes on and on: `begin`, then `more` again and again, and never its end.

    A client that waits for it all the same is left after a time far beyond its own bounds.
    """

    begin: bytes
    more: bytes


Fault: TypeAlias = Answers | Breaks | Drips | Prolongs


class FaultProxy:
    """Passes requests on to `server`; `script` says what becomes of the next ones of a method."""

    def __init__(self, server: str) -> None:
        self.upstream = urlsplit(server)
        self.requests: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.statuses: list[int] = []
        self.script: dict[str, deque[Fault | None]] = {}
        self.ended = threading.Event()
        proxy = self

        class Handler(_Handler):
            owner = proxy

        self._listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        """Where the proxy listens."""
        return f"http://127.0.0.1:{self._listener.server_address[1]}"

    def next(self, method: str, *faults: Fault | None) -> None:
        """Let these befall the next requests of that method, one after another; None lets one pass."""
        self.script.setdefault(method, deque()).extend(faults)

    def count(self, method: str) -> int:
        """Return how many requests of that method came."""
        return sum(1 for request in self.requests if request.startswith(f"{method} "))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.ended.set()
        self._listener.shutdown()
        self._thread.join()
        self._listener.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    owner: FaultProxy

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except ConnectionError:
            self.close_connection = True

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.owner.requests.append(f"{self.command} {self.path}")
        self.owner.headers.append(dict(self.headers))
        waiting = self.owner.script.get(self.command)
        fault = waiting.popleft() if waiting else None
        if isinstance(fault, Answers):
            self._answer(fault.status, fault.headers, fault.body)
        elif isinstance(fault, Breaks):
            if fault.carried_out:
                self._pass_on(body)
            self.close_connection = True
        elif isinstance(fault, Drips):
            self.send_response(200)
            self.send_header("Content-Length", "1000000")
            self.end_headers()
            self._go_on(b" ")
        elif isinstance(fault, Prolongs):
            self.wfile.write(fault.begin)
            self._go_on(fault.more)
        else:
            self._answer(*self._pass_on(body))

    do_GET = do_POST = _serve  # noqa: N815  (as http.server calls them)

    def _pass_on(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        upstream = self.owner.upstream
        connection = http.client.HTTPConnection(upstream.hostname or "", upstream.port, timeout=30)
        try:
            connection.request(self.command, self.path, body or None, dict(self.headers))
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        kept = {"Content-Type", "Retry-After", "X-Vault-Index"}
        return answer.status, {k: v for k, v in answer.getheaders() if k in kept}, content

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.owner.statuses.append(status)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if status != 204:
            self.wfile.write(body)

    def _go_on(self, more: bytes) -> None:
        try:
            for _ in range(_PATIENCE):
                if self.owner.ended.wait(0.05):
                    break
                self.wfile.write(more)
                self.wfile.flush()
        except OSError:
            pass
        self.close_connection = True

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""

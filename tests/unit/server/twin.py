"""Twin: a server that tells which way it answered."""

from __future__ import annotations

import http.client
import socket
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

JWKS = "/payments/.well-known/jwks.json"

Headers: TypeAlias = tuple[tuple[str, str], ...]
Answer: TypeAlias = tuple[int, list[tuple[str, str]], bytes]


@dataclass
class Twin:
    """A server, with the targets that reached its application; asked over one kept connection."""

    address: str = ""
    reached: list[str] = field(default_factory=list)

    def asked_by(self, app: ASGIApp, *, short: bool) -> ASGIApp:
        """Return the application watched, its short way kept from the server unless `short`."""

        async def watched(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http":
                self.reached.append(scope["path"])
            elif not short:
                scope = {**scope, "state": {}}
            await app(scope, receive, send)

        return watched

    def connect(self) -> socket.socket:
        """Return a connection for bytes."""
        address = urlsplit(self.address)
        assert address.hostname is not None
        return socket.create_connection((address.hostname, address.port or 0), timeout=30)

    def asks_application(self, method: str, target: str, headers: Headers) -> tuple[Answer, bool]:
        """Return the answer without its date, and whether the application gave it."""
        before, address = len(self.reached), urlsplit(self.address)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value)
        connection.endheaders()
        found = connection.getresponse()
        fields = sorted((name, value) for name, value in found.getheaders() if name != "date")
        assert found.getheader("date")
        answer = found.status, fields, found.read()
        connection.close()
        return answer, len(self.reached) > before

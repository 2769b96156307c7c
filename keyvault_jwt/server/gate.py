"""Gate: headers that every answer carries, a count of every request, and what the server is offered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SECURITY: Final[Mapping[str, str]] = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Set unless the answer has its own: nothing here is to be framed, sniffed or loaded from elsewhere."""


def seal(headers: MutableHeaders) -> None:
    """Add to an answer's headers those of `SECURITY` that it lacks."""
    for name, value in SECURITY.items():
        headers.setdefault(name, value)


class Gate:
    """ASGI middleware; `count` is told the route's name, never the path, and the status.

    `offers` are put under their names into the lifespan's state (ASGI lifespan protocol, "Lifespan
    State"), where a server finds what it knows; one that has no such state is offered nothing.
    """

    def __init__(self, app: ASGIApp, count: Callable[[str, int], None], offers: Mapping[str, object]) -> None:
        self._app, self._count, self._offers = app, count, offers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and watch its answer."""
        if scope["type"] == "lifespan":
            scope.get("state", {}).update(self._offers)
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                seal(MutableHeaders(scope=message))
                endpoint = getattr(scope.get("endpoint"), "__name__", "unmatched")
                self._count(endpoint, message["status"])
            await send(message)

        await self._app(scope, receive, watched)

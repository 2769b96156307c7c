"""Gate: headers that every answer carries, and a count of every request."""

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
    """Add to an answer's headers those that it has not."""
    for name, value in SECURITY.items():
        headers.setdefault(name, value)


class Gate:
    """ASGI middleware; `count` is told the route's name, never the path, and the status.

    `offers` are given to a server that asks for its lifespan's state.
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

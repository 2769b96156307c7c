"""Express: a connection with a short way for the question that is asked most."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final, Protocol

from uvicorn.config import Config
from uvicorn.server import ServerState

from .connection import Connection

LONGEST: Final = 65_536
"""The bytes a request may have, its body included: nothing here is asked with one.

Behind the end of another request a first piece, no longer than this, is not counted.
"""
_OUT_OF_THE_ORDINARY: Final = frozenset({b"content-length", b"transfer-encoding", b"expect", b"upgrade"})


class ShortWay(Protocol):
    """Whole answers without the application: head, to which the server adds its fields, and body."""

    def answer(self, target: bytes, fields: Mapping[bytes, bytes], client: str) -> tuple[bytes, bytes] | None:
        """Return the answer to a GET, None to leave it to the application; never waits."""
        ...


OFFER: Final = "keyvault_jwt.short_way"
"""Where in its lifespan's state (ASGI lifespan protocol, "Lifespan State") an application offers one."""


# It stands on parts of uvicorn that its documentation does not promise; a uvicorn that changes them shows in
# test_express.py, which asks this class over sockets, and in test_hatch.py, beside uvicorn's own way.
class Express(Connection):
    """Asks the application's short way first, in the same step that read the request; else is uvicorn's.

    No task, scope or message is made for what is answered so, which is most of a small answer's cost.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._way: ShortWay | None = app_state.get(OFFER)
        self._length = 0

    def data_received(self, data: bytes) -> None:
        """Read on, and refuse a request that is not over after `LONGEST`: the parser would gather it all."""
        while data and not self.transport.is_closing():
            room = LONGEST - self._length
            if not room:
                self.send_400_response("Request too long.")
                return
            # However the network cuts a request, it is judged alike: no piece reaches beyond the bound.
            piece, data = data[:room], data[room:]
            self._length += len(piece)
            super().data_received(piece)

    def on_headers_complete(self) -> None:
        """Answer at once where that can be."""
        answer = self._short_answer()
        if answer is None:
            # A short answer of the same read has armed it, and uvicorn disarms it at the next read alone.
            self._unset_keepalive_if_required()
            super().on_headers_complete()
            return
        head, body = answer
        own = [b"%b: %b\r\n" % field for field in self.server_state.default_headers]
        self.transport.write(b"".join((head, *own, b"\r\n", body)))
        self.on_response_complete()

    def on_message_complete(self) -> None:
        """Tell the cycle, which there is none of while every answer was a short one."""
        self._length, self.asked = 0, self.asked + 1
        if self.cycle is not None:
            super().on_message_complete()

    def _short_answer(self) -> tuple[bytes, bytes] | None:
        if self._way is None or not self._may_answer_now():
            return None
        fields = dict(self.headers)
        if len(fields) < len(self.headers) or not _OUT_OF_THE_ORDINARY.isdisjoint(fields):
            return None
        try:
            return self._way.answer(self.url, fields, self.client[0] if self.client else "")
        except Exception:  # noqa: BLE001  the application will meet the same, and knows how to tell it
            return None

    def _may_answer_now(self) -> bool:
        """Whether it is a GET after which the connection goes on, with nothing left to send before."""
        parser, cycle = self.parser, self.cycle
        assert parser is not None
        return (
            parser.get_method() == b"GET"
            and parser.get_http_version() == "1.1"
            and parser.should_keep_alive()
            # There is no cycle before the first request that the application was asked.
            and getattr(cycle, "response_complete", True)
            and not self.flow.write_paused
            and not self.transport.is_closing()
        )

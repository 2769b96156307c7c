"""What an endpoint does to those who ask it, until a trouble is over: each is a context manager."""

from __future__ import annotations

import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Final, TypeAlias

from tests.unit.conftest import Endpoint, Request

Trouble: TypeAlias = Callable[[Endpoint], AbstractContextManager[object]]

_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)


@contextmanager
def silent(endpoint: Endpoint) -> Iterator[None]:
    """Take requests and answer none."""
    gate = threading.Event()

    def hold(_request: Request, _handler: BaseHTTPRequestHandler) -> None:
        gate.wait()

    endpoint.answer = hold
    try:
        yield
    finally:
        gate.set()


@contextmanager
def dripping(endpoint: Endpoint) -> Iterator[None]:
    """Answer with one blank after the other, for no time-out between two bytes to strike."""
    gate = threading.Event()

    def drip(_request: Request, handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        while not gate.wait(0.05):
            handler.wfile.write(b" ")

    endpoint.answer = drip
    try:
        yield
    finally:
        gate.set()


@contextmanager
def resetting(endpoint: Endpoint) -> Iterator[None]:
    """Reset each connection once it has brought a whole request."""

    def reset(_request: Request, handler: BaseHTTPRequestHandler) -> None:
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        os.close(handler.connection.detach())

    endpoint.answer = reset
    yield


@contextmanager
def refusing(endpoint: Endpoint) -> Iterator[None]:
    """Let nobody listen there."""
    endpoint.close()
    yield


@contextmanager
def unreachable(endpoint: Endpoint) -> Iterator[None]:
    """Take no connection and refuse none, as if what is sent were lost on the way."""
    endpoint.close()
    address = "127.0.0.1", endpoint.port
    with ExitStack() as stack:
        stack.enter_context(socket.create_server(address, backlog=0))
        # The queue has room for the first of these, and none for anybody who comes after them.
        for _ in range(2):
            plug = stack.enter_context(socket.socket())
            plug.setblocking(False)
            plug.connect_ex(address)
        yield


TROUBLES: Final[tuple[Trouble, ...]] = (silent, dripping, resetting, refusing, unreachable)

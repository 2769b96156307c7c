"""serve: the application on a socket, by uvicorn."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.server import HANDLED_SIGNALS

from ..errors import UsageError
from .connection import BACKLOG
from .express import Express

GRACE: Final = 10
"""How many seconds requests under way get at shutdown."""
_LAST_PORT: Final = 65_535


def serve(
    app: ASGIApp, host: str = "127.0.0.1", port: int = 8700, *, bound: Callable[[str], object] | None = None
) -> None:
    """Answer until SIGINT or SIGTERM; `bound` is called with the address, such as `http://127.0.0.1:8700`.

    Port 0 takes a free one.  Raises `UsageError` when the address can't be had.
    """
    with _listening(host, port) as listener:
        if bound is not None:
            bound(_address(host, listener))
        _server(app).run(sockets=[listener])


@contextmanager
def running(app: ASGIApp, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Answer from a thread of its own while the block runs; yields the address."""
    with _listening(host, port) as listener:
        server = _server(app)
        thread = threading.Thread(
            target=server.run, kwargs={"sockets": [listener]}, name="keyvault-jwt-server", daemon=True
        )
        thread.start()
        try:
            yield _address(host, listener)
        finally:
            server.should_exit = True
            thread.join()


def _listening(host: str, port: int) -> socket.socket:
    if not 0 <= port <= _LAST_PORT:
        raise UsageError(f"{port} is no port", fix=f"take one from 0, any free one, to {_LAST_PORT}")
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family)
    except OSError as refused:
        raise UsageError(
            f"can't listen on {host}:{port}",
            why=str(refused.strerror),
            fix="choose another port with --port, or see what uses this one",
        ) from None
    # asyncio sets this only on sockets that name their protocol; without it each answer on a kept
    # connection waits some 40 ms for the acknowledgement of its headers.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _address(host: str, listener: socket.socket) -> str:
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{listener.getsockname()[1]}"


def _server(app: ASGIApp) -> uvicorn.Server:
    config = uvicorn.Config(
        app,
        http=Express,
        lifespan="on",
        backlog=BACKLOG,
        # Logging is the application's own to set up, and the metrics count requests.
        log_config=None,
        access_log=False,
        server_header=False,
        # An X-Forwarded-For that anyone may write would fill the table of verifiers with fiction.
        proxy_headers=False,
        ws="none",
        timeout_graceful_shutdown=GRACE,
    )
    return _Server(config)


class _Server(uvicorn.Server):
    """A uvicorn that ends by returning: its own raises the signal again, which would end the process
    before whoever called `serve` has shut down what runs beside it."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Take SIGINT and SIGTERM for the while, in the main thread."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in HANDLED_SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

"""An answer that is read within one time-out, its status line and headers as well as its body.

A socket's time-out starts anew with every byte, and http.client reads a head however slowly it
comes, and any number of `100 Continue` before it.  Here each read waits only for what is left.
"""

from __future__ import annotations

import io
import socket
from http.client import HTTPResponse
from time import monotonic
from typing import Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection


class _Reader(io.RawIOBase):
    """What a socket receives, until the time-out that it has now is over."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._received = connection.makefile("rb", buffering=0)
        timeout = connection.gettimeout()
        self._end = None if timeout is None else monotonic() + timeout

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        if self._end is not None:
            left = self._end - monotonic()
            if left <= 0:
                raise TimeoutError("the answer came too slowly")
            self._connection.settimeout(left)
        return self._received.readinto(buffer)

    def close(self) -> None:
        if not self.closed:
            self._received.close()
        super().close()


class _TimedAnswer(HTTPResponse):
    """http.client's answer; the first byte of its head and the last of its body share a time-out."""

    def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        self.fp.close()
        reader: io.RawIOBase = _Reader(sock)
        self.fp = io.BufferedReader(reader)


class _Connection(HTTPConnection):
    # http.client makes a proxy's answer to CONNECT of it, too.
    response_class = _TimedAnswer


class _TlsConnection(HTTPSConnection):
    response_class = _TimedAnswer


class _Pool(HTTPConnectionPool):
    # urllib3 types this by a protocol that its own connections don't quite follow.
    ConnectionCls: Any = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls: Any = _TlsConnection


def bound_answers(manager: PoolManager) -> None:
    """Let the time-out for reading bound each whole answer over the manager's connections to come."""
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}

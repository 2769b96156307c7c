"""One bounded HTTP GET: a deadline over all of it, a cap on bytes, no redirects, known addresses.

The standard library's client, since none of the well-kept ones (httpx, urllib3) bounds the
whole exchange: their time-outs start anew with every byte and leave name resolution out.
Here a worker does the exchange and the caller stops waiting, and ends it, at the deadline.
No proxy is used, whatever the environment says.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from time import monotonic
from typing import Final

from ._version import __version__
from .errors import FetchError
from .web_address import WebAddress

MAX_BODY: Final = 1_048_576


@dataclass(frozen=True, slots=True)
class Response:
    """What came back: status 200 with a body, or 304 without; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def get(
    where: WebAddress,
    *,
    timeout: float,
    headers: Mapping[str, str] | None = None,
    max_body: int = MAX_BODY,
    tls: ssl.SSLContext | None = None,
) -> Response:
    """Fetch the target within `timeout` seconds, all in all; raises `FetchError`."""
    exchange = _Exchange(where, dict(headers or {}), max_body, tls, deadline=monotonic() + timeout)
    try:
        threading.Thread(target=exchange.run, name="keyvault-jwt-fetch", daemon=True).start()
    except RuntimeError:
        raise FetchError(f"can't fetch {where}", why="no thread can be started") from None
    return exchange.outcome(timeout)


class _Exchange:
    """One request in a thread of its own, which the caller can end from outside."""

    def __init__(
        self,
        where: WebAddress,
        headers: dict[str, str],
        max_body: int,
        tls: ssl.SSLContext | None,
        *,
        deadline: float,
    ) -> None:
        self._where, self._headers, self._max_body, self._tls = where, headers, max_body, tls
        self._deadline = deadline
        self._done = threading.Event()
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._result: Response | FetchError | None = None

    def outcome(self, timeout: float) -> Response:
        finished = self._done.wait(timeout)
        with self._lock:
            result = self._result
            if not finished and result is None:
                result = self._result = self._error("no complete answer in time", f"waited {timeout:g} s")
                self._hang_up()
        if isinstance(result, Response):
            return result
        raise result or self._error("the exchange ended without an outcome")

    def run(self) -> None:
        try:
            result = self._attempt()
            with self._lock:
                if self._result is None:
                    self._result = result
        finally:
            self._done.set()

    def _attempt(self) -> Response | FetchError:
        try:
            return self._exchange()
        except FetchError as error:
            return error
        except TimeoutError:
            return self._error("no complete answer in time")
        except OSError as error:
            return self._error("the connection failed", _reason(error))
        except (http.client.HTTPException, ValueError) as error:
            # By its type alone, since the message may quote what was sent or received.
            return self._error("the exchange is not the HTTP we speak", type(error).__name__)

    def _exchange(self) -> Response:
        client = http.client.HTTPConnection(self._where.host, self._where.port)
        with closing(client), closing(self._connect()) as connection:
            client.sock = connection
            self._send(client)
            with client.getresponse() as answer:
                return self._receive(answer)

    def _connect(self) -> socket.socket:
        candidates = self._resolve()
        failure: OSError | None = None
        for index, (family, address) in enumerate(candidates):
            raw = socket.socket(family, socket.SOCK_STREAM)
            try:
                self._hold(raw)
                # One address that never answers must leave time for the others.
                raw.settimeout(self._left() / (len(candidates) - index))
                raw.connect(address)
                return self._secure(raw)
            except ssl.SSLError:
                raw.close()
                raise
            except OSError as error:
                raw.close()
                failure = error
        raise failure or self._error("the name has no address")

    def _resolve(self) -> list[tuple[socket.AddressFamily, tuple[object, ...]]]:
        try:
            found = socket.getaddrinfo(self._where.host, self._where.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise self._error("the name can't be resolved") from None
        candidates: list[tuple[socket.AddressFamily, tuple[object, ...]]] = []
        for family, _, _, _, address in found:
            host = str(address[0]).partition("%")[0]
            if not self._where.reach.admits(ipaddress.ip_address(host)):
                raise self._error(
                    "the name leads to an address that is not allowed",
                    f"this URL may lead to {self._where.reach.value} only",
                    "allow it explicitly, if it is yours",
                )
            candidates.append((family, address))
        return candidates

    def _secure(self, raw: socket.socket) -> socket.socket:
        raw.settimeout(self._left())
        if self._where.scheme == "http":
            return raw
        context = self._tls or ssl.create_default_context()
        secured = context.wrap_socket(raw, server_hostname=self._where.host, do_handshake_on_connect=False)
        try:
            self._hold(secured)
            secured.do_handshake()
        except OSError:
            secured.close()
            raise
        return secured

    def _send(self, client: http.client.HTTPConnection) -> None:
        query = f"?{self._where.query}" if self._where.query else ""
        client.putrequest("GET", self._where.path + query, skip_host=True, skip_accept_encoding=True)
        sent = {
            "Host": self._where.authority,
            "User-Agent": f"keyvault-jwt/{__version__}",
            "Accept": "application/jwk-set+json, application/json;q=0.9, */*;q=0.1",
            # No compression, so that the cap on bytes is a cap on work.
            "Accept-Encoding": "identity",
            "Connection": "close",
        }
        for name, value in (sent | self._headers).items():
            client.putheader(name, value)
        client.endheaders()

    def _receive(self, answer: http.client.HTTPResponse) -> Response:
        headers: dict[str, str] = {}
        for name, value in answer.getheaders():
            key = name.lower()
            headers[key] = f"{headers[key]}, {value}" if key in headers else value
        if answer.status == http.HTTPStatus.NOT_MODIFIED:
            return Response(answer.status, headers, b"")
        if answer.status != http.HTTPStatus.OK:
            moved = 300 <= answer.status < 400
            raise self._error(
                f"the answer is status {answer.status}",
                "redirects are not followed" if moved else "",
                "give the final URL" if moved else "",
            )
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise self._error("the answer is compressed, though we asked for it plain")
        body = answer.read(self._max_body + 1)
        if len(body) > self._max_body:
            raise self._error("the answer is too long", f"the cap is {self._max_body} bytes")
        if answer.length:
            raise self._error("the answer is cut short")
        return Response(answer.status, headers, body)

    def _hold(self, connection: socket.socket) -> None:
        """Let the caller end what is being waited for, unless it gave up already."""
        with self._lock:
            self._socket = connection
            if self._result is not None:
                self._hang_up()
                raise TimeoutError

    def _hang_up(self) -> None:
        if self._socket is not None:
            # Past SSLSocket.shutdown, which drops state that the worker is still using.  A socket
            # that has not connected yet ends by its own time-out.
            with suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def _left(self) -> float:
        left = self._deadline - monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def _error(self, why: str, detail: str = "", fix: str = "") -> FetchError:
        return FetchError(f"can't fetch {self._where}", why=": ".join(filter(None, (why, detail))), fix=fix)


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the server's certificate is refused, {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed, {error.reason or type(error).__name__}"
    return error.strerror or type(error).__name__

"""One exchange with the server, and what it means when it breaks off."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import requests
from hvac.adapters import RawAdapter
from urllib3 import Timeout
from urllib3.exceptions import HTTPError, NameResolutionError, NewConnectionError
from urllib3.util.ssl_match_hostname import CertificateError

from keyvault_jwt.clock import Clock, Milliseconds
from keyvault_jwt.errors import StoreError, StoreTimeout

from .answer import Answer, parse_answer
from .errors import Denied, NotTrusted, UnknownHost, Unreachable
from .request import Request

_LARGEST: Final = 16 * 1024 * 1024
"""More bytes than any answer of the server's has."""
_CHUNK: Final = 65_536
_UNVERIFIED: Final = (ssl.SSLCertVerificationError, CertificateError)


@dataclass(frozen=True, slots=True)
class Bounds:
    """The bounds of one try, in milliseconds; `read` bounds the whole answer."""

    connect: Milliseconds
    read: Milliseconds
    clock: Clock

    def timeout(self) -> Timeout:
        """Return the same for urllib3; an answer has the less time the longer the connecting took."""
        connect, read = max(self.connect, 1) / 1000, max(self.read, 1) / 1000
        return Timeout(connect=connect, read=read, total=max(connect, read))


def exchange(adapter: RawAdapter, asked: Request, token: str, bounds: Bounds) -> Answer:
    """Send the request once and return the answer.

    Raises `Unreachable`, `UnknownHost` and `NotTrusted` when nothing was sent or it does no harm that
    it was, and `StoreTimeout` for another request of which no answer came.
    """
    headers = dict(asked.headers)
    if token:
        headers["X-Vault-Token"] = _header(token)
    started = bounds.clock.monotonic()
    try:
        with adapter.request(
            asked.method,
            f"/v1/{asked.path}",
            headers=headers,
            json=asked.body,
            timeout=bounds.timeout(),
            stream=True,
        ) as response:
            body = _body(response, bounds, started)
            if token and response.status_code >= 400:
                # A proxy that complains of a request may quote its headers, and errors quote the complaint.
                body = body.replace(token.encode(), b"(the token)")
            return parse_answer(response.status_code, body, response.headers)
    except (requests.RequestException, HTTPError, OSError) as failure:
        # The chain quotes the request, whose headers hold the token.
        raise _told(failure, asked, adapter.base_uri) from None


def _body(response: requests.Response, bounds: Bounds, started: Milliseconds) -> bytes:
    body = bytearray()
    while chunk := response.raw.read1(_CHUNK, decode_content=True):
        body += chunk
        if len(body) > _LARGEST:
            raise requests.ConnectionError("the answer has no end")
        if bounds.clock.monotonic() - started > bounds.read:
            raise requests.ReadTimeout("the answer came too slowly")
    return bytes(body)


def _told(failure: BaseException, asked: Request, server: str) -> StoreError:
    causes = list(_causes(failure))
    if any(isinstance(cause, NameResolutionError | socket.gaierror) for cause in causes):
        return UnknownHost(
            f"the host of {server} is not known",
            why="its name does not resolve",
            fix="check BAO_ADDR or VAULT_ADDR, and the resolver of this machine",
        )
    untrusted = next(filter(None, map(_distrust, causes)), "")
    if untrusted and (asked.safe or any(isinstance(cause, _UNVERIFIED) for cause in causes)):
        return NotTrusted(
            f"no trusted connection to {server}",
            why=untrusted,
            fix="let VAULT_CACERT name the authority of its certificate and VAULT_TLS_SERVER_NAME its name; "
            "see whether it speaks TLS and asks for VAULT_CLIENT_CERT",
        )
    connecting = (NewConnectionError, requests.ConnectTimeout, requests.exceptions.ProxyError)
    if any(isinstance(cause, connecting) for cause in causes):
        return Unreachable(
            f"no connection to {server}",
            why="nothing answers there; nothing was sent",
            fix="check BAO_ADDR or VAULT_ADDR, and that the server runs",
        )
    slow = any(isinstance(cause, TimeoutError | requests.Timeout) for cause in causes)
    why = "no answer came in time" if slow else "the connection broke before the answer"
    if asked.safe:
        return Unreachable(f"{server} did not answer", why=why, fix="see whether the server is overloaded")
    return StoreTimeout(f"whether {asked} took effect is not known", why=why, fix="read it again to find out")


def _distrust(cause: BaseException) -> str:
    """Return what was wrong in a TLS handshake; an empty string for what is no such failure."""
    if isinstance(cause, ssl.SSLCertVerificationError):
        return cause.verify_message
    if isinstance(cause, CertificateError):
        return "its certificate bears another name"
    if isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError) or not isinstance(cause, ssl.SSLError):
        return ""
    return f"TLS failed: {cause.reason or 'no reason given'}"


def _causes(failure: BaseException) -> Iterator[BaseException]:
    """Yield an exception and all that it was raised from, or that it carries as its reason."""
    seen: set[int] = set()
    waiting: list[object] = [failure]
    while waiting:
        cause = waiting.pop()
        if isinstance(cause, BaseException) and id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            waiting += [cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args]


def _header(token: str) -> str:
    if not token.isascii() or not token.isprintable() or " " in token:
        raise Denied(
            "the token for Vault is not one line of ASCII",
            fix="set VAULT_TOKEN without spaces, quotes or line ends",
        )
    return token

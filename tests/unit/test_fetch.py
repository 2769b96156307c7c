"""Fetch: one GET within its bounds, from real servers that behave in every bad way."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from keyvault_jwt.errors import FetchError
from keyvault_jwt.fetch import Response, get
from keyvault_jwt.web_address import Reach, WebAddress, web_address

from .conftest import Endpoint, Request, plain

Handler = BaseHTTPRequestHandler


def fetch(endpoint: Endpoint, path: str = "/", timeout: float = 20, max_body: int = 1000) -> Response:
    """Get from the endpoint."""
    return get(web_address(endpoint.url + path), timeout=timeout, max_body=max_body)


def test_good_answer(endpoint: Endpoint) -> None:
    """Status, headers and body come back; the request says who asks and wants no compression."""
    endpoint.answer = plain(b"body", ETag='"1"', Age="7")
    response = get(
        web_address(endpoint.url + "/a/b?c=d"),
        timeout=20,
        headers={"Authorization": "Bearer x", "Accept": "*/*"},
    )
    assert (response.status, response.body) == (200, b"body")
    assert (response.headers["etag"], response.headers["age"]) == ('"1"', "7")
    (request,) = endpoint.requests
    assert request.path == "/a/b?c=d"
    assert request.headers["host"] == f"127.0.0.1:{endpoint.port}"
    assert request.headers["user-agent"].startswith("keyvault-jwt/")
    assert request.headers["accept-encoding"] == "identity"
    assert (request.headers["authorization"], request.headers["accept"]) == ("Bearer x", "*/*")


def test_not_modified(endpoint: Endpoint) -> None:
    """A 304 is an answer too."""
    endpoint.answer = plain(b"", 304, ETag='"1"')
    assert fetch(endpoint).status == 304


def test_repeated_headers_are_one_list(endpoint: Endpoint) -> None:
    """Several headers of one name are joined (RFC 9110 section 5.3)."""

    def twice(request: Request, handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Cache-Control", "max-age=5")
        handler.send_header("Cache-Control", "no-store")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    endpoint.answer = twice
    assert fetch(endpoint).headers["cache-control"] == "max-age=5, no-store"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(endpoint: Endpoint, status: int) -> None:
    """A redirect is a failure, and its target gets no request."""
    other = Endpoint()
    endpoint.answer = plain(b"", status, Location=other.url)
    with pytest.raises(FetchError, match=f"{status}: redirects"):
        fetch(endpoint)
    other.close()
    assert other.requests == []
    assert len(endpoint.requests) == 1


@pytest.mark.parametrize("status", [201, 204, 206, 401, 403, 404, 429, 500, 503])
def test_other_statuses_fail(endpoint: Endpoint, status: int) -> None:
    """Nothing but 200 and 304 is an answer."""
    endpoint.answer = plain(b"", status)
    with pytest.raises(FetchError, match=str(status)):
        fetch(endpoint)


def raw(data: bytes, *, hold: bool = False) -> Callable[[Request, Handler], None]:
    """Answer with these bytes, head included; with `hold`, leave the connection open then."""

    def answer(request: Request, handler: Handler) -> None:
        handler.wfile.write(data)
        if hold:
            handler.rfile.read(1)

    return answer


@pytest.mark.parametrize(
    "answer",
    [
        plain(b"x" * 1001),
        raw(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1001),
        raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3ea\r\n" + b"x" * 1002 + b"\r\n0\r\n\r\n"),
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"),
        raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf"),
        raw(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n"),
        raw(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n"),
        raw(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n"),
        raw(b"HTTP/1.1 9999 OK\r\n\r\n"),
        raw(b"SSH-2.0-server\r\n"),
        raw(b""),
    ],
    ids=[
        "too long",
        "too long until close",
        "too long in chunks",
        "cut short",
        "chunk cut short",
        "compressed",
        "too many headers",
        "too long a header",
        "bad status",
        "not HTTP",
        "nothing",
    ],
)
def test_bad_answers(endpoint: Endpoint, answer: Callable[[Request, Handler], None]) -> None:
    """An answer that is too long, incomplete, compressed or not HTTP is one error."""
    endpoint.answer = answer
    with pytest.raises(FetchError):
        fetch(endpoint)


def test_body_at_the_cap(endpoint: Endpoint) -> None:
    """A body of exactly the cap is taken."""
    endpoint.answer = plain(b"x" * 1000)
    assert len(fetch(endpoint).body) == 1000


def drip(start: bytes) -> Callable[[Request, Handler], None]:
    """Answer with one byte after another, for as long as somebody reads."""

    def answer(request: Request, handler: Handler) -> None:
        handler.wfile.write(start)
        while True:
            handler.wfile.write(b"a")
            time.sleep(0.02)

    return answer


@pytest.mark.parametrize(
    "answer",
    [
        drip(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"),
        drip(b"HTTP/1.1 200 OK\r\nX-Header: "),
        drip(b"HTTP/1.1 "),
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", hold=True),
        raw(b"", hold=True),
    ],
    ids=["dripping body", "dripping header", "dripping status", "stalled body", "silence"],
)
def test_deadline_covers_the_whole_exchange(
    endpoint: Endpoint, answer: Callable[[Request, Handler], None]
) -> None:
    """However the bytes come, the call ends at its deadline and so does the connection."""
    ended = threading.Event()

    def watched(request: Request, handler: Handler) -> None:
        try:
            answer(request, handler)
        finally:
            ended.set()

    endpoint.answer = watched
    with pytest.raises(FetchError, match="in time"):
        fetch(endpoint, timeout=0.3, max_body=1_000_000)
    assert ended.wait(10)


def test_nobody_listens() -> None:
    """A refused connection says so, with the URL but without its query."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = web_address(f"http://127.0.0.1:{free.getsockname()[1]}/jwks?token=SECRET")
        with pytest.raises(FetchError, match="refused") as failed:
            get(address, timeout=20)
    assert "SECRET" not in str(failed.value)
    assert "/jwks" in str(failed.value)


def test_name_that_is_none() -> None:
    """A name that does not resolve is one error."""
    with pytest.raises(FetchError, match="resolved"):
        get(web_address("https://nobody.invalid/"), timeout=20)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0x7f.1", "2130706433"])
def test_learned_url_reaches_no_private_address(endpoint: Endpoint, host: str) -> None:
    """With `Reach.PUBLIC`, every spelling of a private address is refused before it is connected to."""
    address = WebAddress("http", host, endpoint.port, "/", "", Reach.PUBLIC)
    with pytest.raises(FetchError, match="not allowed"):
        get(address, timeout=20)
    assert endpoint.requests == []
    assert get(WebAddress("http", host, endpoint.port, "/", "", Reach.ANYWHERE), timeout=20).status == 200


def test_environment_has_no_say(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy is used, whatever the environment says."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert fetch(endpoint).status == 200


@pytest.fixture
def tls_endpoint(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A TLS server for localhost with a certificate of its own; its URL and that certificate."""
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost"
    )
    subprocess.run(
        [*command.split(), "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    endpoint = Endpoint()
    endpoint.wrap(context)
    yield f"https://localhost:{endpoint.port}/", certificate
    endpoint.close()


def test_certificates_are_verified(tls_endpoint: tuple[str, Path]) -> None:
    """TLS works with a trusted certificate of the right name, and with no other."""
    url, certificate = tls_endpoint
    trusting = ssl.create_default_context(cafile=certificate)
    assert get(web_address(url), timeout=20, tls=trusting).status == 200
    with pytest.raises(FetchError, match="certificate is refused"):
        get(web_address(url), timeout=20)
    with pytest.raises(FetchError, match="certificate is refused"):
        get(web_address(url.replace("localhost", "127.0.0.1")), timeout=20, tls=trusting)


def test_plain_server_behind_https(endpoint: Endpoint) -> None:
    """A server that does not speak TLS is one error."""
    endpoint.answer = plain(b"")
    with pytest.raises(FetchError, match="TLS"):
        get(web_address(endpoint.url.replace("http", "https")), timeout=20)


def test_handshake_that_never_ends() -> None:
    """A server that accepts and says nothing is left at the deadline."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = web_address(f"https://127.0.0.1:{server.getsockname()[1]}/")
        with pytest.raises(FetchError, match="in time"):
            get(address, timeout=0.3)

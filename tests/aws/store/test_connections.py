"""Credentials that are none, and servers that are not AWS's: what is told, and what is not sent."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from keyvault_jwt.errors import (
    StoreTimeout,
    StoreUnavailable,
)
from keyvault_jwt.store import DocumentKind, DocumentName, Draft
from keyvault_jwt_aws import open_url
from keyvault_jwt_aws.errors import (
    BadCredentials,
    NotTrusted,
    ServiceFailed,
    Unreachable,
)
from tests.aws.machine import RING
from tests.vault.auth.authority import Authority

NAME = DocumentName(RING, DocumentKind.AUTHORITY)
QUICK = "&connect_timeout=500ms&read_timeout=2s&deadline=4s"


def draft(data: bytes = b"{}", revision: int = 1) -> Draft:
    """Return a draft of a write of its own."""
    return Draft(data, revision, uuid4())


def test_no_credentials(prefix_url: str, environment: pytest.MonkeyPatch) -> None:
    """Without credentials the error says where they are looked for."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        environment.delenv(name)
    with open_url(prefix_url) as store, pytest.raises(BadCredentials, match="AWS_PROFILE"):
        store.read(NAME)


def test_no_such_profile(prefix_url: str) -> None:
    """A profile that is not there is named as what to look at."""
    with open_url(f"{prefix_url}&profile=nobody") as store, pytest.raises(BadCredentials, match="profile"):
        store.read(NAME)


def test_a_credential_process_that_fails(
    prefix_url: str, environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A profile whose command fails is told without quoting what the command printed."""
    config = tmp_path / "config"
    config.write_text('[profile broken]\ncredential_process = sh -c "echo canary-9f2 >&2; exit 1"\n')
    environment.setenv("AWS_CONFIG_FILE", str(config))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        environment.delenv(name)
    with open_url(f"{prefix_url}&profile=broken") as store, pytest.raises(BadCredentials) as caught:
        store.read(NAME)
    assert "canary-9f2" not in str(caught.value)


def test_nobody_answers(environment: pytest.MonkeyPatch) -> None:
    """A port where nothing listens is told as what was not sent."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    url = f"awssm://us-east-1/jwt?endpoint_url=http://127.0.0.1:{port}{QUICK}"
    with open_url(url) as store:
        with pytest.raises(Unreachable, match="nothing was sent"):
            store.read(NAME)
        with pytest.raises(Unreachable, match="nothing was sent"):
            store.replace(NAME, draft(), expected=None)


@contextmanager
def page_server(context: ssl.SSLContext | None = None) -> Iterator[str]:
    """A server that answers everything with a page, as a proxy before a log-in does; yields its URL."""

    class Page(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>log in first</html>")

        def log_message(self, *arguments: Any) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        def finish_request(self, request: Any, client_address: Any) -> None:
            if context is None:
                super().finish_request(request, client_address)
                return
            try:
                with context.wrap_socket(request, server_side=True) as trusted:
                    super().finish_request(trusted, client_address)
            except OSError:
                return  # the client did not like the certificate

    with Server(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"{'https' if context else 'http'}://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_a_page_is_no_answer(environment: pytest.MonkeyPatch) -> None:
    """A page instead of an answer is told as such, and leaves open whether a write was carried out."""
    with page_server() as url, open_url(f"awssm://us-east-1/jwt?endpoint_url={url}") as store:
        with pytest.raises(ServiceFailed, match="proxies"):
            store.read(NAME)
        with pytest.raises(StoreTimeout):
            store.replace(NAME, draft(), expected=None)


def test_a_certificate_that_nobody_vouches_for(tmp_path: Path, environment: pytest.MonkeyPatch) -> None:
    """Nothing is sent to a server with such a certificate; with AWS_CA_BUNDLE it is heard."""
    authority = Authority(tmp_path)
    certificate, key = authority.issue("server", server=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with page_server(context) as url:
        with open_url(f"awssm://us-east-1/jwt?endpoint_url={url}{QUICK}") as store:
            for call in (lambda: store.read(NAME), lambda: store.replace(NAME, draft(), expected=None)):
                with pytest.raises(NotTrusted, match="AWS_CA_BUNDLE"):
                    call()
        environment.setenv("AWS_CA_BUNDLE", str(authority.file))
        trusting = open_url(f"awssm://us-east-1/jwt?endpoint_url={url}{QUICK}")
        with trusting, pytest.raises(ServiceFailed, match="proxies"):
            trusting.read(NAME)


def test_no_tls(environment: pytest.MonkeyPatch) -> None:
    """An https endpoint that speaks no TLS is unavailable, whatever it says."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def answer() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        url = f"awssm://us-east-1/jwt?endpoint_url=https://127.0.0.1:{port}{QUICK}"
        with open_url(url) as store, pytest.raises(StoreUnavailable):
            store.read(NAME)
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)

"""Keys that sign whatever a test asks for, and a web server that answers whatever it is told to."""

from __future__ import annotations

import itertools
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec
import pytest

from keyvault_jwt import base64url, jwks
from keyvault_jwt.algorithms import algorithm_named
from keyvault_jwt.jwk import Secret, secret_members
from keyvault_jwt.key_factory import FreshKey, LocalKeyFactory, load_private
from keyvault_jwt.testing.fake_clock import FakeClock


class TestKey:
    """A key pair that makes tokens, wrong ones too."""

    __test__ = False

    def __init__(self, fresh: FreshKey) -> None:
        self.kid, self.algorithm, self.members = fresh.kid, fresh.algorithm, fresh.public
        assert fresh.private is not None
        self.private = load_private(fresh.algorithm, fresh.private)
        self._sign = algorithm_named(fresh.algorithm).signer(self.private)

    def jwk(self, **members: Any) -> dict[str, Any]:
        """Return the JWK as published (`oct` if symmetric), with members changed; None removes one."""
        if isinstance(self.private, Secret):
            made: dict[str, Any] = {**secret_members(self.private), "kid": self.kid, "alg": self.algorithm}
        else:
            assert self.members is not None
            made = dict(jwks.published(self.kid, self.algorithm, self.members))
        return {name: value for name, value in (made | members).items() if value is not None}

    def token(self, claims: Mapping[str, Any] | bytes, **header: Any) -> str:
        """Return a compact token; header members are added or, by None, left out."""
        full = {"alg": self.algorithm, "typ": "JWT", "kid": self.kid} | header
        return self.raw_token(
            msgspec.json.encode({name: value for name, value in full.items() if value is not None}),
            claims if isinstance(claims, bytes) else msgspec.json.encode(claims),
        )

    def raw_token(self, header: bytes, payload: bytes) -> str:
        """Return a compact token over these very bytes."""
        signing_input = f"{base64url.encode(header)}.{base64url.encode(payload)}"
        return f"{signing_input}.{base64url.encode(self._sign(signing_input.encode()))}"


def jwk_set(*keys: Mapping[str, Any], **members: Any) -> bytes:
    """Return a JWK Set as JSON."""
    return msgspec.json.encode({"keys": list(keys), **members})


@pytest.fixture(scope="session")
def make_key() -> Callable[..., TestKey]:
    """Make keys by algorithm; the second argument counts, so that two tests can share slow ones."""
    made: dict[tuple[str, int], TestKey] = {}
    counter = itertools.count(1000)

    def make(algorithm: str, number: int | None = None) -> TestKey:
        name = (algorithm, next(counter) if number is None else number)
        if name not in made:
            made[name] = TestKey(LocalKeyFactory().make(algorithm))
        return made[name]

    return make


@pytest.fixture
def clock() -> FakeClock:
    """A clock that the test moves."""
    return FakeClock()


@pytest.fixture
def claims(clock: FakeClock) -> dict[str, Any]:
    """Claims that are good for a minute, for issuer https://id.example and audience api."""
    now = clock.wall() // 1000
    return {"iss": "https://id.example", "aud": "api", "sub": "u1", "iat": now, "exp": now + 60}


@dataclass
class Request:
    """A request as the endpoint got it; header names in lower case."""

    path: str
    headers: dict[str, str]


Answer = Callable[[Request, BaseHTTPRequestHandler], None]


class Endpoint:
    """A web server on a loopback port; `answer` is called with each request, which it may hold up."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.answer: Answer = plain(jwk_set())
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                request = Request(self.path, {name.lower(): value for name, value in self.headers.items()})
                endpoint.requests.append(request)
                with suppress(OSError):
                    endpoint.answer(request, self)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Stay silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    @property
    def port(self) -> int:
        return self._server.server_address[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def publish(self, *keys: Mapping[str, Any], cache_control: str = "max-age=300", **members: Any) -> None:
        """Answer with this JWK Set from now on."""
        self.answer = plain(jwk_set(*keys, **members), **{"Cache-Control": cache_control})

    def wrap(self, context: ssl.SSLContext) -> None:
        """Speak TLS from now on."""
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    def close(self) -> None:
        """Answer nothing more; the port is free afterwards."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def plain(body: bytes, status: int = 200, **headers: str) -> Answer:
    """Answer with these bytes."""

    def answer(request: Request, handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    """A web server of the test's own."""
    server = Endpoint()
    yield server
    server.close()


def eventually(condition: Callable[[], object], seconds: float = 30) -> None:
    """Wait until the condition holds; fail when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass in time"
        time.sleep(0.002)

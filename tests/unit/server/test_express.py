"""The short way answers what the application would, and leaves to it what is not plain."""

from __future__ import annotations

import asyncio
import http.client
import socket
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.server import ServerState

from keyvault_jwt.errors import StoreUnavailable
from keyvault_jwt.key_manager import KeyManager
from keyvault_jwt.server import Observers, create_app, running
from keyvault_jwt.server.express import LONGEST, OFFER, Express
from keyvault_jwt.testing import FakeClock
from tests.faulty_store import FAST, FaultyStore
from tests.unit.server.conftest import ISSUER
from tests.waiting import until

JWKS = "/payments/.well-known/jwks.json"
LEASE_MS = 1500

Headers: TypeAlias = tuple[tuple[str, str], ...]
Answer: TypeAlias = tuple[int, list[tuple[str, str]], bytes]


@dataclass
class Twin:
    """A server, with the targets that reached its application; asked over one kept connection."""

    address: str = ""
    reached: list[str] = field(default_factory=list)

    def asked_by(self, app: ASGIApp, *, short: bool) -> ASGIApp:
        """Return the application watched, its short way kept from the server unless `short`."""

        async def watched(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http":
                self.reached.append(scope["path"])
            elif not short:
                scope = {**scope, "state": {}}
            await app(scope, receive, send)

        return watched

    def connect(self) -> socket.socket:
        """Return a connection for bytes."""
        address = urlsplit(self.address)
        assert address.hostname is not None
        return socket.create_connection((address.hostname, address.port or 0), timeout=30)

    def asks_application(self, method: str, target: str, headers: Headers) -> tuple[Answer, bool]:
        """Return the answer without its date, and whether the application gave it."""
        before, address = len(self.reached), urlsplit(self.address)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value)
        connection.endheaders()
        found = connection.getresponse()
        fields = sorted((name, value) for name, value in found.getheaders() if name != "date")
        assert found.getheader("date")
        answer = found.status, fields, found.read()
        connection.close()
        return answer, len(self.reached) > before


@pytest.fixture
def twins(store: FaultyStore, manager: KeyManager, clock: FakeClock) -> Iterator[tuple[Twin, Twin]]:
    """One server with the short way and one without, over the same store."""
    manager.create("a.b-c_d", FAST, issuer=ISSUER)
    both = Twin(), Twin()
    with ExitStack() as stack:
        for twin, short in zip(both, (True, False), strict=True):
            observers = Observers(clock=clock, then=lambda event: None)
            app = create_app(store, default_ring="payments", observers=observers)
            twin.address = stack.enter_context(running(twin.asked_by(app, short=short)))
            assert httpx.get(f"{twin.address}{JWKS}").status_code == 200
        yield both


def etag(twin: Twin) -> str:
    """Return the ETag of the set that goes out."""
    return httpx.get(f"{twin.address}{JWKS}").headers["etag"]


PLAIN: list[tuple[str, Headers]] = [
    (JWKS, ()),
    ("/.well-known/jwks.json", ()),
    ("/a.b-c_d/.well-known/jwks.json", ()),
    (JWKS, (("User-Agent", "a\x85b\xe9" + "c" * 100),)),
    *(
        (JWKS, (("If-None-Match", form), ("User-Agent", f"has {form}")))
        for form in ("{}", "W/{}", '"x", {}', "*", " * ", '"x"', "", "W/", '"a"' * 3_000)
    ),
]

OTHER_TARGETS = (
    *(f"{JWKS}?", f"{JWKS}?ring=a.b-c_d", f"{JWKS}/", f"/{JWKS}", f"{JWKS}#x", f"http://id.example{JWKS}"),
    "//.well-known/jwks.json",
    "/pay%6dents/.well-known/jwks.json",
    "/payments/%2ewell-known/jwks.json",
    "/payments/.well-known/JWKS.json",
    "/PAYMENTS/.well-known/jwks.json",
    "/payments%2f/.well-known/jwks.json",
    "/payments%00/.well-known/jwks.json",
    "/x/payments/.well-known/jwks.json",
    "/x/../payments/.well-known/jwks.json",
    "/nobody/.well-known/jwks.json",
    "/a..b/.well-known/jwks.json",
    "/" + "a" * 64 + "/.well-known/jwks.json",
    *("/payments/.well-known/openid-configuration", "/payments", "/healthz", "/nobody"),
)
OTHER_METHODS = ("HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND")
OTHER: list[tuple[str, str, Headers]] = [
    *(("GET", target, ()) for target in OTHER_TARGETS),
    *((method, JWKS, ()) for method in OTHER_METHODS),
    ("HEAD", JWKS, (("If-None-Match", "{}"),)),
    ("GET", JWKS, (("If-None-Match", '"x"'), ("If-None-Match", "{}"))),
    ("GET", JWKS, (("User-Agent", "one"), ("User-Agent", "two"))),
    ("GET", JWKS, (("Content-Length", "0"),)),
    ("GET", JWKS, (("Connection", "close"),)),
    ("GET", JWKS, (("Connection", "upgrade"), ("Upgrade", "websocket"))),
    ("GET", JWKS, (("Expect", "100-continue"),)),
]


def test_both_ways_answer_the_same(twins: tuple[Twin, Twin]) -> None:
    """Status, headers, body, counts and the table of verifiers are the application's, plain or not."""
    short, long = twins
    tag = etag(long)
    assert tag == etag(short)
    requests = [("GET", target, headers, True) for target, headers in PLAIN]
    requests += [(method, target, headers, False) for method, target, headers in OTHER]
    for method, target, headers, plain in requests:
        sent = tuple((name, value.replace("{}", tag)) for name, value in headers)
        answer, application = short.asks_application(method, target, sent)
        assert (answer, True) == long.asks_application(method, target, sent), (method, target, sent)
        assert application is not plain, (method, target, sent)
    tables = [httpx.get(f"{twin.address}/verifiers").json()["verifiers"] for twin in twins]
    assert tables[0] == tables[1]
    seen = {(row["ring"], row["held"] is not None) for row in tables[0]}
    assert seen == {("payments", True), ("payments", False), ("a.b-c_d", False)}
    assert counts(short) == counts(long)


def counts(twin: Twin) -> list[str]:
    """Return how often each route was answered with each status."""
    lines = httpx.get(f"{twin.address}/metrics").text.splitlines()
    return [line for line in lines if line.startswith("keyvault_jwt_http_requests_total")]


def test_both_ways_end_with_the_lease(twins: tuple[Twin, Twin], store: FaultyStore, clock: FakeClock) -> None:
    """The lease is checked at each request: one millisecond past it both refuse, in the same words."""
    store.failure = StoreUnavailable("down")
    clock.advance(LEASE_MS)
    assert [twin.asks_application("GET", JWKS, ())[0][0] for twin in twins] == [200, 200]
    clock.advance(1)
    for target in (JWKS, "/.well-known/jwks.json"):
        (one, application), (other, _) = (twin.asks_application("GET", target, ()) for twin in twins)
        assert one == other
        assert one[0] == 503
        assert application


def test_another_set_is_printed_anew(twins: tuple[Twin, Twin], manager: KeyManager, clock: FakeClock) -> None:
    """After a revocation the short way hands out the new set, as soon as it is read."""
    short, _ = twins
    tag, kid = etag(short), manager.keyring("payments").standbys("ES256")[0].kid
    manager.revoke("payments", kid, reason="leaked")
    clock.advance(1_000)
    with httpx.Client(base_url=short.address) as client:
        until(lambda: client.get(JWKS, headers={"If-None-Match": tag}).status_code == 200)
        assert kid not in client.get(JWKS).text
    assert short.reached == []


# --- the connection ----------------------------------------------------------------------------


def get(target: str) -> bytes:
    """Return a request's bytes."""
    return f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode()


def read_answers(connection: socket.socket, number: int) -> Iterator[tuple[int, bytes]]:
    """Yield as many answers, each as status and body, by their lengths."""
    with connection.makefile("rb") as stream:
        for _ in range(number):
            status, length = int(stream.readline().split()[1]), 0
            while (line := stream.readline()) != b"\r\n":
                name, _, value = line.partition(b":")
                length = int(value) if name == b"content-length" else length
            yield status, stream.read(length)


def test_answers_keep_their_order(twins: tuple[Twin, Twin]) -> None:
    """What is asked at once is answered in turn, though the application takes a thread for some of it."""
    short, _ = twins
    asked = [JWKS, "/metrics", JWKS, "/healthz", "/nobody", JWKS, JWKS, "/verifiers", JWKS]
    with short.connect() as connection:
        connection.sendall(b"".join(map(get, asked)))
        answers = list(read_answers(connection, len(asked)))
    assert [status for status, _ in answers] == [404 if target == "/nobody" else 200 for target in asked]
    assert [b'"keys"' in body for _, body in answers] == [target == JWKS for target in asked]
    assert JWKS in short.reached, "behind an answer that is not sent yet there is no short way"


def test_a_request_may_come_byte_by_byte(twins: tuple[Twin, Twin]) -> None:
    """However the network cuts it, it is one request."""
    short, _ = twins
    with short.connect() as connection:
        for byte in get(JWKS) * 2:
            connection.sendall(bytes([byte]))
        answers = list(read_answers(connection, 2))
    assert [status for status, _ in answers] == [200, 200]
    assert short.reached == []


class Always:
    """A short way that answers `/short`."""

    def answer(self, target: bytes, fields: Mapping[bytes, bytes], client: str) -> tuple[bytes, bytes] | None:
        """Return an answer without a body."""
        return (b"HTTP/1.1 204 No Content\r\n", b"") if target == b"/short" else None


async def answers_behind_an_idle_time() -> bytes:
    """Return what is answered to `/short` and a slow request in one read, by a server where none may idle."""
    idled = asyncio.Event()

    async def slow(_scope: Scope, _receive: Receive, send: Send) -> None:
        await idled.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
        await send({"type": "http.response.body", "body": b"slow"})

    config, state = Config(slow, lifespan="off", timeout_keep_alive=0, log_config=None), ServerState()
    loop = asyncio.get_running_loop()
    async with (
        asyncio.timeout(30),
        await loop.create_server(lambda: Express(config, state, {OFFER: Always()}), "127.0.0.1", 0) as server,
    ):
        address = server.sockets[0].getsockname()
        (one, ask), (other, ask_other) = [await asyncio.open_connection(*address) for _ in range(2)]
        ask.write(get("/short") + get("/slow"))
        first = await one.readuntil(b"\r\n\r\n")
        ask_other.write(get("/short"))
        assert await other.read(), "answered, and closed by a timer that was armed after the first"
        idled.set()
        answers = first + await one.read()
        for stream in (ask, ask_other):
            stream.close()
            await stream.wait_closed()
        return answers


def test_no_timer_runs_while_the_application_works() -> None:
    """A short answer lets a connection idle for a while; a request behind it in one read ends that."""
    first, second = asyncio.run(answers_behind_an_idle_time()).split(b"\r\n\r\n", 1)
    assert first.startswith(b"HTTP/1.1 204 ")
    assert second.startswith(b"HTTP/1.1 200 ")
    assert second.endswith(b"\r\n\r\nslow")


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_an_idle_connection_is_closed(twins: tuple[Twin, Twin], version: str) -> None:
    """An answer of HTTP/1.0 ends the connection, one of HTTP/1.1 gives it some seconds to ask again."""
    request = f"GET {JWKS} HTTP/{version}\r\nHost: x\r\nConnection: keep-alive\r\n\r\n".encode()
    whole = []
    for twin in twins:
        with twin.connect() as connection, connection.makefile("rb") as stream:
            connection.sendall(request)
            whole.append(sorted(line for line in stream if not line.startswith(b"date:")))
    assert whole[0] == whole[1]
    assert b"HTTP/1.1 200 OK\r\n" in whole[0]


def test_who_asks_without_reading_is_waited_for(twins: tuple[Twin, Twin]) -> None:
    """When more is asked than the client takes, the application's way waits, and no answer is lost."""
    short, _ = twins
    number = 40_000
    with short.connect() as connection, ThreadPoolExecutor(1) as other:
        sending = other.submit(connection.sendall, get(JWKS) * number)
        until(lambda: JWKS in short.reached)
        assert [status for status, _ in read_answers(connection, number)] == [200] * number
        sending.result()


@pytest.mark.parametrize(
    "endless", [b"GET /", b"GET / HTTP/1.1\r\nA: ", b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n"]
)
def test_a_request_without_end_is_cut(twins: tuple[Twin, Twin], endless: bytes) -> None:
    """Its bytes are not gathered for ever: it is refused, and the next is answered."""
    short, _ = twins
    with short.connect() as connection, pytest.raises(OSError, match=r"reset|Broken pipe"):  # noqa: PT012
        connection.sendall(endless)
        while True:
            connection.sendall(b"a" * LONGEST)
    assert short.asks_application("GET", JWKS, ())[0][0] == 200


def long_get(target: str, length: int) -> bytes:
    """Return a request of so many bytes."""
    request = get(target)
    return request.replace(b"x", b"x" * (length - len(request) + 1))


@pytest.mark.parametrize("piece", [1_000, LONGEST, 3 * LONGEST])
def test_the_bound_is_exact_however_a_request_is_cut(twins: tuple[Twin, Twin], piece: int) -> None:
    """A request of the most bytes is answered; one byte more, though it ends the request, is refused."""
    for length, status in ((LONGEST, 200), (LONGEST + 1, 400)):
        request = long_get(JWKS, length)
        with twins[0].connect() as connection:
            for start in range(0, length, piece):
                connection.sendall(request[start : start + piece])
            assert [status for status, _ in read_answers(connection, 1)] == [status]


def test_the_bound_is_on_a_request(twins: tuple[Twin, Twin]) -> None:
    """A connection may carry more, at once and in turn."""
    with twins[0].connect() as connection:
        for _ in range(2):
            connection.sendall(long_get(JWKS, LONGEST - 1_000) * 3)
            assert [status for status, _ in read_answers(connection, 3)] == [200, 200, 200]


class Line(asyncio.Transport):
    """A connection that carries nothing: what was written to it stays here."""

    def __init__(self) -> None:
        super().__init__()
        self.written, self.closed = b"", False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keep it."""
        self.written += data

    def close(self) -> None:
        """Be closed."""
        self.closed = True

    def is_closing(self) -> bool:
        """Whether it was closed."""
        return self.closed


@pytest.mark.parametrize(("length", "refused"), [(LONGEST, False), (2 * LONGEST + 1, True)])
def test_behind_another_the_bound_is_twice_as_far(length: int, refused: bool) -> None:
    """Of what one read brings with the end of another request a piece is not counted, and the next are."""

    async def never(_scope: Scope, _receive: Receive, _send: Send) -> None:
        pytest.fail("the application was asked")

    async def written() -> bytes:
        line = Line()
        express = Express(Config(never, lifespan="off", log_config=None), ServerState(), {OFFER: Always()})
        express.connection_made(line)
        express.data_received(get("/short") + long_get("/short", length))
        return line.written

    found = asyncio.run(written())
    assert found.count(b"HTTP/1.1 204 ") == (1 if refused else 2)
    assert found.count(b"HTTP/1.1 400 ") == (1 if refused else 0)


def test_a_server_that_knows_no_state_serves_all(store: FaultyStore, manager: KeyManager) -> None:
    """The short way is an offer: an ASGI server without a lifespan's state has the application alone."""
    app = create_app(store)

    async def stateless(scope: Scope, receive: Receive, send: Send) -> None:
        await app({name: value for name, value in scope.items() if name != "state"}, receive, send)

    with running(stateless) as address:
        assert httpx.get(f"{address}{JWKS}").status_code == 200

"""Express: a connection on which some answers are short, seen from its other end."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.types import Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.server import ServerState

from keyvault_jwt.server.express import LONGEST, OFFER, Express
from tests.unit.server.twin import JWKS, Twin
from tests.waiting import until


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


class Breaking(asyncio.Transport):
    """A transport that breaks with the first write, as one whose client has reset the connection."""

    def __init__(self) -> None:
        super().__init__()
        self.writes = 0

    def write(self, _data: bytes | bytearray | memoryview) -> None:
        """Break."""
        self.writes += 1

    def is_closing(self) -> bool:
        """Whether it is broken."""
        return self.writes > 0

    def pause_reading(self) -> None:
        """Read nothing, as before."""


def test_nothing_is_answered_to_one_who_is_gone() -> None:
    """Of many requests in one read, none is answered that way after a write has failed."""

    async def writes() -> int:
        config = Config(lambda *_: None, lifespan="off", log_config=None)  # type: ignore[arg-type]
        protocol, transport = Express(config, ServerState(), {OFFER: Always()}), Breaking()
        protocol.connection_made(transport)
        protocol.data_received(get("/short") * 50)
        return transport.writes

    assert asyncio.run(writes()) == 1


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

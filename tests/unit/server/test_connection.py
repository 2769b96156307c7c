"""Connection: who asks nothing, or reads nothing, is not kept, and neither are more than there may be."""

from __future__ import annotations

import asyncio
import logging
import resource
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.server import ServerState

from keyvault_jwt.server import connection
from keyvault_jwt.server.connection import Limits
from keyvault_jwt.server.express import Express

REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
Client: TypeAlias = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connect: TypeAlias = Callable[[], Any]
SOON = Limits(most=100, silence=0.05)
NEVER = Limits(most=3, silence=3_600)


async def answering(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer with nothing."""
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


@asynccontextmanager
async def served(
    limits: Limits, app: ASGIApp = answering, state: ServerState | None = None
) -> AsyncIterator[Connect]:
    """Serve an application under these limits; yields what connects, and `state` holds the server's side."""

    class Limited(Express):
        """A connection under the test's limits."""

    Limited.limits = limits
    config = Config(app, lifespan="off", timeout_keep_alive=3_600, log_config=None)
    state = ServerState() if state is None else state
    loop, clients = asyncio.get_running_loop(), list[Client]()
    async with (
        asyncio.timeout(30),
        await loop.create_server(lambda: Limited(config, state, {}), "127.0.0.1", 0) as server,
    ):
        address = server.sockets[0].getsockname()

        async def connect() -> Client:
            clients.append(await asyncio.open_connection(*address))
            return clients[-1]

        yield connect
        for _, writer in clients:
            writer.transport.abort()


async def is_ended(reader: asyncio.StreamReader) -> bool:
    """Whether the server ends the connection; waits until it does."""
    try:
        return await reader.read() is not None
    except ConnectionResetError:
        return True


@pytest.mark.parametrize("begun", [b"", b"GET", b"GET / HTTP/1.1\r\nA: ", REQUEST + b"GET / HTTP/1.1\r\n"])
def test_who_asks_nothing_is_not_kept(begun: bytes) -> None:
    """Neither before the first request, nor in the midst of one, nor behind an answer."""

    async def run() -> bool:
        async with served(SOON) as connect:
            reader, writer = await connect()
            writer.write(begun)
            return await is_ended(reader)

    assert asyncio.run(run())


def test_a_byte_now_and_then_is_no_request() -> None:
    """Who sends a header's bytes one by one, for ever, is not kept by that."""

    async def run() -> bool:
        async with served(SOON) as connect:
            reader, writer = await connect()
            writer.write(b"GET / HTTP/1.1\r\nA: ")
            ended = asyncio.ensure_future(is_ended(reader))
            while not ended.done():
                writer.write(b"a")
                await asyncio.wait([ended], timeout=SOON.silence / 5)
            return await ended

    assert asyncio.run(run())


def test_who_goes_on_asking_is_kept() -> None:
    """A look that finds a request more than the last one lets the connection be; one that doesn't ends it."""

    async def run() -> None:
        state = ServerState()
        async with served(NEVER, state=state) as connect:
            reader, writer = await connect()
            for _ in range(3):
                writer.write(REQUEST)
                assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 204")
                (kept,) = state.connections
                kept._look_again()  # type: ignore[union-attr]
                assert not kept.transport.is_closing()  # type: ignore[union-attr]
            kept._look_again()  # type: ignore[union-attr]
            assert await is_ended(reader)

    asyncio.run(run())


def test_a_slow_answer_is_waited_for() -> None:
    """While the application works the client has nothing to say, and is kept."""
    ended = asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await ended.wait()
        await answering(scope, receive, send)

    async def run() -> bytes:
        async with served(SOON, slow) as connect:
            reader, writer = await connect()
            writer.write(REQUEST)
            for _ in range(3):
                silent, _writer = await connect()
                assert await is_ended(silent)
            ended.set()
            answer: bytes = await reader.readuntil(b"\r\n\r\n")
            return answer

    assert asyncio.run(run()).startswith(b"HTTP/1.1 204")


def test_who_does_not_read_is_not_kept() -> None:
    """An answer that nobody takes is given up, and what makes it is told that the client is gone."""
    gone = asyncio.Event()

    async def large(_scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(100):
            await send({"type": "http.response.body", "body": bytes(1_000_000), "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass
        gone.set()

    async def run() -> None:
        async with served(SOON, large) as connect:
            reader, writer = await connect()
            writer.write(REQUEST)
            reader._transport.pause_reading()
            await gone.wait()

    asyncio.run(run())


def test_there_are_so_many_and_no_more() -> None:
    """One above the cap is ended at once; when another leaves, the next is let in."""

    async def run() -> None:
        async with served(NEVER) as connect:
            kept = [await connect() for _ in range(NEVER.most)]
            for reader, writer in kept:
                writer.write(REQUEST)
                await reader.readuntil(b"\r\n\r\n")
            reader, _ = await connect()
            assert await is_ended(reader)
            kept[0][1].write(REQUEST.replace(b"Host", b"Connection: close\r\nHost"))
            assert await is_ended(kept[0][0])
            reader, writer = await connect()
            writer.write(REQUEST)
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 204")

    asyncio.run(run())


@pytest.mark.parametrize(
    ("descriptors", "most"), [(1_024, 768), (300, 64), (1 << 20, 65_280), (resource.RLIM_INFINITY, 65_280)]
)
def test_the_cap_leaves_descriptors_for_all_else(
    monkeypatch: pytest.MonkeyPatch, descriptors: int, most: int
) -> None:
    """Even when the whole backlog of 128 is taken at once, as many of the process's are free as that."""
    monkeypatch.setattr(resource, "getrlimit", lambda _which: (descriptors, resource.RLIM_INFINITY))
    assert connection.most_connections() == most


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01 nonsense\r\n\r\n",
        REQUEST.replace(b"Host", b"Connection: upgrade\r\nUpgrade: websocket\r\nHost"),
        REQUEST.replace(b"Host", b"Connection: upgrade\r\nUpgrade: h2c\r\nHost"),
    ],
)
def test_no_line_of_the_log_is_a_strangers(sent: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """What is malformed or not to be had is answered or ended, and not told: it could fill a disk."""

    async def run() -> None:
        async with served(SOON) as connect:
            reader, writer = await connect()
            writer.write(sent)
            assert await is_ended(reader)

    with caplog.at_level(logging.WARNING):
        asyncio.run(run())
    server = ("uvicorn", "asyncio", "keyvault_jwt.server")
    told = [record for record in caplog.records if record.name.startswith(server)]
    assert [record for record in told if record.levelno >= logging.WARNING] == []

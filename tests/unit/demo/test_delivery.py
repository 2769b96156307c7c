"""Tokens travel over HTTP: delivered once, again when the door was closed, and never once they are stale."""

from __future__ import annotations

import queue
import socket
from collections.abc import Iterator
from contextlib import closing

import httpx
import pytest

from keyvault_jwt.demo.courier import Courier
from keyvault_jwt.demo.doorway import HOST, Doorway
from keyvault_jwt.demo.ticket import Ticket
from keyvault_jwt.testing import FakeClock
from tests.unit.demo.conftest import NOW, MakeTicket

Inbox = queue.SimpleQueue[Ticket]
PATH = "/a-secret-of-the-fleet"


@pytest.fixture
def inbox() -> Inbox:
    return queue.SimpleQueue()


@pytest.fixture
def doorway(inbox: Inbox) -> Iterator[Doorway]:
    """A doorway that is open."""
    doorway = Doorway(PATH, inbox.put)
    doorway.open()
    yield doorway
    doorway.shutdown()
    doorway.server_close()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


def test_a_token_arrives_as_it_was_sent(
    doorway: Doorway, inbox: Inbox, ticket: MakeTicket, clock: FakeClock
) -> None:
    """One after the other, in order."""
    courier = Courier(doorway.address, PATH, clock)
    sent = [ticket(jti=f"t{number}") for number in range(20)]
    for one in sent:
        courier.carry(one)
    assert [inbox.get(timeout=30) for _ in sent] == sent
    assert inbox.empty()


def test_a_stale_token_is_left_behind(
    doorway: Doorway, inbox: Inbox, ticket: MakeTicket, clock: FakeClock
) -> None:
    """What has expired on its way would only be refused for that."""
    courier = Courier(doorway.address, PATH, clock)
    courier.carry(ticket(jti="stale", lives=0))
    courier.carry(ticket(jti="fresh"))
    assert inbox.get(timeout=30).jti == "fresh"


def test_a_closed_door_is_tried_again(inbox: Inbox, ticket: MakeTicket, clock: FakeClock) -> None:
    """A verifier that is not there yet gets its token when it is."""
    with closing(socket.create_server((HOST, 0))) as taken:
        taken.listen(1)
        address = HOST, int(taken.getsockname()[1])
        courier = Courier(address, PATH, clock)
        courier.carry(ticket())
        taken.accept()[0].close()
    with socket.create_server(address) as listener:
        connection, _ = listener.accept()
        with connection:
            assert connection.recv(65_536).startswith(f"POST {PATH} HTTP/1.1".encode())


def test_what_is_no_token_is_answered_and_dropped(doorway: Doorway, inbox: Inbox) -> None:
    """400, and the doorway goes on."""
    host, port = doorway.address
    for headers in ({}, {"Authorization": "Bearer nonsense"}):
        assert httpx.post(f"http://{host}:{port}{PATH}", headers=headers).status_code == 400
    assert inbox.empty()


@pytest.mark.parametrize("path", ["", "/", "/a-secret", f"{PATH}/", f"{PATH}?", "/\u00e4"])
def test_who_does_not_know_the_path_has_no_say(
    doorway: Doorway, inbox: Inbox, ticket: MakeTicket, path: str
) -> None:
    """Any process on this machine may find the port: without the fleet's secret it is told 404."""
    host, port = doorway.address
    bearing = {"Authorization": f"Bearer {ticket().token}"}
    assert httpx.post(f"http://{host}:{port}{path}", headers=bearing).status_code == 404
    assert inbox.empty()

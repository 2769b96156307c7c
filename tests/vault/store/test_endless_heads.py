"""Answers whose head never ends: the bounds of a request hold for them too."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from keyvault_jwt.errors import StoreTimeout
from keyvault_jwt_vault import Address, Session, StaticToken, errors
from keyvault_jwt_vault.auth.door import Door
from tests.vault.store.fault_proxy import Answers, FaultProxy, Prolongs

NOBODY = "http://127.0.0.1:9"
HEADS = {
    "status": Prolongs(b"HTTP/1.1 200 ", b"O"),
    "header": Prolongs(b"HTTP/1.1 200 OK\r\nX: ", b"a"),
    "headers": Prolongs(b"HTTP/1.1 200 OK\r\n", b"X: a\r\n"),
    "continue": Prolongs(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
}
endless = pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)


@pytest.fixture
def server() -> Iterator[FaultProxy]:
    """A server that says what it is told to."""
    with FaultProxy(NOBODY) as running:
        yield running


@pytest.fixture
def hurried(server: FaultProxy) -> Address:
    """The server's address, with less time than it takes to go on."""
    return Address(server=server.url, mount="secret", read_timeout=400, deadline=500)


@endless
def test_a_read_is_given_up(server: FaultProxy, hurried: Address, head: Prolongs) -> None:
    """A read ends by its own bounds, not when the server has had enough."""
    server.next("GET", head, head, head)
    with (
        Session(hurried, StaticToken("t")) as session,
        pytest.raises(errors.Unreachable, match="no answer came in time"),
    ):
        session.request("GET", "secret/data/x")


@endless
def test_a_write_is_given_up(server: FaultProxy, hurried: Address, head: Prolongs) -> None:
    """A write, too, and it is told that its outcome is not known; it is sent once."""
    server.next("POST", head, head)
    with (
        Session(hurried, StaticToken("t")) as session,
        pytest.raises(StoreTimeout, match="no answer came in time"),
    ):
        session.request("POST", "secret/data/x", body={})
    assert server.count("POST") == 1


@endless
def test_a_login_is_given_up(server: FaultProxy, hurried: Address, head: Prolongs) -> None:
    """So does a login, of which one too many does no harm."""
    server.next("POST", head)
    door = Door(hurried)
    with pytest.raises(errors.Unreachable, match="no answer came in time"):
        door.ask("POST", "auth/approle/login", {})
    door.close()


def test_the_next_request_is_a_fresh_one(server: FaultProxy, hurried: Address) -> None:
    """What was given up leaves nothing behind: the next answer has its whole time, on its own connection."""
    server.next("GET", HEADS["header"])
    server.next("POST", *[Answers(200, b"{}")] * 2)
    with Session(hurried, StaticToken("t")) as session:
        with pytest.raises(errors.Unreachable):
            session.request("GET", "secret/data/x")
        assert [session.request("POST", "secret/data/x", body={}).status for _ in range(2)] == [200, 200]

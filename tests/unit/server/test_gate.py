"""The gate: what every answer carries, what is counted, and what a server is offered."""

from __future__ import annotations

import httpx
from starlette.datastructures import MutableHeaders
from starlette.types import Receive, Scope, Send

from keyvault_jwt.key_manager import KeyManager
from keyvault_jwt.server import create_app, running
from keyvault_jwt.server.gate import SECURITY, seal
from tests.faulty_store import FaultyStore
from tests.unit.server.twin import JWKS


def test_a_seal_adds_what_is_lacking() -> None:
    """An answer's own header stays, in whatever case it is written; the rest of ours is added."""
    headers = MutableHeaders({"referrer-POLICY": "origin"})
    seal(headers)
    assert dict(headers) == {name.lower(): value for name, value in SECURITY.items()} | {
        "referrer-policy": "origin"
    }


def test_a_server_that_knows_no_state_serves_all(store: FaultyStore, manager: KeyManager) -> None:
    """The short way is an offer: an ASGI server without a lifespan's state has the application alone."""
    app = create_app(store)

    async def stateless(scope: Scope, receive: Receive, send: Send) -> None:
        await app({name: value for name, value in scope.items() if name != "state"}, receive, send)

    with running(stateless) as address:
        assert httpx.get(f"{address}{JWKS}").status_code == 200

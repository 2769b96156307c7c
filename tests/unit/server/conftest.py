"""A server on a real socket over a store that can be broken, at a time that the test sets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx
import pytest

from keyvault_jwt.events import Event
from keyvault_jwt.key_manager import KeyManager
from keyvault_jwt.server import Observers, create_app, running
from keyvault_jwt.server.fleet import Fleet
from keyvault_jwt.testing import FakeClock
from tests.faulty_store import FAST, FaultyStore
from tests.unit.server.twin import JWKS, Twin

ISSUER = "https://id.example/payments"


class Site:
    """A running server: its client, its fleet, and what it told."""

    def __init__(self, client: httpx.Client, fleet: Fleet, observers: Observers, heard: list[Event]) -> None:
        self.client, self.fleet, self.observers, self.heard = client, fleet, observers, heard

    def get(self, path: str, **headers: str) -> httpx.Response:
        """GET a path with headers, written with underscores."""
        return self.client.get(
            path, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )

    def refresh(self) -> None:
        """Read every keyring's set anew, and wait for it; the fleet's own threads go on beside."""
        for status in self.fleet.statuses():
            publisher = self.fleet.publisher(status.ring)
            assert publisher is not None
            self.fleet._refresh(publisher)

    def jwks(self, ring: str = "payments", **headers: str) -> httpx.Response:
        """GET a keyring's set."""
        return self.get(f"/{ring}/.well-known/jwks.json", **headers)


@pytest.fixture
def clock() -> FakeClock:
    """A clock that the test moves."""
    return FakeClock()


@pytest.fixture
def store() -> FaultyStore:
    """An empty store that can be broken."""
    return FaultyStore()


@pytest.fixture
def manager(store: FaultyStore, clock: FakeClock) -> KeyManager:
    """A manager whose keyring `payments` has the policy of seconds."""
    manager = KeyManager(store, clock=clock, listener=lambda event: None)
    manager.create("payments", FAST, issuer=ISSUER)
    return manager


@pytest.fixture
def open_site(store: FaultyStore, manager: KeyManager, clock: FakeClock) -> Iterator[Callable[..., Site]]:
    """Start servers; options are those of `create_app`, and `source` another store or a manager."""
    with ExitStack() as stack:

        def start(*, source: object = store, **options: object) -> Site:
            heard: list[Event] = []
            observers = Observers(clock=clock, then=heard.append)
            app = create_app(source, observers=observers, **options)  # type: ignore[arg-type]
            address = stack.enter_context(running(app))
            client = stack.enter_context(httpx.Client(base_url=address, timeout=30))
            client.get("/healthz")
            return Site(client, app.state.fleet, observers, heard)

        yield start


@pytest.fixture
def site(open_site: Callable[..., Site], manager: KeyManager) -> Site:
    """A server that knows the manager too."""
    return open_site(source=manager)


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

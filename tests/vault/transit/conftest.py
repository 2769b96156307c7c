"""A real server with the Transit engine, and keyrings in it that share nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

import keyvault_jwt as kj
from keyvault_jwt.events import Event
from keyvault_jwt.keys import KeyRecord
from keyvault_jwt.testing import FakeClock
from keyvault_jwt.testing.bao_server import BaoServer
from keyvault_jwt_vault import TransitStore, open_url
from tests.faulty_store import FAST
from tests.vault.store.fault_proxy import FaultProxy

ISSUER, RING, MOUNT = "https://id.example", "payments", "transit"


class Workshop:
    """A keyring's place in a store that signs in Transit, and a clock of its own."""

    def __init__(self, bao: BaoServer, url: str) -> None:
        self.bao, self.url, self.clock = bao, url, FakeClock()
        store = open_url(url)
        assert isinstance(store, TransitStore)
        self.store = store
        self.events: list[Event] = []
        self.manager = self.manages(self.store)

    def manages(self, store: Any, **options: Any) -> kj.KeyManager:
        """Return a manager by this workshop's clock."""
        return kj.KeyManager(
            store,
            clock=self.clock,
            listener=self.events.append,
            wait=lambda seconds: self.clock.advance(int(seconds * 1000)),
            **options,
        )

    def create(self, algorithm: str = "ES256") -> kj.KeyManager:
        """Make the keyring under the policy of seconds."""
        self.manager.create(RING, FAST.model_copy(update={"algorithm": algorithm}), issuer=ISSUER)
        return self.manager

    def signer(self) -> kj.Signer:
        """Return a signer that reads now and does not poll."""
        return kj.Signer(self.store, RING, issuer=ISSUER, clock=self.clock, background=False)

    def token(self) -> str:
        """Return a token by whatever key signs now."""
        with self.signer() as signer:
            return signer.sign({"sub": "u1", "aud": "api"}, ttl=timedelta(seconds=2))

    def claims(self, token: str, algorithm: str = "ES256") -> dict[str, Any]:
        """Return the claims of a token for a verifier that reads the published set now."""
        with kj.JWKSCache.from_store(self.store, RING, clock=self.clock) as cache:
            verifier = kj.Verifier(
                cache, issuer=ISSUER, audience="api", algorithms=[algorithm], clock=self.clock
            )
            return verifier.verify(token)

    def pass_by(self, milliseconds: int) -> None:
        """Let time go by in steps of 200 ms, with a pass after each."""
        for _ in range(milliseconds // 200):
            self.clock.advance(200)
            self.manager.reconcile(RING)

    @property
    def active(self) -> KeyRecord:
        """The key that signs."""
        found = self.manager.keyring(RING).active
        assert found is not None
        return found

    @property
    def references(self) -> list[str]:
        """What the authority refers to, lowest version first."""
        records = self.manager.keyring(RING).records
        return sorted((r.reference for r in records if r.reference is not None), key=version)

    def key(self, reference: str) -> dict[str, Any]:
        """Return what Transit tells its root user of the key."""
        data: dict[str, Any] = self.bao.request("GET", f"{MOUNT}/keys/{name(reference)}")["data"]
        return data


def name(reference: str) -> str:
    """Return the name of the key that a reference names."""
    return reference.partition("/")[2].partition("#")[0]


def version(reference: str) -> int:
    """Return the version that a reference names."""
    return int(reference.partition("#")[2])


@pytest.fixture(scope="session")
def bao() -> Iterator[BaoServer]:
    """One server with Transit and AppRoles, for tests that leave it as it was."""
    with BaoServer() as server:
        server.request("POST", f"sys/mounts/{MOUNT}", {"type": "transit"})
        server.request("POST", "sys/auth/approle", {"type": "approle"})
        yield server


@pytest.fixture
def environment(bao: BaoServer, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The environment of the server's root user, for this process and its children."""
    for key, value in bao.environment.items():
        monkeypatch.setenv(key, value)
    return monkeypatch


@pytest.fixture
def url(environment: pytest.MonkeyPatch) -> str:
    """The URL of an empty prefix whose keys are made in Transit."""
    return f"vault://secret/test-{uuid4().hex}?transit={MOUNT}"


@pytest.fixture
def workshop(bao: BaoServer, url: str) -> Iterator[Workshop]:
    """An empty place."""
    made = Workshop(bao, url)
    with made.store:
        yield made


@pytest.fixture
def proxy(bao: BaoServer, environment: pytest.MonkeyPatch) -> Iterator[FaultProxy]:
    """A proxy before the server, to which stores opened from here on talk."""
    with FaultProxy(bao.url) as running:
        environment.setenv("BAO_ADDR", running.url)
        yield running

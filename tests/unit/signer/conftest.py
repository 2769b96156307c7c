"""A signer without a thread, over a store that can be broken, at a time that the test sets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import jwt
import pytest

from keyvault_jwt.events import Event
from keyvault_jwt.key_manager import KeyManager
from keyvault_jwt.signer import Signer
from keyvault_jwt.store import DocumentKind, DocumentName
from keyvault_jwt.testing import FakeClock
from tests.faulty_store import FAST, FaultyStore

ISSUER = "https://id.example"
SIGNING = DocumentName("payments", DocumentKind.SIGNING)
CLAIMS = {"sub": "u1", "aud": "api"}
LEASE_MS, POLL_MS = 1500, 200


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
    manager = KeyManager(store, clock=clock)
    manager.create("payments", FAST, issuer=ISSUER)
    return manager


@pytest.fixture
def heard() -> list[Event]:
    """The events that the signer told."""
    return []


@pytest.fixture
def signer(store: FaultyStore, manager: KeyManager, clock: FakeClock, heard: list[Event]) -> Iterator[Signer]:
    """A signer without a thread: the test refreshes it."""
    with Signer(store, "payments", clock=clock, listener=heard.append, background=False) as signer:
        yield signer


@pytest.fixture
def opened(manager: KeyManager, clock: FakeClock) -> Callable[[str], dict[str, Any]]:
    """Verify a token with PyJWT against the manager's JWKS, at the fake time, and return its claims."""

    def verify(token: str) -> dict[str, Any]:
        keys = jwt.PyJWKSet.from_json(manager.jwks("payments").decode())
        key = keys[jwt.get_unverified_header(token)["kid"]]
        claims: dict[str, Any] = jwt.decode(
            token, key, options={"verify_exp": False, "verify_iat": False, "verify_aud": False}
        )
        return claims

    return verify


def alarms(heard: list[Event]) -> list[str]:
    """Return the names of the events that ask for a person."""
    return [event.name for event in heard if event.alarm]

"""Verifiers to attack, tokens forged for them, and a door that nobody may knock at."""

from __future__ import annotations

import hashlib
import hmac
import socket
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
import pytest

from keyvault_jwt import base64url
from keyvault_jwt.cache import JWKSCache
from keyvault_jwt.engine import CRYPTOGRAPHY, Engine
from keyvault_jwt.testing.fake_clock import FakeClock
from keyvault_jwt.verification_errors import InvalidToken
from keyvault_jwt.verifier import Verifier
from tests.unit.conftest import TestKey, claims, clock, endpoint, jwk_set, make_key

__all__ = ["claims", "clock", "endpoint", "make_key"]

ISSUER, AUDIENCE = "https://id.example", "api"
MakeKey = Callable[..., TestKey]
MakeVerifier = Callable[..., Verifier]


@pytest.fixture
def engine() -> Engine:
    """The engine of the verifiers; a test that is about signatures names both."""
    return CRYPTOGRAPHY


@pytest.fixture
def make_verifier(clock: FakeClock, engine: Engine) -> MakeVerifier:
    """Make a verifier over given JWKs, for the algorithms that they state or that `algorithms` lists."""

    def make(*keys: Mapping[str, Any], **changes: Any) -> Verifier:
        cache = JWKSCache.from_document(jwk_set(*keys), allow_symmetric=changes.pop("allow_symmetric", False))
        expected = {"issuer": ISSUER, "audience": AUDIENCE, "clock": clock, "engine": engine}
        stated = {"algorithms": sorted({key["alg"] for key in keys if "alg" in key})}
        return Verifier(cache, **(expected | stated | changes))

    return make


class Tripwire:
    """A listening port that takes connections and answers none; `touched` tells whether one came."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self.port: int = self._socket.getsockname()[1]

    def url(self, scheme: str = "http") -> str:
        """Return a URL that leads here."""
        return f"{scheme}://127.0.0.1:{self.port}/keys"

    @property
    def touched(self) -> bool:
        try:
            connection, _ = self._socket.accept()
        except BlockingIOError:
            return False
        connection.close()
        return True

    def close(self) -> None:
        """Listen no more."""
        self._socket.close()


@pytest.fixture
def tripwire() -> Iterator[Tripwire]:
    """A door on this machine at which, in the whole test, nobody may knock."""
    door = Tripwire()
    yield door
    touched = door.touched
    door.close()
    assert not touched, "a token made the verifier connect to an address of its choosing"


def segment(part: Any) -> str:
    """Return one part of a token: bytes as they are, everything else as JSON, in base64url."""
    return base64url.encode(part if isinstance(part, bytes) else msgspec.json.encode(part))


def unsigned(header: Any, payload: Any) -> str:
    """Return the first two parts of a token."""
    return f"{segment(header)}.{segment(payload)}"


def with_mac(secret: bytes, header: Any, payload: Any, digest: str = "sha256") -> str:
    """Return a token with an HMAC by this secret, as long or short as it is."""
    signing_input = unsigned(header, payload)
    return f"{signing_input}.{segment(mac(secret, signing_input, digest))}"


def mac(secret: bytes, signing_input: str, digest: str = "sha256") -> bytes:
    """Return the HMAC over a signing input."""
    return hmac.new(secret, signing_input.encode(), getattr(hashlib, digest)).digest()


def verdict(verifier: Any, token: Any) -> str:
    """Return the code of the refusal, or "accepted"; any error that is no `InvalidToken` is raised."""
    try:
        verifier.verify(token)
    except InvalidToken as error:
        return error.code
    return "accepted"

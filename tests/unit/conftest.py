"""Keys that sign whatever a test asks for, and a clock that stands still until it is moved."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pytest

from keyvault_jwt import base64url, jwks
from keyvault_jwt.algorithms import algorithm_named
from keyvault_jwt.clock import Instant, Milliseconds
from keyvault_jwt.jwk import Secret, secret_members
from keyvault_jwt.key_factory import FreshKey, LocalKeyFactory, load_private


class StoppedClock:
    """Both clocks, moved by hand."""

    def __init__(self) -> None:
        self.now_wall: Instant = 1_800_000_000_000
        self.now_monotonic: Milliseconds = 5_000_000

    def wall(self) -> Instant:
        return self.now_wall

    def monotonic(self) -> Milliseconds:
        return self.now_monotonic

    def advance(self, seconds: float) -> None:
        """Let time pass, for both clocks."""
        self.now_wall += int(seconds * 1000)
        self.now_monotonic += int(seconds * 1000)


class TestKey:
    """A key pair that makes tokens, wrong ones too."""

    __test__ = False

    def __init__(self, fresh: FreshKey) -> None:
        self.kid, self.algorithm, self.members = fresh.kid, fresh.algorithm, fresh.public
        assert fresh.private is not None
        self.private = load_private(fresh.algorithm, fresh.private)
        self._sign = algorithm_named(fresh.algorithm).signer(self.private)

    def jwk(self, **members: Any) -> dict[str, Any]:
        """Return the JWK as published (`oct` if symmetric), with members changed; None removes one."""
        if isinstance(self.private, Secret):
            made: dict[str, Any] = {**secret_members(self.private), "kid": self.kid, "alg": self.algorithm}
        else:
            assert self.members is not None
            made = dict(jwks.published(self.kid, self.algorithm, self.members))
        return {name: value for name, value in (made | members).items() if value is not None}

    def token(self, claims: Mapping[str, Any] | bytes, **header: Any) -> str:
        """Return a compact token; header members are added or, by None, left out."""
        full = {"alg": self.algorithm, "typ": "JWT", "kid": self.kid} | header
        return self.raw_token(
            msgspec.json.encode({name: value for name, value in full.items() if value is not None}),
            claims if isinstance(claims, bytes) else msgspec.json.encode(claims),
        )

    def raw_token(self, header: bytes, payload: bytes) -> str:
        """Return a compact token over these very bytes."""
        signing_input = f"{base64url.encode(header)}.{base64url.encode(payload)}"
        return f"{signing_input}.{base64url.encode(self._sign(signing_input.encode()))}"


def jwk_set(*keys: Mapping[str, Any], **members: Any) -> bytes:
    """Return a JWK Set as JSON."""
    return msgspec.json.encode({"keys": list(keys), **members})


@pytest.fixture(scope="session")
def make_key() -> Callable[..., TestKey]:
    """Make keys by algorithm; the second argument counts, so that two tests can share slow ones."""
    made: dict[tuple[str, int], TestKey] = {}
    counter = itertools.count(1000)

    def make(algorithm: str, number: int | None = None) -> TestKey:
        name = (algorithm, next(counter) if number is None else number)
        if name not in made:
            made[name] = TestKey(LocalKeyFactory().make(algorithm))
        return made[name]

    return make


@pytest.fixture
def clock() -> StoppedClock:
    """A clock that the test moves."""
    return StoppedClock()


@pytest.fixture
def claims(clock: StoppedClock) -> dict[str, Any]:
    """Claims that are good for a minute, for issuer https://id.example and audience api."""
    now = clock.wall() // 1000
    return {"iss": "https://id.example", "aud": "api", "sub": "u1", "iat": now, "exp": now + 60}

"""Transit of HashiCorp's Vault where it differs from OpenBao's: played back from its documentation."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, mldsa

from keyvault_jwt.algorithms import algorithm_named
from keyvault_jwt.jwk import load
from keyvault_jwt_vault import TransitStore, open_url
from keyvault_jwt_vault.errors import NoSuchAlgorithm, ServerFailed
from tests.vault.transit.conftest import MOUNT, RING
from tests.vault.transit.played_back import PlayedBack

MOUNTED = {"data": {"type": "kv", "path": "secret/", "options": {"version": "2"}}}


class Transit:
    """A Transit engine with one key, as Vault tells of it; `told` are members of every answer about it."""

    def __init__(self, types: set[str], told: dict[str, Any], *, silent: bool = False) -> None:
        self.types, self.told, self.silent = types, told, silent
        self.private = mldsa.MLDSA65PrivateKey.generate()
        self.version = 0

    def reply(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if path.startswith("sys/internal"):
            return 200, MOUNTED
        if path.startswith("sys/"):
            return 200, {"ha_enabled": False, "version": "1.20.4+ent"}
        if path.startswith("auth/"):
            return 200, {"data": {"ttl": 0, "renewable": False}}
        if path.startswith(f"{MOUNT}/sign/"):
            signature = self.private.sign(b64decode(body["input"]))
            return 200, {
                "data": {"signature": f"vault:v{body['key_version']}:{b64encode(signature).decode()}"}
            }
        return self._about_key(method, path, body)

    def _about_key(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if path.endswith("/rotate"):
            if not self.version:
                return 400, {"errors": ["key not found"]}
            self.version += 1
            return (204, {}) if self.silent else (200, {"data": self.key})
        if method == "POST":
            if body["type"] not in self.types:
                return 400, {"errors": [f"unknown key type {body['type']}"]}
            self.version = 1
        return 200, {"data": self.key}

    @property
    def key(self) -> dict[str, Any]:
        """What is told of the key."""
        public = {"public_key": b64encode(self.private.public_key().public_bytes_raw()).decode()}
        versions = {str(number): public for number in range(1, self.version + 1)}
        return {"latest_version": self.version, "exportable": False, "keys": versions, **self.told}


@pytest.fixture
def enterprise() -> Iterator[PlayedBack]:
    """Vault Enterprise, whose ML-DSA is one type with a parameter."""
    transit = Transit({"ml-dsa"}, {"type": "ml-dsa", "parameter_set": "65"})
    with PlayedBack(transit.reply) as server:
        yield server


def opened(server: PlayedBack, environment: pytest.MonkeyPatch) -> TransitStore:
    """Return a store at that server."""
    environment.setenv("BAO_ADDR", server.url)
    environment.setenv("BAO_TOKEN", "a-token")
    store = open_url(f"vault://secret/jwt?transit={MOUNT}")
    assert isinstance(store, TransitStore)
    return store


def test_enterprise_makes_and_signs_ml_dsa(enterprise: PlayedBack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where OpenBao's type is unknown, Vault's is asked for, with its parameter set."""
    with opened(enterprise, monkeypatch) as store:
        fresh = store.key_factory(RING).make("ML-DSA-65")
        assert fresh.public is not None
        assert fresh.reference is not None
        verify = algorithm_named("ML-DSA-65").verifier(load(fresh.public))
        assert verify(store.sign(fresh.reference, "ML-DSA-65", b"x"), b"x")
    created = [body for path, body in enterprise.asked if path.endswith("ALG-ML-DSA-65") and body]
    assert created[:2] == [{"type": "mldsa-65"}, {"type": "ml-dsa", "parameter_set": "65"}]


def test_community_has_no_ml_dsa(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where neither type is known, the error says that this server has no such keys."""
    transit = Transit(set(), {})
    with (
        PlayedBack(transit.reply) as server,
        opened(server, monkeypatch) as store,
        pytest.raises(NoSuchAlgorithm, match="this server's Transit has no ML-DSA-44 keys"),
    ):
        store.key_factory(RING).make("ML-DSA-44")


def test_a_rotation_that_tells_nothing_is_read_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers before 2023 answer a rotation with 204: the latest version is then read."""
    transit = Transit({"mldsa-65"}, {"type": "mldsa-65"}, silent=True)
    with PlayedBack(transit.reply) as server, opened(server, monkeypatch) as store:
        assert str(store.key_factory(RING).make("ML-DSA-65").reference).endswith("#2")


@pytest.mark.parametrize("told", [{"keys": {}}, {"keys": {"2": {"public_key": "AAAA"}}}, {"keys": {"2": 7}}])
def test_a_version_without_its_public_half(told: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A key of which no public half is told is not taken: nobody could verify by it."""
    transit = Transit({"mldsa-65"}, {"type": "mldsa-65", **told})
    with (
        PlayedBack(transit.reply) as server,
        opened(server, monkeypatch) as store,
        pytest.raises(ServerFailed, match="no public half"),
    ):
        store.key_factory(RING).make("ML-DSA-65")


def test_another_algorithms_public_half(monkeypatch: pytest.MonkeyPatch) -> None:
    """A public half of another kind than the key's type says is not taken either."""
    pem = (
        ec.generate_private_key(ec.SECP256R1())
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    told = {"type": "mldsa-65", "keys": {"2": {"public_key": pem.decode()}}}
    transit = Transit({"mldsa-65"}, told)
    with (
        PlayedBack(transit.reply) as server,
        opened(server, monkeypatch) as store,
        pytest.raises(Exception, match="ML-DSA-65 can't use a key of type"),
    ):
        store.key_factory(RING).make("ML-DSA-65")

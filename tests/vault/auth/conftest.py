"""A real server for the logins, and an environment that holds nobody's credentials."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from keyvault_jwt.clock import Clock
from keyvault_jwt_vault.auth import credentials
from keyvault_jwt_vault.credentials import Credentials
from tests.vault.auth.authority import Authority
from tests.vault.auth.bao import AppRoleAt, Bao

Opened = Callable[..., Credentials]


@pytest.fixture(scope="session")
def bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bao]:
    """Yield a running server with a document that a reader may read."""
    directory = tmp_path_factory.mktemp("bao")
    with Bao(directory, Authority(directory)) as bao:
        bao.ask("POST", "secret/data/jwt/there", {"data": {"is": "there"}})
        bao.ask(
            "PUT",
            "sys/policies/acl/reader",
            {"policy": 'path "secret/data/jwt/*" { capabilities = ["read"] }'},
        )
        yield bao


@pytest.fixture(autouse=True)
def _nobodys_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith(("VAULT_", "BAO_", "KEYVAULT_JWT_", "AWS_", "ACTIONS_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def opened(bao: Bao) -> Iterator[Opened]:
    """Return a function that opens credentials, which are closed at the end."""
    everything: list[Credentials] = []

    def open_one(parameters: dict[str, str], *, clock: Clock | None = None, **address: object) -> Credentials:
        everything.append(credentials(bao.address(**address), parameters, clock=clock))
        return everything[-1]

    yield open_one
    for one in everything:
        one.close()


@pytest.fixture
def approle(bao: Bao, monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppRoleAt]:
    """Return a function that makes a role whose credentials are in the environment."""

    def make(**role: object) -> AppRoleAt:
        made = bao.approle(**role)
        for name, value in made.environment.items():
            monkeypatch.setenv(name, value)
        return made

    return make

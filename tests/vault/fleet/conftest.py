"""A real server with AppRoles, and ways in for each role with the policy that is printed for it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from keyvault_jwt.testing.bao_server import BaoServer
from keyvault_jwt_vault import access
from tests.vault.store.fault_proxy import FaultProxy


class Roles:
    """Makes AppRoles at a server, for one prefix of its mount, and takes their policies away."""

    def __init__(self, bao: BaoServer, files: Path) -> None:
        self.bao, self._files = bao, files
        self.url = f"vault://secret/fleet-{uuid4().hex[:12]}"
        self._policies: dict[str, str] = {}

    def login(self, role: str, **options: Any) -> str:
        """Return the store's URL with a login of its own, that may do what the role needs."""
        name = f"{role}-{uuid4().hex[:12]}"
        self._policies[name] = access(role, self.url, "*")[0]
        at = f"auth/approle/role/{name}"
        self.bao.request("POST", at, {"token_policies": [name], "token_no_default_policy": True, **options})
        held = {
            "role_id": self.bao.request("GET", f"{at}/role-id")["data"]["role_id"],
            "secret_id": self.bao.request("POST", f"{at}/secret-id", {})["data"]["secret_id"],
        }
        for what, value in held.items():
            (self._files / f"{name}-{what}").write_text(value)
        self.grant()
        files = "".join(f"&{what}_file={self._files}/{name}-{what}" for what in held)
        return f"{self.url}?auth=approle&deadline=3s{files}"

    def grant(self) -> None:
        """Write the policies of all logins."""
        for name, policy in self._policies.items():
            self.bao.request("PUT", f"sys/policies/acl/{name}", {"policy": policy})

    def withdraw(self) -> None:
        """Delete the policies of all logins."""
        for name in self._policies:
            self.bao.request("DELETE", f"sys/policies/acl/{name}")


@pytest.fixture
def bao() -> Iterator[BaoServer]:
    """A server of the test's own, that knows AppRoles."""
    with BaoServer() as server:
        server.request("POST", "sys/auth/approle", {"type": "approle"})
        yield server


@pytest.fixture
def settle(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, str]], None]:
    """Return what makes these the only variables that tell of a server."""

    def settled(environment: dict[str, str]) -> None:
        for name in list(os.environ):
            if name.startswith(("VAULT_", "BAO_", "KEYVAULT_JWT_")):
                monkeypatch.delenv(name)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)

    return settled


@pytest.fixture
def proxy(bao: BaoServer, settle: Callable[[dict[str, str]], None]) -> Iterator[FaultProxy]:
    """A proxy before the server, through which every store goes; the root's token is at hand."""
    with FaultProxy(bao.url) as running:
        settle({"BAO_ADDR": running.url, "BAO_TOKEN": bao.token})
        yield running


@pytest.fixture
def roles(bao: BaoServer, proxy: FaultProxy, tmp_path: Path) -> Roles:
    """Logins for one prefix."""
    return Roles(bao, tmp_path)


@pytest.fixture
def prefix_url() -> str:
    """The URL of an empty prefix; a request gives up in seconds."""
    return f"vault://secret/fleet-{uuid4().hex[:12]}?deadline=3s"

"""A real server, two keyrings in it, and a way in for each role with the policy that is printed for it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import pytest
from click.testing import CliRunner

import keyvault_jwt as kj
from keyvault_jwt.cli import main
from keyvault_jwt.store import DocumentKind, DocumentName, Draft
from keyvault_jwt.testing import FakeClock
from keyvault_jwt.testing.bao_server import BaoServer
from keyvault_jwt_vault import Session, VaultStore
from keyvault_jwt_vault.address import parse_url
from keyvault_jwt_vault.auth import credentials
from tests.faulty_store import FAST

ISSUER, RING, SYMMETRIC = "https://id.example", "payments", "partners"


class House:
    """A prefix with an asymmetric and a symmetric keyring and an archive, and doors for roles."""

    def __init__(self, bao: BaoServer, files: Path) -> None:
        self.bao, self.files, self.clock = bao, files, FakeClock()
        self.prefix = f"house-{uuid4().hex[:12]}"
        self.url = f"vault://secret/{self.prefix}"
        self._open = ExitStack()
        self.manager = self.manages(self.enter("rotator"))
        self.manager.create(RING, FAST, issuer=ISSUER)
        self.manager.create(SYMMETRIC, FAST.model_copy(update={"algorithm": "HS256"}), issuer=ISSUER)
        archive = DocumentName(RING, DocumentKind.ARCHIVE, 1)
        self.manager.store.replace(archive, Draft(b"{}", 1, uuid4()), expected=None)

    def manages(self, store: VaultStore) -> kj.KeyManager:
        """Return a manager by this house's clock."""
        return kj.KeyManager(
            store,
            clock=self.clock,
            listener=lambda event: None,
            wait=lambda seconds: self.clock.advance(int(seconds * 1000)),
        )

    def enter(self, role: str, ring: str = "*") -> VaultStore:
        """Return the store as a login sees it that has the printed policy and no other."""
        return self._open.enter_context(VaultStore(self.session(role, ring)))

    def session(self, role: str, ring: str = "*") -> Session:
        """Return a session of such a login."""
        address, parameters = parse_url(self.url + self.approle(role, ring))
        return self._open.enter_context(Session(address, credentials(address, parameters)))

    def approle(self, role: str, ring: str) -> str:
        """Make an AppRole with the policy that the command line prints, and return how a URL names it."""
        name = f"{role}-{uuid4().hex[:12]}"
        self.bao.request("PUT", f"sys/policies/acl/{name}", {"policy": printed(role, self.url, ring)})
        at = f"auth/approle/role/{name}"
        self.bao.request("POST", at, {"token_policies": [name], "token_no_default_policy": True})
        held = {
            "role_id": self.bao.request("GET", f"{at}/role-id")["data"]["role_id"],
            "secret_id": self.bao.request("POST", f"{at}/secret-id", {})["data"]["secret_id"],
        }
        for what, value in held.items():
            (self.files / f"{name}-{what}").write_text(value)
        options = "".join(f"&{what}_file={self.files}/{name}-{what}" for what in held)
        return f"?auth=approle{options}"

    def close(self) -> None:
        """Let every login end."""
        self._open.close()


def printed(role: str, url: str, ring: str = "*") -> str:
    """Return the policy as the command line prints it."""
    done = CliRunner().invoke(main, ["access", role, "--store", url, "--ring", ring])
    assert done.exit_code == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def bao() -> Iterator[BaoServer]:
    """One server that knows AppRoles."""
    with BaoServer() as server:
        server.request("POST", "sys/auth/approle", {"type": "approle"})
        yield server


@pytest.fixture
def environment(bao: BaoServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's address, and nobody's credentials."""
    for name in list(os.environ):
        if name.startswith(("VAULT_", "BAO_", "KEYVAULT_JWT_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("BAO_ADDR", bao.url)


@pytest.fixture
def house(bao: BaoServer, environment: None, tmp_path: Path) -> Iterator[House]:
    """A house of the test's own."""
    made = House(bao, tmp_path)
    yield made
    made.close()

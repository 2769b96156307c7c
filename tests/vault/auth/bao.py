"""A real OpenBao server in memory, with an audit log, a plain listener and one with TLS."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from keyvault_jwt_vault.address import Address
from tests.vault.auth.authority import Authority
from tests.waiting import until


class Bao:
    """The server, and its root's hand on it."""

    def __init__(self, directory: Path, authority: Authority) -> None:
        self.authority, self._directory = authority, directory
        self._root, self._audit = secrets.token_hex(16), directory / "audit.log"
        plain, tls = _free_ports(2)
        self.server, self.tls_server = f"http://127.0.0.1:{plain}", f"https://127.0.0.1:{tls}"
        certificate, key = authority.issue("server", server=True)
        config = directory / "bao.hcl"
        config.write_text(
            f'listener "tcp" {{ address = "127.0.0.1:{tls}" tls_cert_file = "{certificate}" '
            f'tls_key_file = "{key}" }}\n'
            f'audit "file" "log" {{ options {{ file_path = "{self._audit}" }} }}\n'
        )
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(directory),
            "BAO_DEV_ROOT_TOKEN_ID": self._root,
            "BAO_DEV_LISTEN_ADDRESS": f"127.0.0.1:{plain}",
        }
        bao = Path(sys.executable).with_name("bao")
        with (directory / "bao.log").open("wb") as log:
            self._process = subprocess.Popen(
                [bao, "server", "-dev", "-dev-no-store-token", f"-config={config}"],
                env=environment,
                stdout=log,
                stderr=log,
            )
        self._client = httpx.Client(trust_env=False, headers={"X-Vault-Token": self._root})
        until(self._is_up)

    def _is_up(self) -> bool:
        assert self._process.poll() is None, (self._directory / "bao.log").read_text()
        try:
            return self._client.get(f"{self.server}/v1/sys/health").status_code == 200
        except httpx.TransportError:
            return False

    def stop(self) -> None:
        self._client.close()
        self._process.kill()
        self._process.wait()

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> dict[str, Any]:
        """Do as root, and return the answer's JSON."""
        answer = self._client.request(method, f"{self.server}/v1/{path}", json=body, headers=headers)
        assert answer.status_code in {200, 204}, f"{method} {path}: {answer.status_code} {answer.text}"
        found: dict[str, Any] = answer.json() if answer.content else {}
        return found

    def does(self, method: str, path: str, body: object = None) -> bool:
        """Return whether the server does something as root asks it."""
        return self._client.request(method, f"{self.server}/v1/{path}", json=body).is_success

    def status(self, token: str, path: str = "secret/data/jwt/there") -> int:
        """Return how the server answers a read with this token."""
        return self._client.get(f"{self.server}/v1/{path}", headers={"X-Vault-Token": token}).status_code

    def address(self, **more: Any) -> Address:
        """Return an address of this server."""
        return Address(**({"server": self.server, "mount": "secret", "deadline": 5_000} | more))

    def mount(self, kind: str, at: str = "") -> str:
        """Mount an auth method, under a name of its own, and return where."""
        path = at or f"{kind}-{secrets.token_hex(4)}"
        self.ask("POST", f"sys/auth/{path}", {"type": kind})
        return path

    def approle(self, **role: object) -> AppRoleAt:
        """Make an AppRole role that may read below secret/jwt."""
        mount = self.mount("approle")
        self.ask("POST", f"auth/{mount}/role/app", {"token_policies": "reader"} | role)
        role_id = self.ask("GET", f"auth/{mount}/role/app/role-id")["data"]["role_id"]
        secret = self.ask("POST", f"auth/{mount}/role/app/secret-id", {})["data"]["secret_id"]
        return AppRoleAt(self, mount, role_id, secret)

    def requests(self, path: str) -> int:
        """Return how often the server was asked for a path, by its own audit log."""
        lines = (json.loads(line) for line in self._audit.read_text().splitlines())
        return sum(line["type"] == "request" and line["request"]["path"] == path for line in lines)


class AppRoleAt:
    """A role, and what logs in to it."""

    def __init__(self, bao: Bao, mount: str, role_id: str, secret_id: str) -> None:
        self.bao, self.mount, self.role_id, self.secret_id = bao, mount, role_id, secret_id

    @property
    def environment(self) -> Mapping[str, str]:
        return {"KEYVAULT_JWT_VAULT_ROLE_ID": self.role_id, "KEYVAULT_JWT_VAULT_SECRET_ID": self.secret_id}

    @property
    def parameters(self) -> dict[str, str]:
        return {"auth": "approle", "auth_mount": self.mount}

    @property
    def logins(self) -> int:
        return self.bao.requests(f"auth/{self.mount}/login")


READER = 'path "secret/data/jwt/*" { capabilities = ["read"] }'


def _free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(one.getsockname()[1]) for one in held]
    for one in held:
        one.close()
    return ports

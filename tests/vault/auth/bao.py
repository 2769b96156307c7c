"""A real OpenBao server in memory, with an audit log, a plain listener and one with TLS."""

from __future__ import annotations

import json
import secrets
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from keyvault_jwt.testing.bao_server import BaoServer, free_port
from keyvault_jwt_vault.address import Address
from tests.vault.auth.authority import Authority


class Bao:
    """The server while the context is open, and its root's hand on it."""

    def __init__(self, directory: Path, authority: Authority) -> None:
        self.authority, self._audit = authority, directory / "audit.log"
        certificate, key = authority.issue("server", server=True)
        tls = free_port()
        self._bao = BaoServer(
            config=f'listener "tcp" {{ address = "127.0.0.1:{tls}" tls_cert_file = "{certificate}" '
            f'tls_key_file = "{key}" }}\n'
            f'audit "file" "log" {{ options {{ file_path = "{self._audit}" }} }}\n'
        )
        self.tls_server = f"https://127.0.0.1:{tls}"
        self._asked, self._read = Counter[str](), 0
        self._client = httpx.Client(trust_env=False, headers={"X-Vault-Token": self._bao.token})

    def __enter__(self) -> Self:
        self._bao.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()
        self._bao.__exit__(kind, error, trace)

    @property
    def server(self) -> str:
        """Where the server listens without TLS."""
        return self._bao.url

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
        with self._audit.open("rb") as log:
            log.seek(self._read)
            fresh = log.read()
        whole = fresh[: fresh.rfind(b"\n") + 1]
        self._read += len(whole)
        entries = [json.loads(line) for line in whole.splitlines()]
        self._asked.update(one["request"]["path"] for one in entries if one["type"] == "request")
        return self._asked[path]


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

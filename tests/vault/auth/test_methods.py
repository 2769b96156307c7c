"""User name, JWT and certificate logins on a real server."""

from __future__ import annotations

import secrets
import time
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from keyvault_jwt_vault.auth.errors import AuthNotMounted, CredentialsMissing, LoginRefused
from keyvault_jwt_vault.errors import NotTrusted
from tests.vault.auth.authority import Authority
from tests.vault.auth.bao import Bao
from tests.vault.auth.conftest import Opened


class Issuer:
    """Signs id tokens, and has a mount that trusts them."""

    def __init__(self, bao: Bao) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        public = self._key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.mount = bao.mount("jwt")
        bao.ask("POST", f"auth/{self.mount}/config", {"jwt_validation_pubkeys": [public.decode()]})
        role = {
            "role_type": "jwt",
            "user_claim": "sub",
            "bound_audiences": ["https://vault.example"],
            "bound_claims": {"project": "payments"},
            "token_policies": ["reader"],
        }
        bao.ask("POST", f"auth/{self.mount}/role/ci", role)

    def sign(self, **claims: object) -> str:
        now = int(time.time())
        whole = {
            "sub": "job",
            "aud": "https://vault.example",
            "project": "payments",
            "iat": now,
            "exp": now + 60,
        }
        return jwt.encode(whole | claims, self._key, algorithm="ES256")

    @property
    def parameters(self) -> dict[str, str]:
        return {"auth": "jwt", "auth_mount": self.mount, "role": "ci"}


@pytest.fixture
def issuer(bao: Bao) -> Issuer:
    """Return an issuer that the server trusts."""
    return Issuer(bao)


def test_an_id_token_in_a_variable(
    bao: Bao, issuer: Issuer, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A JWT in a variable of one's own name, as GitLab makes them, logs in under its role."""
    monkeypatch.setenv("VAULT_ID_TOKEN", issuer.sign())
    access = opened(issuer.parameters | {"jwt_variable": "VAULT_ID_TOKEN"})
    assert bao.status(access.token()) == 200


def test_an_id_token_in_a_file_is_read_at_each_login(
    bao: Bao, issuer: Issuer, opened: Opened, tmp_path: Path
) -> None:
    """A JWT that was replaced in its file is the one that the next login sends."""
    file = tmp_path / "jwt"
    file.write_text(issuer.sign())
    access = opened(issuer.parameters | {"jwt_file": str(file)})
    token = access.token()
    file.write_text(issuer.sign(project="other"))
    bao.ask("POST", "auth/token/revoke", {"token": token})
    with pytest.raises(LoginRefused):
        access.refused(token)


@pytest.mark.parametrize("claims", [{"aud": "other"}, {"project": "other"}, {"exp": 1}])
def test_a_jwt_that_does_not_fit_is_refused(
    issuer: Issuer, opened: Opened, monkeypatch: pytest.MonkeyPatch, claims: dict[str, object]
) -> None:
    """Another audience, claim or an expired JWT is refused; the error says what to check, not the JWT."""
    token = issuer.sign(**claims)
    monkeypatch.setenv("KEYVAULT_JWT_VAULT_JWT", token)
    with pytest.raises(LoginRefused, match="KEYVAULT_JWT_VAULT_JWT") as refused:
        opened(issuer.parameters).token()
    assert token not in str(refused.value)


def test_user_name_and_password(bao: Bao, opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """A password in the environment logs a developer in; a wrong one is refused and not shown."""
    mount, password = bao.mount("userpass"), secrets.token_hex(16)
    bao.ask("POST", f"auth/{mount}/users/dev", {"password": password, "token_policies": "reader"})
    parameters = {"auth": "userpass", "auth_mount": mount, "username": "dev"}
    with pytest.raises(CredentialsMissing, match="KEYVAULT_JWT_VAULT_PASSWORD"):
        opened(parameters).token()
    monkeypatch.setenv("KEYVAULT_JWT_VAULT_PASSWORD", password)
    assert bao.status(opened(parameters).token()) == 200
    monkeypatch.setenv("KEYVAULT_JWT_VAULT_PASSWORD", "wr0ng-one")
    with pytest.raises(LoginRefused) as refused:
        opened(parameters).token()
    assert "wr0ng-one" not in str(refused.value)


def test_a_user_name_is_one_part_of_the_path(
    bao: Bao, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user name with slashes and dots can't lead the request, with its password, elsewhere."""
    mount = bao.mount("userpass")
    monkeypatch.setenv("KEYVAULT_JWT_VAULT_PASSWORD", "p")
    names = ("../../../sys/wrapping/wrap", "a/b?c")
    wrapped = bao.requests("sys/wrapping/wrap")
    for name in names:
        with pytest.raises((LoginRefused, AuthNotMounted)):
            opened({"auth": "userpass", "auth_mount": mount, "username": name}).token()
    assert bao.requests("sys/wrapping/wrap") == wrapped


def test_a_client_certificate(bao: Bao, opened: Opened, tmp_path: Path) -> None:
    """The certificate of the TLS connection logs in; another authority's and none are refused."""
    mount = bao.mount("cert")
    trusted = bao.authority.file.read_text()
    bao.ask("POST", f"auth/{mount}/certs/app", {"certificate": trusted, "token_policies": "reader"})
    certificate, key = bao.authority.issue("client")
    parameters = {"auth": "cert", "auth_mount": mount, "role": "app"}
    tls = {"server": bao.tls_server, "authorities": bao.authority.file}
    access = opened(parameters, **tls, client_certificate=certificate, client_key=key)
    assert bao.status(access.token()) == 200
    other, others_key = Authority(tmp_path).issue("client")
    with pytest.raises(LoginRefused, match=str(other)):
        opened(parameters, **tls, client_certificate=other, client_key=others_key).token()
    with pytest.raises(CredentialsMissing, match="VAULT_CLIENT_CERT"):
        opened(parameters, **tls).token()
    with pytest.raises(CredentialsMissing, match="is no file"):
        opened(parameters, **tls, client_certificate=tmp_path / "gone.pem", client_key=key).token()


def test_a_server_that_is_not_trusted_gets_nothing(
    bao: Bao, opened: Opened, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """No password is sent to a server of another authority, and nobody waits for it to change."""
    mount = bao.mount("userpass")
    monkeypatch.setenv("KEYVAULT_JWT_VAULT_PASSWORD", "p")
    other = Authority(tmp_path).file
    options = {"auth": "userpass", "auth_mount": mount, "username": "dev"}
    with pytest.raises(NotTrusted):
        opened(options, server=bao.tls_server, authorities=other, deadline=3_600_000).token()
    assert bao.requests(f"auth/{mount}/login/dev") == 0

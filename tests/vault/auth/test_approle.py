"""AppRole on a real server, with plain and wrapped secret ids."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from keyvault_jwt.errors import StoreUnavailable
from keyvault_jwt.testing import FakeClock
from keyvault_jwt_vault.auth.errors import (
    AuthNotMounted,
    CredentialsMissing,
    LoginRefused,
    WrappedSecretSpent,
)
from keyvault_jwt_vault.credentials import Credentials
from keyvault_jwt_vault.errors import WrongPlace
from tests.vault.auth.bao import AppRoleAt, Bao
from tests.vault.auth.conftest import Opened
from tests.waiting import until

MakeRole = Callable[..., AppRoleAt]


def _wrapped(bao: Bao, role: AppRoleAt, ttl: str = "60s") -> str:
    answer = bao.ask("POST", f"auth/{role.mount}/role/app/secret-id", {}, **{"X-Vault-Wrap-TTL": ttl})
    token: str = answer["wrap_info"]["token"]
    return token


def test_the_token_may_do_what_its_role_may(bao: Bao, approle: MakeRole, opened: Opened) -> None:
    """A login with role id and secret id gives a token that the server takes, and only one login is made."""
    role = approle()
    access = opened(role.parameters)
    assert {bao.status(access.token()) for _ in range(5)} == {200}
    assert role.logins == 1


def test_files_instead_of_variables(bao: Bao, opened: Opened, tmp_path: Path) -> None:
    """The ids may be in files that the URL names; white space around them is no part of them."""
    role = bao.approle()
    files = {}
    for name, value in (("role_id_file", role.role_id), ("secret_id_file", role.secret_id)):
        (tmp_path / name).write_text(value + "\n")
        files[name] = str(tmp_path / name)
    assert bao.status(opened(role.parameters | files).token()) == 200


def test_a_token_is_revoked_at_the_end(bao: Bao, approle: MakeRole, opened: Opened) -> None:
    """Closing ends the token on the server, and nothing is handed out any more."""
    access = opened(approle().parameters)
    token = access.token()
    access.close()
    assert bao.status(token) == 403
    with pytest.raises(StoreUnavailable, match="closed"):
        access.token()


def test_a_wrong_secret_is_refused_without_being_shown(
    approle: MakeRole, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refusal says where the ids came from and quotes neither; it is not tried again at once."""
    role = approle()
    monkeypatch.setenv("KEYVAULT_JWT_VAULT_SECRET_ID", "hunter2-hunter2")
    access = opened(role.parameters, clock=FakeClock())
    for _ in range(5):
        with pytest.raises(LoginRefused) as refused:
            access.token()
    assert "KEYVAULT_JWT_VAULT_SECRET_ID" in str(refused.value)
    assert refused.value.__cause__ is None
    assert not {"hunter2-hunter2", role.role_id} & set(str(refused.value).split())
    assert role.logins == 1


def test_a_missing_secret_is_named(
    approle: MakeRole, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a secret id the error names the variable, and the server is not asked."""
    role = approle()
    monkeypatch.delenv("KEYVAULT_JWT_VAULT_SECRET_ID")
    with pytest.raises(CredentialsMissing, match="KEYVAULT_JWT_VAULT_SECRET_ID"):
        opened(role.parameters).token()
    assert role.logins == 0


def test_an_unmounted_method_is_told(approle: MakeRole, opened: Opened) -> None:
    """Where nothing is mounted the error names the option that says where."""
    with pytest.raises(AuthNotMounted, match="auth_mount"):
        opened(approle().parameters | {"auth_mount": "elsewhere"}).token()


def test_a_wrapped_secret_is_unwrapped_once(
    bao: Bao, approle: MakeRole, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrapped secret id logs in, and again after the token was revoked, though it unwraps only once."""
    role = approle()
    monkeypatch.delenv("KEYVAULT_JWT_VAULT_SECRET_ID")
    monkeypatch.setenv("KEYVAULT_JWT_VAULT_WRAPPED_SECRET_ID", _wrapped(bao, role))
    access = opened(role.parameters)
    token = access.token()
    assert bao.status(token) == 200
    bao.ask("POST", "auth/token/revoke", {"token": token})
    assert access.refused(token)
    assert bao.status(access.token()) == 200
    assert role.logins == 2


@pytest.mark.parametrize("spent", ["used", "expired", "junk", "forged"])
def test_a_spent_wrapping_raises_the_alarm(
    bao: Bao, approle: MakeRole, opened: Opened, tmp_path: Path, spent: str
) -> None:
    """A wrapping token that was used, has expired, is none, or wraps what its finder put in is an alarm."""
    role = approle()
    wrapping = _wrapped(bao, role)
    if spent == "used":
        bao.ask("POST", "sys/wrapping/unwrap", {"token": wrapping})
    elif spent == "expired":
        wrapping = _wrapped(bao, role, "1s")
        until(lambda: not bao.does("POST", "sys/wrapping/lookup", {"token": wrapping}))
    elif spent == "junk":
        wrapping = "s.notawrappingtoken"
    else:
        forged = bao.ask(
            "POST", "sys/wrapping/wrap", {"secret_id": role.secret_id}, **{"X-Vault-Wrap-TTL": "60s"}
        )
        wrapping = forged["wrap_info"]["token"]
    file = tmp_path / "wrapped"
    file.write_text(wrapping)
    with pytest.raises(WrappedSecretSpent, match="somebody else may have unwrapped it") as alarm:
        opened(role.parameters | {"wrapped_secret_id_file": str(file)}).token()
    assert wrapping not in str(alarm.value)
    assert role.logins == 0


def test_a_wrapped_secret_in_forked_processes(
    bao: Bao, approle: MakeRole, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Children forked after the first login share what was unwrapped; one forked before it is told to."""
    role = approle()
    monkeypatch.delenv("KEYVAULT_JWT_VAULT_SECRET_ID")
    monkeypatch.setenv("KEYVAULT_JWT_VAULT_WRAPPED_SECRET_ID", _wrapped(bao, role))
    before, after = opened(role.parameters), opened(role.parameters)
    assert bao.status(after.token()) == 200
    assert _in_a_child(after) == "a token"
    assert "log in before it forks" in _in_a_child(before)


def _in_a_child(access: Credentials) -> str:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            told = "a token" if access.token() else ""
        except WrappedSecretSpent as alarm:
            told = str(alarm)
        os.write(writing, told.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        told = pipe.read()
    assert os.waitpid(child, 0)[1] == 0
    return told


def test_in_a_namespace(bao: Bao, opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrapped secret id of a namespace logs in there; a namespace that is not there is no alarm."""
    there = {"X-Vault-Namespace": "team"}
    bao.ask("PUT", "sys/namespaces/team", {})
    bao.ask("POST", "sys/auth/approle", {"type": "approle"}, **there)
    bao.ask("POST", "auth/approle/role/app", {}, **there)
    role_id = bao.ask("GET", "auth/approle/role/app/role-id", **there)["data"]["role_id"]
    wrap = there | {"X-Vault-Wrap-TTL": "60s"}
    wrapped = bao.ask("POST", "auth/approle/role/app/secret-id", {}, **wrap)["wrap_info"]
    monkeypatch.setenv("KEYVAULT_JWT_VAULT_ROLE_ID", role_id)
    monkeypatch.setenv("KEYVAULT_JWT_VAULT_WRAPPED_SECRET_ID", wrapped["token"])
    token = opened({"auth": "approle"}, namespace="team").token()
    assert (
        bao.ask("POST", "auth/token/lookup", {"token": token}, **there)["data"]["path"]
        == "auth/approle/login"
    )
    with pytest.raises(WrongPlace, match="elsewhere"):
        opened({"auth": "approle"}, namespace="elsewhere").token()

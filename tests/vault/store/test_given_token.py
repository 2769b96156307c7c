"""Tokens that somebody else logged in for, as a store uses them: from the environment or a file."""

from __future__ import annotations

import time
import traceback
from pathlib import Path

import pytest

from keyvault_jwt.store import DocumentKind, DocumentName
from keyvault_jwt.testing.bao_server import BaoServer
from keyvault_jwt_vault import VaultStore, errors, open_url
from keyvault_jwt_vault.auth.errors import CredentialsMissing, LoginRefused
from tests.vault.store.fault_proxy import FaultProxy
from tests.waiting import until

NAME = DocumentName("payments", DocumentKind.AUTHORITY)
READS = 'path "secret/*" { capabilities = ["read"] }'


def test_expired_token(bao: BaoServer, prefix_url: str, environment: pytest.MonkeyPatch) -> None:
    """A token that is good no more is denied, and the error says so."""
    token = bao.token_for('path "secret/*" { capabilities = ["read", "create", "update"] }')
    environment.setenv("BAO_TOKEN", token)
    with open_url(prefix_url) as store:
        assert store.read(NAME) is None
        bao.request("POST", "auth/token/revoke", {"token": token})
        with pytest.raises(LoginRefused, match="expired"):
            store.read(NAME)
    with open_url(prefix_url) as store, pytest.raises(errors.Denied, match="expired"):
        store.read(NAME)


def test_a_token_that_no_header_takes(prefix_url: str, environment: pytest.MonkeyPatch) -> None:
    """A token with a line end is refused without being shown."""
    environment.setenv("BAO_TOKEN", "s.some\nthing")
    with open_url(prefix_url) as store, pytest.raises(CredentialsMissing) as caught:
        store.read(NAME)
    assert "some" not in "".join(traceback.format_exception(caught.value))


def test_no_token_at_all(
    prefix_url: str, environment: pytest.MonkeyPatch, tmp_path: Path, bao: BaoServer
) -> None:
    """Without a token the error says where one is looked for; one that is put there later is taken up."""
    environment.delenv("BAO_TOKEN")
    environment.delenv("VAULT_TOKEN", raising=False)
    environment.setenv("HOME", str(tmp_path))
    with open_url(prefix_url) as store:
        with pytest.raises(CredentialsMissing, match="VAULT_TOKEN"):
            store.read(NAME)
        (tmp_path / ".vault-token").write_text(bao.token + "\n")
        until(lambda: _is_let_in(store))


def _is_let_in(store: VaultStore) -> bool:
    """Whether a store reads again: after a failure it asks for a token only when a pause is over."""
    try:
        return store.read(NAME) is None
    except CredentialsMissing:
        return False


def test_a_token_file_written_anew_is_taken_up(
    prefix_url: str, environment: pytest.MonkeyPatch, tmp_path: Path, bao: BaoServer
) -> None:
    """A token that is refused is read again: an agent may have put a fresh one there in the meantime."""
    environment.delenv("BAO_TOKEN")
    environment.setenv("HOME", str(tmp_path))
    first = bao.token_for(READS)
    (tmp_path / ".vault-token").write_text(first)
    with open_url(prefix_url) as store:
        assert store.read(NAME) is None
        (tmp_path / ".vault-token").write_text(bao.token)
        bao.request("POST", "auth/token/revoke", {"token": first})
        assert store.read(NAME) is None


def test_a_given_token_is_renewed_at_use(
    prefix_url: str, environment: pytest.MonkeyPatch, tmp_path: Path, bao: BaoServer
) -> None:
    """A store over a token of 4 s reads for longer than that; `token_file` names where it is."""
    environment.delenv("BAO_TOKEN")
    (tmp_path / "sink").write_text(bao.token_for(READS, ttl="4s"))
    end = time.monotonic() + 6
    with open_url(f"{prefix_url}?token_file={tmp_path / 'sink'}") as store:
        while time.monotonic() < end:
            assert store.read(NAME) is None


def test_a_token_that_may_not_look_itself_up(
    prefix_url: str, environment: pytest.MonkeyPatch, bao: BaoServer, proxy: FaultProxy
) -> None:
    """A token of no other policy serves all the same, and is asked about once, not before each request."""
    environment.setenv("BAO_TOKEN", bao.token_for(READS, no_default_policy=True))
    with open_url(prefix_url) as store:
        for _ in range(5):
            assert store.read(NAME) is None
    assert sum("lookup-self" in request for request in proxy.requests) == 1


def test_a_root_token_costs_one_look(
    prefix_url: str, environment: pytest.MonkeyPatch, bao: BaoServer, proxy: FaultProxy
) -> None:
    """A token without an end is looked up once and never renewed, and outlives the store."""
    environment.setenv("BAO_TOKEN", bao.token)
    with open_url(prefix_url) as store:
        for _ in range(5):
            assert store.read(NAME) is None
    assert [one for one in proxy.requests if "/auth/" in one] == ["GET /v1/auth/token/lookup-self"]
    assert bao.request("GET", "auth/token/lookup-self")

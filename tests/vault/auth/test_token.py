"""Tokens that somebody else logged in for, on a real server."""

from __future__ import annotations

from pathlib import Path

import pytest

from keyvault_jwt.testing import FakeClock
from keyvault_jwt_vault.auth.errors import CredentialsMissing, LoginRefused
from tests.vault.auth.bao import Bao
from tests.vault.auth.conftest import Opened
from tests.waiting import until


def _token(bao: Bao, **more: object) -> str:
    made = bao.ask("POST", "auth/token/create", {"policies": ["reader"]} | more)
    token: str = made["auth"]["client_token"]
    return token


def test_the_environments_token_is_used_and_left_alone(
    bao: Bao, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """VAULT_TOKEN is what is handed out, and closing does not revoke what was given."""
    token = _token(bao, ttl="60s")
    monkeypatch.setenv("VAULT_TOKEN", token)
    access = opened({})
    assert access.token() == token
    access.close()
    assert bao.status(token) == 200


def test_openbaos_variable_comes_first(bao: Bao, opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """BAO_TOKEN wins over VAULT_TOKEN, as for OpenBao's own client."""
    monkeypatch.setenv("VAULT_TOKEN", "s.other")
    monkeypatch.setenv("BAO_TOKEN", token := _token(bao))
    assert opened({"auth": "token"}).token() == token


def test_a_renewable_token_outlives_its_ttl(bao: Bao, opened: Opened, tmp_path: Path) -> None:
    """A token of 60 s in ~/.vault-token is renewed at use after 45 s of ours, again and again, not before."""
    (tmp_path / ".vault-token").write_text(token := _token(bao, ttl="60s"))
    clock = FakeClock()
    access = opened({"auth": "token"}, clock=clock)
    renewals = bao.requests("auth/token/renew-self")
    for _ in range(4):
        assert {access.token() for _ in range(3)} == {token}
        clock.advance(45_000)
    assert bao.status(token) == 200
    assert bao.requests("auth/token/renew-self") == renewals + 3


@pytest.mark.parametrize("more", [{"ttl": "0"}, {"type": "batch", "ttl": "60s"}, {"no_default_policy": True}])
def test_others_are_used_as_they_are(
    bao: Bao, opened: Opened, tmp_path: Path, more: dict[str, object]
) -> None:
    """A token that may not look itself up, one without an end and a batch token are handed out."""
    (tmp_path / "sink").write_text(token := _token(bao, **more))
    access = opened({"auth": "token", "token_file": str(tmp_path / "sink")})
    assert {access.token() for _ in range(3)} == {token}
    assert bao.status(access.token()) == 200


def test_a_root_token_has_no_end(bao: Bao, opened: Opened, tmp_path: Path) -> None:
    """A root token has no TTL; it is asked about once, and never renewed."""
    (tmp_path / "sink").write_text(token := _token(bao, policies=["root"], no_parent=True))
    lookups = bao.requests("auth/token/lookup-self")
    clock = FakeClock()
    access = opened({"auth": "token", "token_file": str(tmp_path / "sink")}, clock=clock)
    for _ in range(10):
        assert access.token() == token
        clock.advance(10_000_000)
    assert bao.requests("auth/token/lookup-self") == lookups + 1


def test_a_revoked_token_is_told_and_a_fresh_one_taken(bao: Bao, opened: Opened, tmp_path: Path) -> None:
    """When the given token ends the error says where to put a fresh one, which is then used."""
    file = tmp_path / "sink"
    file.write_text(first := _token(bao, ttl="60s"))
    access = opened({"auth": "token", "token_file": str(file)})
    assert access.token() == first
    bao.ask("POST", "auth/token/revoke", {"token": first})
    with pytest.raises(LoginRefused, match="put a fresh one") as refused:
        access.refused(first)
    assert str(file) in str(refused.value)
    assert first not in str(refused.value)
    file.write_text(second := _token(bao, ttl="60s"))

    def taken() -> bool:
        try:
            return access.token() == second
        except LoginRefused:
            return False

    until(taken)


def test_a_denial_of_a_good_token_is_no_reason_to_log_in(bao: Bao, opened: Opened, tmp_path: Path) -> None:
    """A 403 to a token that the server takes is a matter of policy: nothing fresh would help."""
    (tmp_path / "sink").write_text(token := _token(bao, ttl="60s"))
    access = opened({"auth": "token", "token_file": str(tmp_path / "sink")})
    assert bao.status(access.token(), "secret/data/elsewhere") == 403
    assert not access.refused(token)


@pytest.mark.parametrize("content", [b"", b"two words\nlines", b"\xff\xfe"])
def test_no_token_is_an_error_with_the_way_out(opened: Opened, tmp_path: Path, content: bytes) -> None:
    """A file that is missing, empty or no token is named, and its content is not."""
    if content:
        (tmp_path / ".vault-token").write_bytes(content)
    with pytest.raises(CredentialsMissing, match=r"\.vault-token") as missing:
        opened({}).token()
    assert "two words" not in str(missing.value)

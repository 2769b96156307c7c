"""What answers in a server's place: a stand-in that redirects, and one that is no Vault."""

from __future__ import annotations

import pytest

from keyvault_jwt.errors import StoreUnavailable
from keyvault_jwt_vault.auth.errors import LoginRefused
from tests.vault.auth.conftest import Opened
from tests.vault.auth.stand_in import StandIn, Told

PARAMETERS = {"auth": "userpass", "username": "dev"}


@pytest.fixture(autouse=True)
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEYVAULT_JWT_VAULT_PASSWORD", "correct-horse")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(opened: Opened, status: int) -> None:
    """The password goes to the server that was named, and nowhere else."""
    elsewhere = StandIn(lambda _: Told(200, {"auth": {"client_token": "s.stolen"}}))
    standby = StandIn(lambda _: Told(status, None, (("Location", elsewhere.url),)))
    try:
        with pytest.raises(StoreUnavailable) as failed:
            opened(PARAMETERS, server=standby.url, deadline=500).token()
    finally:
        standby.stop()
        elsewhere.stop()
    assert standby.asked
    assert not elsewhere.asked
    assert "correct-horse" not in str(failed.value)


def test_an_answer_that_is_not_quoted(opened: Opened) -> None:
    """A server that quotes what it was sent is not quoted, in the error or behind it."""
    echo = StandIn(lambda asked: Told(400, {"errors": [asked.body.decode()]}))
    try:
        with pytest.raises(LoginRefused) as refused:
            opened(PARAMETERS, server=echo.url).token()
    finally:
        echo.stop()
    assert "correct-horse" not in f"{refused.value} {refused.value.__cause__} {refused.value.__context__}"


@pytest.mark.parametrize("body", [{}, {"auth": None}, {"auth": {"client_token": ""}}, {"auth": {"mfa": 1}}])
def test_an_answer_without_a_token(opened: Opened, body: object) -> None:
    """A 200 without a token is told as what it is."""
    server = StandIn(lambda _: Told(200, body))
    try:
        with pytest.raises(LoginRefused, match="holds no token"):
            opened(PARAMETERS, server=server.url).token()
    finally:
        server.stop()

"""A whole session that logs in: what its requests make of a token that ends and of a policy that goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from keyvault_jwt.errors import StoreUnavailable
from keyvault_jwt_vault.auth import credentials
from keyvault_jwt_vault.errors import Denied
from keyvault_jwt_vault.session import Session
from tests.vault.auth.bao import READER, AppRoleAt, Bao

THERE = "secret/data/jwt/there"
MakeRole = Callable[..., AppRoleAt]


@pytest.fixture
def role(approle: MakeRole, bao: Bao) -> AppRoleAt:
    """Return a role whose policy is its own."""
    bao.ask("PUT", "sys/policies/acl/leaving", {"policy": READER})
    return approle(token_policies="leaving")


@pytest.fixture
def session(bao: Bao, role: AppRoleAt) -> Iterator[Session]:
    """Yield a session of that role."""
    address = bao.address()
    with Session(address, credentials(address, role.parameters)) as session:
        yield session


def test_a_revoked_token_costs_one_login_and_no_request(bao: Bao, role: AppRoleAt, session: Session) -> None:
    """An admin revokes the token while 32 threads read: all get their answer, by one login more."""
    session.request("GET", THERE)
    bao.ask("POST", "auth/token/revoke", {"token": session._credentials.token()})
    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(lambda _: session.request("GET", THERE).status, range(64)))
    assert set(answers) == {200}
    assert role.logins == 2


def test_a_deleted_policy_is_a_clear_denial(bao: Bao, role: AppRoleAt, session: Session) -> None:
    """Every request of 32 threads is denied by name of what is missing, and nobody logs in again."""
    session.request("GET", THERE)
    bao.ask("DELETE", "sys/policies/acl/leaving")

    def denied(_: int) -> str:
        with pytest.raises(Denied) as denial:
            session.request("GET", THERE)
        return str(denial.value)

    with ThreadPoolExecutor(32) as pool:
        (message,) = set(pool.map(denied, range(64)))
    assert "read" in message
    assert THERE in message
    assert role.logins == 1


def test_a_server_that_is_away_is_told_within_the_deadline(bao: Bao, role: AppRoleAt) -> None:
    """Where nothing listens the login gives up, as something that may pass."""
    address = bao.address(server="http://127.0.0.1:1", deadline=1_000)
    access = credentials(address, role.parameters)
    with pytest.raises(StoreUnavailable):
        access.token()
    access.close()

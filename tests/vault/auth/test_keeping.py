"""Keeping a token good on a real server: short TTLs, ends, revocation, threads and forks."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier

import pytest

from keyvault_jwt.testing import FakeClock
from keyvault_jwt_vault.auth.door import Door
from keyvault_jwt_vault.auth.errors import LoginRefused, TokenDenied
from keyvault_jwt_vault.auth.server_tokens import ServerTokens
from tests.vault.auth.bao import READER, AppRoleAt, Bao
from tests.vault.auth.conftest import Opened
from tests.waiting import until

MakeRole = Callable[..., AppRoleAt]
THREADS = 32


@dataclass(frozen=True)
class Used:
    """What came of using tokens for a while; a stall is a use that this machine stretched."""

    uses: int
    refusals: int
    stalls: int


def _use(bao: Bao, token: Callable[[], str], seconds: float) -> Used:
    """Use tokens for so long; a refusal counts where token and use lay close together."""
    last = time.monotonic()
    end, uses, refusals, stalls = last + seconds, 0, 0, 0
    while last < end:
        refused = bao.status(token()) != 200
        stalled = time.monotonic() - last > 0.4
        uses, refusals, stalls = uses + 1, refusals + (refused and not stalled), stalls + stalled
        last = time.monotonic()
    return Used(uses, refusals, stalls)


def test_a_ttl_of_two_seconds_through_many_uses(bao: Bao, approle: MakeRole, opened: Opened) -> None:
    """One login, shared by threads, outlives its TTL of 2 s twice over, renewed at use; no use is refused."""
    role = approle(token_ttl="2s", token_max_ttl="60s")
    access = opened(role.parameters)
    with ThreadPoolExecutor(8) as pool:
        each = list(pool.map(lambda _: _use(bao, access.token, 5), range(8)))
    assert sum(one.uses for one in each) > 20
    assert sum(one.refusals for one in each) == 0
    assert 1 <= role.logins <= 1 + sum(one.stalls for one in each)


def test_a_token_is_replaced_before_its_max_ttl(bao: Bao, approle: MakeRole, opened: Opened) -> None:
    """At a max TTL of 3 s tokens are replaced ahead of their end, again and again, and no use is refused."""
    role = approle(token_ttl="2s", token_max_ttl="3s")
    access = opened(role.parameters)
    used = _use(bao, access.token, 7)
    assert used.refusals == 0
    assert 2 <= role.logins <= 7 + used.stalls


def test_a_renewal_past_the_max_ttl_is_a_refusal(bao: Bao) -> None:
    """In its last second the server answers a renewal with a 500, which is told as the refusal that it is."""
    made = bao.ask("POST", "auth/token/create", {"ttl": "2s", "explicit_max_ttl": "2s"})
    token, tokens = made["auth"]["client_token"], ServerTokens(Door(bao.address()))
    with pytest.raises(TokenDenied):
        until(lambda: not tokens.renew(token).token)
    tokens.close()


def test_batch_tokens_are_replaced(bao: Bao, approle: MakeRole, opened: Opened) -> None:
    """A batch token can't be renewed, so a new login takes its place ahead of its end."""
    role = approle(token_type="batch", token_ttl="2s")
    access = opened(role.parameters)
    # Its time is counted from the second that is nearly over, so it lives for little more than one.
    until(lambda: time.time() % 1 > 0.9)
    renewals = bao.requests("auth/token/renew-self")
    used = _use(bao, access.token, 3)
    assert used.refusals == 0
    assert 3 - used.stalls <= role.logins <= 6 + used.stalls
    assert bao.requests("auth/token/renew-self") == renewals


def test_many_threads_make_one_login(bao: Bao, approle: MakeRole, opened: Opened) -> None:
    """32 threads that ask at once get the same token by one login; revoked by an admin, by one more."""
    role = approle()
    access = opened(role.parameters)
    together = Barrier(THREADS)

    def first(_: int) -> str:
        together.wait()
        return access.token()

    def after_a_refusal(_: int) -> tuple[bool, str]:
        token = access.token()
        together.wait()
        return access.refused(token), access.token()

    with ThreadPoolExecutor(THREADS) as pool:
        (token,) = set(pool.map(first, range(THREADS)))
        assert role.logins == 1
        bao.ask("POST", "auth/token/revoke", {"token": token})
        ((worth, fresh),) = set(pool.map(after_a_refusal, range(THREADS)))
    assert worth
    assert bao.status(fresh) == 200
    assert role.logins == 2


def test_a_deleted_policy_makes_no_storm(bao: Bao, approle: MakeRole, opened: Opened) -> None:
    """Denied for want of a policy, 32 threads make no login at all: the token itself is still taken."""
    bao.ask("PUT", "sys/policies/acl/passing", {"policy": READER})
    role = approle(token_policies="passing")
    access = opened(role.parameters)
    token = access.token()
    assert bao.status(token) == 200
    bao.ask("DELETE", "sys/policies/acl/passing")
    assert bao.status(token) == 403
    with ThreadPoolExecutor(THREADS) as pool:
        assert not any(pool.map(lambda _: access.refused(access.token()), range(THREADS * 4)))
    assert access.token() == token
    assert role.logins == 1


def test_no_storm_where_a_token_may_not_look_itself_up(bao: Bao, approle: MakeRole, opened: Opened) -> None:
    """Without the policy `default` each denial looks like an ended token; logins keep their distance."""
    role = approle(token_policies="nothing", token_no_default_policy=True)
    access = opened(role.parameters, clock=FakeClock())
    for _ in range(50):
        access.refused(access.token())
    assert role.logins == 2


def test_a_destroyed_secret_is_told_and_makes_no_storm(bao: Bao, approle: MakeRole, opened: Opened) -> None:
    """When the secret id was destroyed and the token revoked, 32 threads make one login, and are told why."""
    role = approle()
    access = opened(role.parameters, clock=FakeClock())
    token = access.token()
    bao.ask("POST", f"auth/{role.mount}/role/app/secret-id/destroy", {"secret_id": role.secret_id})
    bao.ask("POST", "auth/token/revoke", {"token": token})
    with ThreadPoolExecutor(THREADS) as pool:
        failures = {
            type(one.exception()) for one in [pool.submit(access.refused, token) for _ in range(THREADS)]
        }
    assert failures == {LoginRefused}
    assert role.logins == 2


def test_a_child_process_logs_in_for_itself(bao: Bao, approle: MakeRole, opened: Opened) -> None:
    """A forked child gets a token of its own and revokes only that, even if the fork met a login."""
    role = approle()
    access = opened(role.parameters)
    token = access.token()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writing, access.token().encode())
            access.close()
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        childs = pipe.read()
    assert os.waitpid(child, 0)[1] == 0
    assert childs not in {"", token}
    assert bao.status(childs) == 403
    assert bao.status(token) == 200
    assert access.token() == token


def test_what_was_replaced_is_revoked_too(bao: Bao, approle: MakeRole, opened: Opened) -> None:
    """After closing, no token of this session is left alive, those replaced on the way included."""
    role = approle(token_type="service", token_ttl="30s")
    clock = FakeClock()
    access = opened(role.parameters, clock=clock)
    first = access.token()
    bao.ask("POST", f"auth/{role.mount}/role/app", {"token_max_ttl": "5s", "token_ttl": "5s"})
    clock.advance(25_000)
    assert access.token() == first  # renewed, to less than it had: the next one is another
    clock.advance(4_000)
    second = access.token()
    assert {bao.status(token) for token in (first, second)} == {200}
    access.close()
    assert {bao.status(token) for token in (first, second)} == {403}

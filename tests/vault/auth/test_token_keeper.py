"""The keeper's rules on a clock of the test's own, with a server of a few lines in its place."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from keyvault_jwt.errors import StoreDenied, StoreError, StoreUnavailable
from keyvault_jwt.testing import FakeClock
from keyvault_jwt_vault.auth.errors import LoginImpossible, LoginRefused, TokenDenied
from keyvault_jwt_vault.granted import Granted
from keyvault_jwt_vault.token_keeper import TokenKeeper
from tests.waiting import until


class Server:
    """Gives tokens that live for `ttl` by a clock, at most `max_ttl` with renewals; fails as told."""

    def __init__(self, clock: FakeClock, *, ttl: int = 60_000, max_ttl: int = 3_600_000) -> None:
        self.clock, self.ttl, self.max_ttl, self.renewable = clock, ttl, max_ttl, True
        self.failure: StoreError | None = None
        self.slowness = 0
        self.logins = self.renewals = self.lookups = 0
        self.alive: dict[str, int] = {}
        self.last: dict[str, int] = {}
        self.revoked: list[str] = []
        self.open = threading.Event()
        self.open.set()

    def __repr__(self) -> str:
        return "Server()"

    def login(self) -> Granted:
        self.logins += 1
        self.open.wait(30)
        self.clock.advance(self.slowness)
        if self.failure is not None:
            raise self.failure
        token, now = f"token-{self.logins}", self.clock.monotonic()
        self.alive[token], self.last[token] = now + self.ttl, now + self.max_ttl
        return Granted(token=token, ttl=self.ttl, renewable=self.renewable, accessor=token)

    def lookup(self, token: str) -> Granted:
        self.lookups += 1
        self.open.wait(30)
        return self._known(token)

    def renew(self, token: str) -> Granted:
        self.renewals += 1
        self.open.wait(30)
        if self.failure is not None:
            raise self.failure
        granted = self._known(token)
        self.alive[token] = min(self.clock.monotonic() + self.ttl, self.last[token])
        return replace(granted, ttl=self.alive[token] - self.clock.monotonic())

    def revoke(self, token: str) -> None:
        self.alive.pop(token, None)
        self.revoked.append(token)

    def close(self) -> None:
        """Hold nothing."""

    def _known(self, token: str) -> Granted:
        left = self.alive.get(token, 0) - self.clock.monotonic()
        if left <= 0:
            raise TokenDenied("gone")
        return Granted(token=token, ttl=left, renewable=self.renewable, accessor=token)


class Turnstile:
    """A lock that tells how many have come to it."""

    def __init__(self) -> None:
        self.lock, self.comers = threading.Lock(), list[int]()

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        self.comers.append(threading.get_ident())
        return self.lock.acquire(blocking, timeout)

    def release(self) -> None:
        self.lock.release()


@pytest.fixture
def clock() -> FakeClock:
    """Return a clock that goes when told to."""
    return FakeClock()


@pytest.fixture
def server(clock: FakeClock) -> Server:
    """Return a server whose tokens live for a minute."""
    return Server(clock)


@pytest.fixture
def keeper(server: Server, clock: FakeClock) -> TokenKeeper:
    """Return a keeper whose pauses pass on the clock."""
    return TokenKeeper(
        server,
        server,
        clock=clock,
        jitter=lambda: 0.5,
        pause=lambda s: clock.advance(round(s * 1000)),
        patience=30_000,
    )


def test_renewal_is_due_at_about_two_thirds(server: Server, clock: FakeClock, keeper: TokenKeeper) -> None:
    """Before 0.6 of the TTL nothing is asked; after 0.7 the first use renews, and keeps the token."""
    keeper.token()
    clock.advance(35_999)
    keeper.token()
    assert server.renewals == 0
    clock.advance(6_001)
    assert keeper.token() == "token-1"
    assert (server.renewals, server.logins) == (1, 1)


def test_a_slow_login_makes_no_token_younger(server: Server, clock: FakeClock, keeper: TokenKeeper) -> None:
    """The TTL counts from when the login was asked for: after 50 s of waiting, renewal is due at once."""
    server.slowness = 50_000
    keeper.token()
    keeper.token()
    assert server.renewals == 1


def test_a_wall_clock_that_runs_ahead_is_believed(
    server: Server, clock: FakeClock, keeper: TokenKeeper
) -> None:
    """Time counts by the larger of both clocks: a monotonic one that stood still hides nothing."""
    keeper.token()
    clock.step_wall(61_000)
    keeper.token()
    assert server.logins == 2


def test_others_go_on_while_one_renews(server: Server, clock: FakeClock, keeper: TokenKeeper) -> None:
    """During a renewal that hangs, every other caller gets the token that is still good, at once."""
    keeper.token()
    clock.advance(45_000)
    server.open.clear()
    with ThreadPoolExecutor(1) as pool:
        renewing = pool.submit(keeper.token)
        until(lambda: server.renewals)
        assert {keeper.token() for _ in range(32)} == {"token-1"}
        assert not renewing.done()
        server.open.set()
    assert server.renewals == 1


def test_single_flight_of_logins(server: Server, keeper: TokenKeeper) -> None:
    """32 callers that find no token share one login."""
    server.open.clear()
    with ThreadPoolExecutor(32) as pool:
        asking = [pool.submit(keeper.token) for _ in range(32)]
        until(lambda: server.logins)
        server.open.set()
    assert {one.result() for one in asking} == {"token-1"}
    assert server.logins == 1


def test_a_failed_renewal_is_tried_again_with_pauses(
    server: Server, clock: FakeClock, keeper: TokenKeeper
) -> None:
    """While the server is away a token that is still good is used, and few renewals are tried."""
    keeper.token()
    clock.advance(42_000)
    server.failure = StoreUnavailable("away")
    for _ in range(17_000 // 10):
        assert keeper.token() == "token-1"
        clock.advance(10)
    assert 3 <= server.renewals <= 8
    server.failure = None
    clock.advance(1_500)
    assert keeper.token() == "token-2"


def test_a_capped_renewal_is_the_last(server: Server, clock: FakeClock, keeper: TokenKeeper) -> None:
    """A renewal that gives much less than the first TTL is followed by a login ahead of the end."""
    server.max_ttl = 70_000
    assert keeper.token() == "token-1"
    clock.advance(45_000)
    assert keeper.token() == "token-1"
    clock.advance(18_000)
    assert server.alive["token-1"] > clock.monotonic()
    assert keeper.token() == "token-2"
    assert server.renewals == 1


def test_what_can_not_be_renewed_is_replaced(server: Server, clock: FakeClock, keeper: TokenKeeper) -> None:
    """A token that is not renewable is replaced ahead of its end, and revoked one replacement later."""
    server.renewable = False
    keeper.token()
    clock.advance(45_000)
    assert keeper.token() == "token-2"
    assert server.revoked == []
    clock.advance(45_000)
    assert keeper.token() == "token-3"
    assert server.renewals == 0
    assert server.revoked == ["token-1"]
    keeper.close()
    assert sorted(server.revoked) == ["token-1", "token-2", "token-3"]


def test_a_token_without_end_is_left_alone(server: Server, clock: FakeClock, keeper: TokenKeeper) -> None:
    """A TTL of 0 never ends and is never renewed."""
    server.ttl = 0
    keeper.token()
    clock.advance(10**12)
    assert keeper.token() == "token-1"
    assert (server.logins, server.renewals) == (1, 0)


def test_a_server_that_comes_back_is_waited_for(
    server: Server, clock: FakeClock, keeper: TokenKeeper
) -> None:
    """A login that could not be asked for is repeated within the patience, with growing pauses."""
    server.failure = LoginImpossible("away")
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        clock.advance(round(seconds * 1000))
        if len(pauses) == 4:
            server.failure = None

    waiting = TokenKeeper(server, server, clock=clock, jitter=lambda: 0.999, pause=pause, patience=30_000)
    assert waiting.token() == "token-5"
    assert pauses == pytest.approx([0.5, 1, 2, 4], rel=0.01)


def test_the_total_deadline_holds(server: Server, clock: FakeClock, keeper: TokenKeeper) -> None:
    """The caller gets the failure when the patience is spent, and the next ones without a request."""
    server.failure = LoginImpossible("away")
    began = clock.monotonic()
    with pytest.raises(LoginImpossible):
        keeper.token()
    assert clock.monotonic() - began <= 30_000
    tries = server.logins
    assert 3 <= tries <= 12
    for _ in range(50):
        with pytest.raises(LoginImpossible):
            keeper.token()
    assert server.logins == tries


def test_a_refused_login_is_not_repeated(server: Server, clock: FakeClock, keeper: TokenKeeper) -> None:
    """Wrong credentials are sent once, then again only after longer and longer pauses."""
    server.failure = LoginRefused("wrong")
    for _ in range(60_000 // 50):
        with pytest.raises(LoginRefused):
            keeper.token()
        clock.advance(50)
    assert 4 <= server.logins <= 9


def test_a_refusal_of_a_live_token_changes_nothing(server: Server, keeper: TokenKeeper) -> None:
    """A 403 to a token that the server still takes is a matter of policy."""
    assert not keeper.refused(keeper.token())
    assert (server.logins, server.lookups) == (1, 1)


def test_refusals_of_a_live_token_share_one_look(server: Server, keeper: TokenKeeper) -> None:
    """Of 32 threads that were refused at once, all but one take the answer of a look that began later."""
    token, flight = keeper.token(), Turnstile()
    keeper._state.get().flight = flight  # type: ignore[assignment]
    with ThreadPoolExecutor(32) as pool:
        with flight.lock:
            asking = [pool.submit(keeper.refused, token) for _ in range(32)]
            until(lambda: len(flight.comers) == 32)
        assert not any(one.result() for one in asking)
    assert server.lookups == 1


def test_a_refusal_of_a_dead_token_makes_one_login(server: Server, keeper: TokenKeeper) -> None:
    """A 403 to a token that was revoked is worth one repetition with a fresh one, for late comers too."""
    token = keeper.token()
    server.alive.clear()
    assert keeper.refused(token)
    assert keeper.refused(token)
    assert keeper.token() == "token-2"
    assert server.logins == 2


def test_fresh_tokens_that_are_refused_come_slower(
    server: Server, clock: FakeClock, keeper: TokenKeeper
) -> None:
    """Where every fresh token is refused at once, logins keep growing distances for minutes."""
    for _ in range(120_000 // 100):
        server.alive.clear()
        keeper.refused(keeper.token())
        clock.advance(100)
    assert 5 <= server.logins <= 12


def test_after_the_end_nothing_is_asked(server: Server, keeper: TokenKeeper) -> None:
    """A closed keeper hands out nothing, asks for nothing, and can be closed again."""
    keeper.token()
    keeper.close()
    keeper.close()
    for use in (keeper.token, lambda: keeper.refused("token-1")):
        with pytest.raises(StoreUnavailable, match="closed"):
            use()
    assert server.revoked == ["token-1"]
    assert server.logins == 1


def test_closing_survives_a_server_that_is_away(server: Server, keeper: TokenKeeper) -> None:
    """A revocation that fails is left to the token's TTL."""
    keeper.token()

    def away(_: str) -> None:
        raise StoreDenied("no")

    server.revoke = away  # type: ignore[method-assign]
    keeper.close()


def test_no_token_is_shown(server: Server, keeper: TokenKeeper, caplog: pytest.LogCaptureFixture) -> None:
    """Neither a repr of what is kept nor the log holds a token."""
    caplog.set_level(logging.DEBUG)
    token = keeper.token()
    shown = repr(keeper) + repr(server.lookup(token)) + repr(keeper._state.get().held) + caplog.text
    assert token not in shown

"""TokenKeeper: one token for a session, renewed at use, replaced before it ends, revoked at the end."""

from __future__ import annotations

import copy
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Final

from keyvault_jwt.clock import Clock, Milliseconds, Stopwatch, SystemClock
from keyvault_jwt.errors import StoreDenied, StoreError, StoreUnavailable
from keyvault_jwt.per_process import PerProcess

from .backoff import Backoff
from .granted import Granted, Login, Tokens
from .statuses import worth_repeating

_FIRST_PAUSE: Final[Milliseconds] = 500
_LONGEST_PAUSE: Final[Milliseconds] = 30_000
_RELOGIN_PAUSE: Final[Milliseconds] = 1_000
_CAPPED: Final = 0.75
"""A renewal that gives less than this share of the first TTL has met the token's max TTL."""


@dataclass(frozen=True, slots=True)
class _Held:
    """A token in use; `age` began before it was asked for, so that it never looks too young."""

    granted: Granted
    age: Stopwatch
    first_ttl: Milliseconds
    due: Milliseconds

    @property
    def token(self) -> str:
        return self.granted.token

    def is_good(self) -> bool:
        return not self.granted.ttl or self.age.elapsed() < self.granted.ttl

    def is_due(self) -> bool:
        return bool(self.granted.ttl) and self.age.elapsed() >= self.due


class _State:
    """What one process knows; `flight` lets one thread at a time talk about the token."""

    def __init__(self, clock: Clock, jitter: Callable[[], float]) -> None:
        self.flight = threading.Lock()
        self.held: _Held | None = None
        self.retired: Granted | None = None
        self.failure: StoreError | None = None
        self.failures = Backoff(clock, jitter, first=_FIRST_PAUSE, longest=_LONGEST_PAUSE)
        self.ahead = Backoff(clock, jitter, first=_FIRST_PAUSE, longest=_LONGEST_PAUSE)
        self.relogins = Backoff(clock, jitter, first=_RELOGIN_PAUSE, longest=_LONGEST_PAUSE)
        self.checks = self.vouched = 0

    def fail(self, failure: StoreError) -> None:
        self.failure = failure
        self.failures.failed()

    def require_calm(self) -> None:
        """Raise the last failure again while it is too early to try anew."""
        if self.failure is not None and self.failures.left:
            raise copy.copy(self.failure) from None

    def hold(self, held: _Held) -> Granted | None:
        """Take a token into use; return one that nobody can be using any more."""
        before, ended = self.held, None
        if before is not None and before.token != held.token:
            ended, self.retired = self.retired, before.granted if before.is_good() else None
        self.held, self.failure = held, None
        self.failures.succeeded()
        self.ahead.succeeded()
        return ended


class TokenKeeper:
    """The `Credentials` of a session that logs in: one token per process, shared by its threads.

    There is no thread of its own: `token()` renews at about two thirds of the TTL, by one
    caller, while others go on with the token that is still good.  A token that can't be
    renewed, or not to its full TTL any more, is replaced at the same share of what it has left.
    A failed login is repeated only if the server could not be asked, with growing pauses and for
    at most `patience` in all; until the pause after the last failure is over, every caller
    gets that failure without a request.  A child process logs in for itself.

    `jitter` draws from 0 ≤ x < 1, `pause` waits for so many seconds.
    """

    __slots__ = ("_clock", "_closed", "_jitter", "_login", "_patience", "_pause", "_state", "_tokens")

    def __init__(
        self,
        login: Login,
        tokens: Tokens,
        *,
        clock: Clock | None = None,
        jitter: Callable[[], float] = random.random,
        pause: Callable[[float], None] = time.sleep,
        patience: Milliseconds = 30_000,
    ) -> None:
        clock = clock or SystemClock()
        self._login, self._tokens, self._clock, self._jitter = login, tokens, clock, jitter
        self._pause, self._patience, self._closed = pause, patience, False
        self._state = PerProcess(lambda: _State(clock, jitter))

    def __repr__(self) -> str:
        return f"TokenKeeper({self._login!r})"

    def token(self) -> str:
        """Return a token that is good for now; raises `StoreError`s."""
        self._require_open()
        state = self._state.get()
        held = state.held
        if held is not None and held.is_due() and held.is_good() and state.flight.acquire(blocking=False):
            try:
                self._freshen(state, held)
            finally:
                state.flight.release()
        held = state.held
        if held is not None and held.is_good():
            return held.token
        with self._flight(state):
            return self._any_good(state).token

    @property
    def index(self) -> str:
        """The `X-Vault-Index` with which the token in use came."""
        state = self._state.here
        held = None if state is None else state.held
        return "" if held is None else held.granted.index

    def refused(self, token: str) -> bool:
        """Return whether there is a fresh token, now that the server said 403 to `token`.

        A token that the server still takes was refused for want of a policy, which a login
        would not change: False.  Otherwise one login serves all who were refused, and those
        that follow soon after, because the fresh one is refused too, wait longer and longer.
        """
        self._require_open()
        state = self._state.get()
        checks = state.checks
        with self._flight(state):
            held = state.held
            if held is None or held.token != token:
                return self._any_good(state).token != token
            if state.vouched > checks or self._is_taken(state, token) or state.relogins.left:
                return False
            state.held = None
            state.relogins.failed()
            return self._any_good(state).token != token

    def close(self) -> None:
        """Revoke what this process logged in for, and forget it; a failure to do so is its TTL's to mend."""
        self._closed = True
        state = self._state.here
        if state is not None:
            with self._flight(state):
                held, retired = state.held, state.retired
                state.held = state.retired = None
            self._end(None if held is None else held.granted)
            self._end(retired)
        self._tokens.close()

    # --- with the flight in hand ------------------------------------------------------------------

    def _any_good(self, state: _State) -> _Held:
        self._require_open()
        held = state.held
        if held is not None and held.is_good():
            return held
        state.require_calm()
        fresh = self._log_in_patiently(state)
        self._end(state.hold(fresh))
        return fresh

    def _log_in_patiently(self, state: _State) -> _Held:
        spent = Stopwatch(self._clock)
        pauses = Backoff(self._clock, self._jitter, first=_FIRST_PAUSE, longest=_LONGEST_PAUSE)
        while True:
            try:
                return self._log_in()
            except StoreError as failure:
                wait = pauses.failed()
                if not worth_repeating(failure) or spent.elapsed() + wait >= self._patience:
                    state.fail(failure)
                    raise
            self._pause(wait / 1000)

    def _freshen(self, state: _State, seen: _Held) -> None:
        """Renew or replace a token that is still good; a failure is nobody's until it ends."""
        if state.held is not seen or state.ahead.left:
            return
        try:
            fresh = self._renew(seen) or self._log_in()
        except StoreError:
            state.ahead.failed()
        else:
            self._end(state.hold(fresh))

    def _renew(self, held: _Held) -> _Held | None:
        """Return the token renewed, None if it can't be."""
        if not held.granted.renewable:
            return None
        age = Stopwatch(self._clock)
        try:
            renewed = self._tokens.renew(held.token)
        except StoreDenied:
            return None
        capped = renewed.ttl < held.first_ttl * _CAPPED
        granted = replace(renewed, ours=held.granted.ours, renewable=renewed.renewable and not capped)
        return self._taken(granted, age, held.first_ttl)

    def _log_in(self) -> _Held:
        age = Stopwatch(self._clock)
        granted = self._login.login()
        return self._taken(granted, age, granted.ttl)

    def _taken(self, granted: Granted, age: Stopwatch, first_ttl: Milliseconds) -> _Held:
        share = 0.6 + 0.1 * self._jitter()
        return _Held(granted, age, first_ttl, due=round(granted.ttl * share))

    def _is_taken(self, state: _State, token: str) -> bool:
        """Ask whether the server takes the token at all."""
        state.checks += 1
        number = state.checks
        try:
            self._tokens.lookup(token)
        except StoreDenied:
            return False
        state.vouched = number
        return True

    # --- the rest ---------------------------------------------------------------------------------

    @contextmanager
    def _flight(self, state: _State) -> Iterator[None]:
        # Whoever is in flight needs its patience and one request; nobody waits for longer.
        if not state.flight.acquire(timeout=2 * self._patience / 1000):
            raise StoreUnavailable(
                "no token for Vault in time",
                why="another thread is still logging in",
                fix="check that the server answers",
            )
        try:
            yield
        finally:
            state.flight.release()

    def _end(self, granted: Granted | None) -> None:
        if granted is not None and granted.ours and granted.accessor:
            with suppress(StoreError):
                self._tokens.revoke(granted.token)

    def _require_open(self) -> None:
        if self._closed:
            raise StoreUnavailable(
                "the session with Vault is closed", why="its token was revoked", fix="open the store again"
            )

"""JWKSCache over a real web server: fresh, stale, refused; known, new and made-up kids; failures."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from keyvault_jwt import jwks
from keyvault_jwt.cache import JWKSCache, Lifetime, Loaded
from keyvault_jwt.cache.waiting_room import BURST, MAX_TASKS, WAITING_THREADS
from keyvault_jwt.errors import BadURL, FetchError, ForeignDocument, FutureDocument, RolledBack, UsageError
from keyvault_jwt.testing.fake_clock import FakeClock
from keyvault_jwt.verification_errors import KeysUnavailable

from ..conftest import Answer, Endpoint, Request, TestKey, eventually, jwk_set, plain
from .conftest import MakeCache

MakeKey = Callable[..., TestKey]
HOUR = timedelta(hours=1)


class Gate:
    """An answer that is held up until the test opens the gate."""

    def __init__(self, answer: Answer) -> None:
        self.arrived, self._open, self._answer = threading.Semaphore(0), threading.Event(), answer

    def __call__(self, request: Request, handler: BaseHTTPRequestHandler) -> None:
        self.arrived.release()
        self._open.wait(20)
        self._answer(request, handler)

    def wait_for_request(self) -> None:
        assert self.arrived.acquire(timeout=20)

    def open(self) -> None:
        self._open.set()


@pytest.fixture
def gate(endpoint: Endpoint) -> Iterator[Callable[[], Gate]]:
    """Hold up the endpoint's answers; every gate is open at the end."""
    gates: list[Gate] = []

    def shut() -> Gate:
        gates.append(Gate(endpoint.answer))
        endpoint.answer = gates[-1]
        return gates[-1]

    yield shut
    for shut_gate in gates:
        shut_gate.open()


def broken(endpoint: Endpoint) -> None:
    """Let the endpoint fail from now on."""
    endpoint.answer = plain(b"", 503)


# --- the usual life ---------------------------------------------------------------------------


def test_nothing_is_fetched_before_it_is_needed(endpoint: Endpoint, make_cache: MakeCache) -> None:
    """Making a cache makes no request; looking for a set makes one, without waiting for it."""
    watched = make_cache()
    assert endpoint.requests == []
    assert watched.cache.health().state == "empty"
    assert watched.cache.current() is None
    eventually(lambda: watched.cache.current() is not None)
    assert len(endpoint.requests) == 1


def test_hits_cost_no_request(
    endpoint: Endpoint, make_cache: MakeCache, make_key: MakeKey, clock: FakeClock
) -> None:
    """Within max-age the set is used without another request, and is one and the same object."""
    key = make_key("ES256", 0)
    endpoint.publish(key.jwk())
    watched = make_cache()
    first = watched.fetch()
    clock.advance(timedelta(seconds=200))
    assert all(watched.cache.current() is first for _ in range(100))
    assert watched.kids() == {key.kid}
    assert len(endpoint.requests) == 1


def test_first_callers_share_one_request(
    endpoint: Endpoint, make_cache: MakeCache, gate: Callable[[], Gate]
) -> None:
    """Threads and event loops that have no set yet wait for one request together."""
    held = gate()
    cache = make_cache().cache
    with ThreadPoolExecutor(20) as pool:
        threads = [pool.submit(cache.find, None, None) for _ in range(10)]
        loops = [pool.submit(lambda: asyncio.run(cache.afind(None, None))) for _ in range(10)]
        held.wait_for_request()
        held.open()
        sets = {id(future.result(20)) for future in threads + loops}
    assert len(sets) == 1
    assert len(endpoint.requests) == 1


def test_set_is_refreshed_behind_the_callers_back(
    endpoint: Endpoint, make_cache: MakeCache, make_key: MakeKey, clock: FakeClock, gate: Callable[[], Gate]
) -> None:
    """Ahead of max-age a new set is fetched, while the old one serves without waiting."""
    old, new = make_key("ES256", 0), make_key("ES256", 1)
    endpoint.publish(old.jwk())
    watched = make_cache()
    watched.fetch()
    endpoint.publish(old.jwk(), new.jwk())
    held = gate()
    clock.advance(timedelta(seconds=271))
    assert watched.kids() == {old.kid}
    held.wait_for_request()
    assert watched.kids() == {old.kid}
    held.open()
    eventually(lambda: watched.kids() == {old.kid, new.kid})
    assert len(endpoint.requests) == 2


def test_dropped_key_is_out_at_once(endpoint: Endpoint, make_cache: MakeCache, make_key: MakeKey) -> None:
    """A good answer that lacks a key wins at once, an empty one too, however fresh the old set is."""
    one, two = make_key("ES256", 0), make_key("ES256", 1)
    endpoint.publish(one.jwk(), two.jwk())
    watched = make_cache()
    watched.fetch()
    for left in ([two], []):
        endpoint.publish(*(key.jwk() for key in left))
        watched.cache.refresh()
        assert watched.kids() == {key.kid for key in left}


def test_unchanged_set_keeps_its_generation(
    endpoint: Endpoint, make_cache: MakeCache, make_key: MakeKey, clock: FakeClock
) -> None:
    """The same keys again, or "not modified", renew the age and keep what was learnt under the set."""
    body = jwk_set(make_key("ES256", 0).jwk())
    endpoint.answer = plain(body, ETag='"v1"', **{"Cache-Control": "max-age=300"})
    watched = make_cache()
    first = watched.fetch()
    clock.advance(timedelta(seconds=100))
    endpoint.answer = plain(b"", 304)
    watched.cache.refresh()
    assert endpoint.requests[-1].headers["if-none-match"] == '"v1"'
    assert watched.cache.current() is first
    assert watched.cache.health().age == timedelta(0)
    endpoint.answer = plain(body, ETag='"v2"')
    watched.cache.refresh()
    assert watched.cache.current() is first
    watched.cache.refresh()
    assert endpoint.requests[-1].headers["if-none-match"] == '"v2"'
    assert [event.facts["changed"] for event in watched.events("cache.refreshed")] == [1, 0, 0, 0]


def test_not_modified_that_nobody_asked_for(endpoint: Endpoint, make_cache: MakeCache) -> None:
    """A 304 is a failure when there was no ETag to compare with, set or no set."""
    endpoint.answer = plain(b"", 304)
    with pytest.raises(KeysUnavailable):
        make_cache().fetch()
    endpoint.publish()
    watched = make_cache()
    watched.fetch()
    endpoint.answer = plain(b"", 304)
    with pytest.raises(FetchError, match="not modified"):
        watched.cache.refresh()


# --- age --------------------------------------------------------------------------------------


def test_age_counts_from_the_request(endpoint: Endpoint, make_cache: MakeCache, clock: FakeClock) -> None:
    """What passed between request and answer, and the answer's own Age, count to the end."""
    slow = plain(jwk_set(), Age="7", **{"Cache-Control": "max-age=300, stale-if-error=100"})

    def answer(request: Request, handler: BaseHTTPRequestHandler) -> None:
        clock.advance(timedelta(seconds=4))
        slow(request, handler)

    endpoint.answer = answer
    watched = make_cache()
    watched.fetch()
    assert watched.cache.health().age == timedelta(seconds=11)
    broken(endpoint)
    clock.advance(timedelta(seconds=400 - 11) - timedelta(milliseconds=1))
    assert watched.cache.current() is not None
    clock.advance(1)
    assert watched.cache.current() is None


@pytest.mark.parametrize(
    ("cache_control", "arguments", "lasting"),
    [
        ("max-age=300, stale-if-error=600", {}, 900),
        ("max-age=300, stale-if-error=99999", {}, 3900),
        ("max-age=300", {}, 3900),
        ("max-age=300", {"max_stale": timedelta(0)}, 300),
        ("max-age=99999", {"max_ttl": HOUR, "max_stale": timedelta(seconds=1)}, 3601),
        ("no-store, stale-if-error=5", {"min_ttl": timedelta(seconds=20)}, 25),
        ("", {"default_ttl": timedelta(seconds=40), "max_stale": timedelta(0)}, 40),
    ],
)
def test_set_serves_until_c_plus_g_and_no_longer(
    endpoint: Endpoint, make_cache: MakeCache, cache_control: str, arguments: Any, lasting: int
) -> None:
    """While its source fails, a set is used up to its last millisecond, and then refused."""
    clock = FakeClock()
    endpoint.publish(cache_control=cache_control)
    watched = make_cache(clock=clock, **arguments)
    watched.fetch()
    broken(endpoint)
    clock.advance(lasting * 1000 - 1)
    assert watched.cache.current() is not None
    clock.advance(1)
    assert watched.cache.current() is None
    assert watched.cache.health().state == "expired"
    with pytest.raises(KeysUnavailable, match="503"):
        watched.fetch()


def test_state_is_told(endpoint: Endpoint, make_cache: MakeCache, clock: FakeClock) -> None:
    """Health goes from fresh to stale to expired, and back to fresh with the next good answer."""
    endpoint.publish(cache_control="max-age=300, stale-if-error=300")
    watched = make_cache()
    watched.fetch()
    broken(endpoint)
    seen = [watched.cache.health().state]
    for _ in range(2):
        clock.advance(timedelta(seconds=301))
        watched.cache.current()
        watched.settle("cache.refresh-failed", len(seen))
        seen.append(watched.cache.health().state)
        assert watched.cache.health().last_error == "fetch"
    assert seen == ["fresh", "stale", "expired"]
    assert [event.alarm for event in watched.events("cache.refresh-failed")] == [True, True]
    endpoint.publish()
    clock.advance(timedelta(seconds=60))
    watched.fetch()
    health = watched.cache.health()
    assert (health.state, health.failures, health.last_error, health.usable) == ("fresh", 0, None, True)


def test_answer_that_is_too_old_already(endpoint: Endpoint, make_cache: MakeCache, make_key: MakeKey) -> None:
    """An answer whose Age is past all use is a failed one; the set before it stays."""
    old = make_key("ES256", 0)
    endpoint.publish(old.jwk())
    watched = make_cache()
    watched.fetch()
    endpoint.answer = plain(jwk_set(), Age="7", **{"Cache-Control": "max-age=3, stale-if-error=3"})
    with pytest.raises(FetchError, match="too old"):
        watched.cache.refresh()
    assert watched.kids() == {old.kid}


def test_answer_that_took_too_long(endpoint: Endpoint, make_cache: MakeCache, clock: FakeClock) -> None:
    """A set that was too old when it came is asked for once more before its caller is refused."""
    good = plain(jwk_set(), **{"Cache-Control": "max-age=1, stale-if-error=1"})
    slow_ones = {1}

    def answer(request: Request, handler: BaseHTTPRequestHandler) -> None:
        if not slow_ones or len(endpoint.requests) in slow_ones:
            clock.advance(timedelta(seconds=3))
        good(request, handler)

    endpoint.answer = answer
    watched = make_cache()
    assert watched.fetch() is watched.cache.current()
    slow_ones.clear()
    clock.advance(timedelta(seconds=2))
    with pytest.raises(KeysUnavailable, match="in time"):
        watched.fetch()


@pytest.mark.parametrize("jump", [timedelta(hours=2), timedelta(hours=-2)], ids=str)
def test_clock_that_jumps(
    endpoint: Endpoint, make_cache: MakeCache, clock: FakeClock, jump: timedelta
) -> None:
    """A wall clock set ahead makes a set old; one set back does not make it young."""
    endpoint.publish(cache_control="max-age=300, stale-if-error=0")
    watched = make_cache()
    watched.fetch()
    broken(endpoint)
    clock.step_wall(jump)
    if jump < timedelta():
        assert watched.cache.current() is not None
        clock.advance(timedelta(seconds=300))
    assert watched.cache.current() is None


# --- kids that are not in the set -------------------------------------------------------------


def test_new_kid_is_fetched(endpoint: Endpoint, make_cache: MakeCache, make_key: MakeKey) -> None:
    """A kid published after the last request is found by asking once."""
    old, new = make_key("ES256", 0), make_key("ES256", 1)
    endpoint.publish(old.jwk())
    watched = make_cache()
    watched.fetch()
    endpoint.publish(old.jwk(), new.jwk())
    assert watched.look_for(new.kid)
    assert len(endpoint.requests) == 2
    endpoint.publish(new.jwk(), make_key("ES256", 2).jwk())
    assert asyncio.run(watched.cache.afind("x", watched.cache.current())).has(make_key("ES256", 2).kid)


def test_one_made_up_kid_asks_once(endpoint: Endpoint, make_cache: MakeCache, clock: FakeClock) -> None:
    """A kid that the source did not have is not asked for again in a cooldown, then once more."""
    watched = make_cache(default_ttl=HOUR)
    endpoint.publish(cache_control="max-age=3600")
    watched.fetch()
    for asked in (2, 3, 4):
        for _ in range(100):
            assert not watched.look_for("made-up")
        assert len(endpoint.requests) == asked
        clock.advance(timedelta(seconds=10) - timedelta(milliseconds=1))
        assert not watched.look_for("made-up")
        assert len(endpoint.requests) == asked
        clock.advance(1)


def test_a_kid_asked_for_before_it_is_published(
    endpoint: Endpoint, make_cache: MakeCache, make_key: MakeKey, clock: FakeClock
) -> None:
    """Who names a kid before its issuer publishes it keeps its tokens out for a cooldown and no longer."""
    new = make_key("ES256", 0)
    watched = make_cache(default_ttl=HOUR)
    endpoint.publish(cache_control="max-age=3600")
    watched.fetch()
    assert not watched.look_for(new.kid)
    endpoint.publish(new.jwk(), cache_control="max-age=3600")
    clock.advance(timedelta(seconds=10))
    assert watched.look_for(new.kid)


def test_flood_of_made_up_kids(
    endpoint: Endpoint, make_cache: MakeCache, make_key: MakeKey, clock: FakeClock
) -> None:
    """However many kids are made up, requests are a burst and then one in each cooldown."""
    watched = make_cache(cooldown=timedelta(seconds=10))
    endpoint.publish(cache_control="max-age=3600")
    watched.fetch()
    for number in range(10_000):
        watched.look_for(f"made-up-{number}")
    assert len(endpoint.requests) == 1 + BURST
    for cooldowns in (1, 2, 3):
        clock.advance(timedelta(seconds=10))
        for number in range(1_000):
            watched.look_for(f"{cooldowns}-{number}")
        assert len(endpoint.requests) == 1 + BURST + cooldowns
    # What the flood causes to be fetched is there for everybody.
    new = make_key("ES256", 0)
    endpoint.publish(new.jwk(), cache_control="max-age=3600")
    clock.advance(timedelta(seconds=10))
    watched.look_for("another")
    assert watched.kids() == {new.kid}


def test_flood_does_not_touch_the_reserve(
    endpoint: Endpoint, make_cache: MakeCache, clock: FakeClock
) -> None:
    """With the bucket empty, the scheduled refresh takes place all the same."""
    watched = make_cache(cooldown=timedelta(hours=10))
    watched.fetch()
    for number in range(100):
        watched.look_for(f"made-up-{number}")
    assert len(endpoint.requests) == 1 + BURST
    clock.advance(timedelta(seconds=299))
    watched.cache.current()
    watched.settle("cache.refreshed", 2 + BURST)


@pytest.mark.parametrize("room", [1, 5, WAITING_THREADS])
def test_known_keys_do_not_wait_for_anybody(
    endpoint: Endpoint, make_cache: MakeCache, make_key: MakeKey, gate: Callable[[], Gate], room: int
) -> None:
    """While the source hangs and made-up kids pour in, some of those wait, the rest and known keys don't."""
    key = make_key("ES256", 0)
    endpoint.publish(key.jwk())
    watched = make_cache(waiting_threads=room)
    known = watched.fetch()
    held = gate()
    with ThreadPoolExecutor(2 * room) as pool:
        flood = [pool.submit(watched.look_for, f"made-up-{n}") for n in range(2 * room)]
        held.wait_for_request()
        eventually(lambda: sum(future.done() for future in flood) == room)
        assert watched.cache._waiting_room._waiting == room
        assert watched.cache.current() is known
        assert not any(future.result() for future in flood if future.done())
        held.open()
        assert not any(future.result(20) for future in flood)


def test_more_tasks_than_threads_may_wait(
    endpoint: Endpoint, make_cache: MakeCache, gate: Callable[[], Gate]
) -> None:
    """Waiting tasks cost little, so many of them may wait for a kid; the others are told at once."""
    watched = make_cache()
    known = watched.fetch()
    held = gate()

    async def run() -> None:
        looking = [asyncio.ensure_future(watched.cache.afind("new", known)) for _ in range(MAX_TASKS + 10)]
        while sum(task.done() for task in looking) != 10:
            await asyncio.sleep(0)
        held.open()
        assert {await task for task in looking} == {known}

    asyncio.run(asyncio.wait_for(run(), 30))
    assert len(endpoint.requests) <= 1 + BURST


def test_kid_that_comes_with_the_request_under_way(
    endpoint: Endpoint, make_cache: MakeCache, make_key: MakeKey, gate: Callable[[], Gate]
) -> None:
    """Whoever lacks a kid while a request is under way waits for that one first."""
    new = make_key("ES256", 0)
    watched = make_cache()
    watched.fetch()
    endpoint.publish(new.jwk())
    held = gate()
    with ThreadPoolExecutor(2) as pool:
        refresh = pool.submit(watched.cache.refresh)
        held.wait_for_request()
        looking = pool.submit(watched.look_for, new.kid)
        eventually(lambda: watched.cache._waiting_room._waiting == 1)
        held.open()
        assert looking.result(20)
        refresh.result(20)
    assert len(endpoint.requests) == 2


@pytest.mark.parametrize("waits", ["find", "afind"])
def test_two_requests_take_no_longer_to_wait_for(
    endpoint: Endpoint, make_cache: MakeCache, clock: FakeClock, gate: Callable[[], Gate], waits: str
) -> None:
    """Who has spent its time on the request under way is not kept by one of its own as well."""
    watched = make_cache(timeout=timedelta(hours=1))
    known, first = watched.fetch(), gate()
    with ThreadPoolExecutor(2) as pool:
        refresh = pool.submit(watched.cache.refresh)
        first.wait_for_request()
        if waits == "find":
            looking = pool.submit(watched.cache.find, "made-up", known)
        else:
            looking = pool.submit(asyncio.run, watched.cache.afind("made-up", known))
        eventually(lambda: watched.cache._waiting_room._waiting == 1)
        clock.advance(timedelta(hours=1, seconds=1))
        second = gate()
        first.open()
        second.wait_for_request()
        assert looking.result(15) is known
        assert watched.cache._waiting_room._waiting == 0
        second.open()
        refresh.result(20)


def test_newer_set_is_looked_into_first(endpoint: Endpoint, make_cache: MakeCache) -> None:
    """Who looked into a set that was replaced meanwhile gets the new one, without a request."""
    watched = make_cache()
    before = watched.fetch()
    watched.cache.deny("x")
    assert watched.cache.find("kid", before) is watched.cache.current()
    assert len(endpoint.requests) == 1


# --- failures ---------------------------------------------------------------------------------


def test_failures_cool_down(endpoint: Endpoint, make_cache: MakeCache, clock: FakeClock) -> None:
    """While a source cools down nobody waits for it or asks it, and callers without a set are told."""
    broken(endpoint)
    watched = make_cache()
    with pytest.raises(KeysUnavailable):
        watched.fetch()
    for _ in range(50):
        assert watched.cache.current() is None
        with pytest.raises(KeysUnavailable, match="503"):
            watched.fetch()
        with pytest.raises(KeysUnavailable):
            asyncio.run(watched.cache.afind("kid", None))
    assert len(endpoint.requests) == 1
    endpoint.publish()
    clock.advance(1_200)
    assert watched.fetch() is watched.cache.current()


def test_unknown_kid_while_the_source_cools_down(
    endpoint: Endpoint, make_cache: MakeCache, clock: FakeClock
) -> None:
    """A made-up kid asks nothing of a source that just failed."""
    watched = make_cache()
    watched.fetch()
    broken(endpoint)
    for number in range(20):
        watched.look_for(f"made-up-{number}")
    assert len(endpoint.requests) == 2
    clock.advance(1_200)
    watched.look_for("made-up")
    eventually(lambda: len(endpoint.requests) == 3)


@pytest.mark.parametrize(
    "answer",
    [plain(b"<html>"), plain(b"[]"), plain(b'{"keys":{}}'), plain(b"x" * 2_000_000), plain(b"", 500)],
    ids=["html", "array", "no set", "too long", "error"],
)
def test_bad_answer_leaves_the_last_good_set(
    endpoint: Endpoint, make_cache: MakeCache, make_key: MakeKey, answer: Answer
) -> None:
    """What is no JWK Set changes nothing; `refresh` says what was wrong."""
    key = make_key("ES256", 0)
    endpoint.publish(key.jwk())
    watched = make_cache()
    first = watched.fetch()
    endpoint.answer = answer
    with pytest.raises(Exception) as failed:  # noqa: PT011  (one of several of ours)
        watched.cache.refresh()
    assert failed.value.code in {"fetch", "document_corrupt"}  # type: ignore[attr-defined]
    with pytest.raises(type(failed.value)):
        asyncio.run(watched.cache.arefresh())
    assert watched.cache.current() is first


def test_bad_key_is_reported(endpoint: Endpoint, make_cache: MakeCache, make_key: MakeKey) -> None:
    """A key that can't be used is left out, told once with its reason, and seen in health."""
    good, leaked = make_key("ES256", 0), make_key("ES256", 1)
    endpoint.publish(good.jwk(), leaked.jwk(d="AAAA"), {"kid": "od\nd", "kty": "??"})
    watched = make_cache()
    watched.fetch()
    watched.cache.refresh()
    assert watched.kids() == {good.kid}
    told = watched.events("cache.key-skipped")
    assert [(event.facts["kid"], event.facts["code"], event.alarm) for event in told] == [
        (leaked.kid, "private_member", True),
        ("od?d", "wrong_key_type", False),
    ]
    assert [skipped.kid for skipped in watched.cache.health().skipped] == [leaked.kid, "od\nd"]


def test_listener_that_raises_stops_nothing(
    endpoint: Endpoint, make_cache: MakeCache, caplog: pytest.LogCaptureFixture
) -> None:
    """A listener's own fault is logged, and keys come all the same."""

    def listener(event: object) -> None:
        raise ZeroDivisionError

    assert make_cache(listener=listener).fetch().keys == ()
    assert "a listener failed on cache.refreshed" in caplog.text


def test_listener_that_raises_tells_nothing_of_a_source(caplog: pytest.LogCaptureFixture) -> None:
    """What a source raised may quote a credential, so it is not logged with the listener's fault."""

    class Quoting(Odd):
        def load(self, tag: str | None, previous: Lifetime | None) -> Loaded:
            raise ConnectionError("refused the token CREDENTIAL")

    def listener(event: object) -> None:
        raise ZeroDivisionError

    with JWKSCache(Quoting(), listener=listener) as cache, pytest.raises(FetchError, match="ConnectionError"):
        cache.refresh()
    assert "a listener failed on cache.refresh-failed" in caplog.text
    assert "CREDENTIAL" not in caplog.text


def test_listener_that_asks_again(endpoint: Endpoint, make_cache: MakeCache) -> None:
    """A listener that would wait for the refresh which tells it is refused, and the refresh comes through."""
    refused: list[str] = []

    def listener(event: object) -> None:
        for ask in (watched.cache.refresh, lambda: asyncio.run(watched.cache.arefresh())):
            try:
                ask()
            except UsageError as error:
                refused.append(error.what)

    watched = make_cache(listener=listener)
    caller = threading.Thread(target=watched.cache.refresh, daemon=True)
    caller.start()
    caller.join(5)
    assert not caller.is_alive()
    assert len(refused) == 2
    assert all("listener" in what for what in refused)
    assert watched.kids() == set()


class Odd:
    """A source of somebody else's."""

    name = identity = "odd"

    def __init__(self) -> None:
        self.error: Exception | None = ZeroDivisionError("with a SECRET")

    def load(self, tag: str | None, previous: Lifetime | None) -> Loaded:
        if self.error is not None:
            raise self.error
        return Loaded(None, None)


def test_source_that_raises_anything(make_cache: MakeCache, clock: FakeClock) -> None:
    """Whatever a source raises is a failed load, told without the exception's own text."""
    source = Odd()
    watched = make_cache(source)
    with pytest.raises(KeysUnavailable, match="ZeroDivisionError") as refused:
        watched.fetch()
    assert "SECRET" not in str(refused.value)
    assert "SECRET" not in repr(watched.heard)
    source.error = None
    clock.advance(2_000)
    with pytest.raises(KeysUnavailable, match="never loaded"):
        watched.fetch()


def test_source_that_revokes_a_key_it_lists(make_cache: MakeCache, make_key: MakeKey) -> None:
    """A kid that a source says is revoked is out with that answer, even if the set is as before."""
    key = make_key("ES256", 0)
    listed = jwks.parse(jwk_set(key.jwk()))

    class Revoking(Odd):
        revoked: frozenset[str] = frozenset()

        def load(self, tag: str | None, previous: Lifetime | None) -> Loaded:
            return Loaded(listed, Lifetime(60_000, 0), revoked=self.revoked)

    source = Revoking()
    watched = make_cache(source)
    watched.cache.refresh()
    assert watched.kids() == {key.kid}
    source.revoked = frozenset({key.kid})
    watched.cache.refresh()
    assert watched.kids() == set()


# --- sets of ours -----------------------------------------------------------------------------


def ours(revision: int, epoch: int = 5, ring: str = "r") -> dict[str, Any]:
    """Return the extra member of a set of ours."""
    return {"keyvault_jwt": {"ring": ring, "epoch": epoch, "revision": revision}}


@pytest.mark.parametrize("origin", [ours(6), ours(99, epoch=4), ours(9, ring="other")], ids=str)
def test_set_from_the_past_is_a_failed_fetch(
    endpoint: Endpoint, make_cache: MakeCache, make_key: MakeKey, clock: FakeClock, origin: dict[str, Any]
) -> None:
    """A lower revision or epoch, or another keyring, alarms; the last good set serves to its end."""
    good, revoked = make_key("ES256", 0), make_key("ES256", 1)
    endpoint.publish(good.jwk(), cache_control="max-age=300, stale-if-error=300", **ours(7))
    watched = make_cache()
    watched.fetch()
    endpoint.publish(revoked.jwk(), **origin)
    with pytest.raises((RolledBack, ForeignDocument)):
        watched.cache.refresh()
    assert watched.kids() == {good.kid}
    assert watched.events("cache.refresh-failed")[-1].alarm
    health = watched.cache.health()
    assert (health.epoch, health.revision, health.state) == (5, 7, "fresh")
    clock.advance(timedelta(seconds=600))
    assert watched.kids() is None


def test_epoch_that_has_not_begun_is_a_failed_fetch(
    endpoint: Endpoint, make_cache: MakeCache, make_key: MakeKey, clock: FakeClock, tmp_path: Path
) -> None:
    """A made-up epoch far ahead alarms and raises no mark, so honest sets are taken on, restarts included."""
    good, forged = make_key("ES256", 0), make_key("ES256", 1)
    day = 86_400_000
    endpoint.publish(forged.jwk(), **ours(1, epoch=clock.wall() + day + 1))
    watched = make_cache(state=tmp_path)
    with pytest.raises(FutureDocument, match="clock"):
        watched.cache.refresh()
    assert watched.kids() is None
    assert watched.events("cache.refresh-failed")[-1].alarm
    endpoint.publish(good.jwk(), **ours(7, epoch=clock.wall() + day))
    for cache in (watched, make_cache(state=tmp_path)):
        cache.cache.refresh()
        assert cache.kids() == {good.kid}


def test_given_set_needs_no_clock(make_key: MakeKey) -> None:
    """A given set is the operator's own word, so it serves also where the clock is not set yet."""
    document = jwk_set(make_key("ES256", 0).jwk(), **ours(1, epoch=1 << 60))
    assert JWKSCache.from_document(document).health().usable


def test_set_from_the_future_is_taken(endpoint: Endpoint, make_cache: MakeCache, make_key: MakeKey) -> None:
    """The same or a higher revision, or a new epoch, is taken; one revision with two sets alarms."""
    one, two = make_key("ES256", 0), make_key("ES256", 1)
    watched = make_cache()
    for key, origin in ((one, ours(7)), (two, ours(8)), (one, ours(1, epoch=6))):
        endpoint.publish(key.jwk(), **origin)
        watched.cache.refresh()
        assert watched.kids() == {key.kid}
    assert not watched.events("cache.revision-reused")
    endpoint.publish(two.jwk(), **ours(1, epoch=6))
    watched.cache.refresh()
    assert watched.events("cache.revision-reused")[0].alarm


# --- denial, closing and the rest -------------------------------------------------------------


def test_denied_key_stays_out(endpoint: Endpoint, make_cache: MakeCache, make_key: MakeKey) -> None:
    """A denied key is out at once and at every later fetch, in a new generation each way."""
    bad, good = make_key("ES256", 0), make_key("ES256", 1)
    endpoint.publish(bad.jwk(), good.jwk())
    watched = make_cache()
    generation = watched.fetch().generation
    watched.cache.deny(bad.kid)
    assert watched.kids() == {good.kid}
    assert watched.cache.health().generation > generation
    endpoint.publish(bad.jwk(), good.jwk(), make_key("ES256", 2).jwk())
    watched.cache.refresh()
    assert watched.kids() == {good.kid, make_key("ES256", 2).kid}
    assert watched.cache.health().denied == {bad.kid}
    assert [event.facts["kid"] for event in watched.events("cache.denied")] == [bad.kid]


def test_close(endpoint: Endpoint, make_cache: MakeCache, clock: FakeClock) -> None:
    """A closed cache holds nothing, asks nothing and says so, however often it is closed."""
    watched = make_cache()
    with watched.cache as cache:
        watched.fetch()
    cache.close()
    clock.advance(HOUR)
    assert cache.current() is None
    with pytest.raises(KeysUnavailable, match="closed"):
        watched.fetch()
    with pytest.raises(KeysUnavailable, match="closed"):
        asyncio.run(cache.afind("kid", None))
    with pytest.raises(FetchError):
        cache.refresh()
    assert len(endpoint.requests) == 1


def test_answer_that_comes_after_closing(
    endpoint: Endpoint, make_cache: MakeCache, gate: Callable[[], Gate]
) -> None:
    """An answer under way while the cache is closed brings nothing back."""
    held = gate()
    watched = make_cache()
    assert watched.cache.current() is None
    held.wait_for_request()
    watched.cache.close()
    held.open()
    eventually(lambda: watched.cache._refresher.under_way is None)
    assert watched.cache.current() is None
    assert watched.cache.health().state == "empty"


def test_waiting_does_not_block_the_event_loop(make_cache: MakeCache, gate: Callable[[], Gate]) -> None:
    """While one task waits for keys, others run; a task that is cancelled takes nobody's keys away."""
    held = gate()
    cache = make_cache().cache

    async def run() -> None:
        impatient, patient = (asyncio.ensure_future(cache.afind(None, None)) for _ in range(2))
        await asyncio.to_thread(held.wait_for_request)
        for _ in range(100):
            await asyncio.sleep(0)
        assert not patient.done()
        impatient.cancel()
        with pytest.raises(asyncio.CancelledError):
            await impatient
        held.open()
        assert (await patient).keys == ()

    asyncio.run(run())


def test_caller_does_not_wait_for_ever(make_cache: MakeCache, gate: Callable[[], Gate]) -> None:
    """With a source that keeps silent, a caller without a set is told after the time-out."""
    gate()
    watched = make_cache(timeout=timedelta(seconds=0.2))
    with pytest.raises(KeysUnavailable, match="in time"):
        watched.fetch()
    with pytest.raises(KeysUnavailable):
        asyncio.run(watched.cache.afind(None, None))


def test_given_document(make_key: MakeKey) -> None:
    """A given set serves for ever, as bytes, text or mapping; its secrets only when allowed."""
    key, secret = make_key("ES256", 0), make_key("HS256", 0)
    body = jwk_set(key.jwk())
    for document in (body, body.decode(), {"keys": [key.jwk()]}):
        cache = JWKSCache.from_document(document)
        current = cache.current()
        assert current is not None
        assert current.has(key.kid)
        assert not cache.find("other", current).has("other")
        cache.refresh()
        asyncio.run(cache.arefresh())
        assert cache.current() is current
        assert (cache.health().state, cache.health().age) == ("fresh", None)
        assert cache._refresher._thread is None
    document = {"keys": [secret.jwk()]}
    assert JWKSCache.from_document(document).health().kids == ()
    assert JWKSCache.from_document(document, allow_symmetric=True).health().kids == (secret.kid,)


def test_secrets_never_come_over_the_web(
    endpoint: Endpoint, make_cache: MakeCache, make_key: MakeKey
) -> None:
    """An `oct` key that a JWKS endpoint serves is not used, and alarms."""
    endpoint.publish(make_key("HS256", 0).jwk())
    watched = make_cache()
    assert watched.fetch().keys == ()
    assert watched.events("cache.key-skipped")[0].alarm


def test_credentials_go_to_the_endpoint_only(endpoint: Endpoint, clock: FakeClock) -> None:
    """Headers and query reach the endpoint, and no event, message or repr."""
    heard: list[object] = []
    cache = JWKSCache(
        f"{endpoint.url}/jwks?key=SECRET1",
        headers={"Authorization": "Bearer SECRET2"},
        clock=clock,
        listener=heard.append,
    )
    with cache:
        cache.find(None, None)
        broken(endpoint)
        with pytest.raises(FetchError) as failed:
            cache.refresh()
        shown = f"{heard}{failed.value}{failed.value.as_dict()}{cache!r}{cache.health()}"
        assert "SECRET" not in shown
        assert "/jwks" in shown
    assert endpoint.requests[0].path == "/jwks?key=SECRET1"
    assert endpoint.requests[0].headers["authorization"] == "Bearer SECRET2"


def test_arguments_that_cannot_be_meant() -> None:
    """Plain HTTP to elsewhere, times of nothing and headers of the cache's own are refused at once."""
    with pytest.raises(BadURL):
        JWKSCache("http://id.example/jwks")
    JWKSCache("http://id.example/jwks", allow_plain_http=True).close()
    for wrong in (
        {"timeout": timedelta(0)},
        {"cooldown": timedelta(0)},
        {"max_stale": timedelta(seconds=-1)},
        {"waiting_threads": 0},
        {"headers": {"HOST": "x"}},
    ):
        with pytest.raises(UsageError):
            JWKSCache("https://id.example/jwks", **wrong)  # type: ignore[arg-type]

"""Warm start: what a cache knows when it begins again, and what nobody can make it forget."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from keyvault_jwt import jwks
from keyvault_jwt.cache import JWKSCache, Lifetime, Loaded
from keyvault_jwt.errors import CorruptDocument, ForeignDocument, RolledBack, StoreError
from keyvault_jwt.testing.fake_clock import FakeClock
from keyvault_jwt.verification_errors import KeysUnavailable

from ..conftest import Endpoint, TestKey, jwk_set, plain
from .conftest import MakeCache

MakeKey = Callable[..., TestKey]


def state_file(state: Path) -> Path:
    """Return the one file that a cache has put there."""
    (file,) = (state / "jwks").glob("*.json")
    return file


def test_restart_while_the_source_is_down(
    endpoint: Endpoint, make_cache: MakeCache, make_key: MakeKey, clock: FakeClock, tmp_path: Path
) -> None:
    """A new process serves the last set without a request, up to the same end as the old one would."""
    keys = [make_key(algorithm, 0) for algorithm in ("ES256", "RS256", "Ed25519", "ML-DSA-44")]
    endpoint.publish(*(key.jwk() for key in keys), make_key("ES256", 1).jwk(alg=None))
    first = make_cache(state=tmp_path)
    before = first.fetch()
    endpoint.answer = plain(b"", 503)
    clock.advance(timedelta(seconds=1000))
    again = make_cache(state=tmp_path)
    current = again.cache.current()
    assert current is not None
    assert current.keys == before.keys
    assert again.cache.health().age == timedelta(seconds=1000)
    clock.advance(timedelta(seconds=3900 - 1000))
    for watched in (first, again, make_cache(state=tmp_path)):
        assert watched.kids() is None


def test_restart_asks_at_once(endpoint: Endpoint, make_cache: MakeCache, tmp_path: Path) -> None:
    """The first use after a restart asks whether the kept set still holds, by its ETag."""
    endpoint.answer = plain(jwk_set(), ETag='"v1"')
    make_cache(state=tmp_path).fetch()
    again = make_cache(state=tmp_path)
    assert again.kids() == set()
    again.settle("cache.refreshed", 1)
    assert endpoint.requests[-1].headers["if-none-match"] == '"v1"'


def test_set_from_the_future_is_discarded(
    endpoint: Endpoint, make_cache: MakeCache, make_key: MakeKey, clock: FakeClock, tmp_path: Path
) -> None:
    """After the clock was set back, the kept set's age is unknown, so it is not used; denials are."""
    key = make_key("ES256", 0)
    endpoint.publish(key.jwk())
    watched = make_cache(state=tmp_path)
    watched.fetch()
    watched.cache.deny("somebody")
    clock.step_wall(-1)
    again = make_cache(state=tmp_path)
    assert again.cache.health().state == "empty"
    assert again.cache.health().denied == {"somebody"}
    assert again.fetch().has(key.kid)


@pytest.mark.parametrize("lowered", ["max_ttl", "max_stale"])
def test_bounds_lowered_before_a_restart_count(
    endpoint: Endpoint, make_cache: MakeCache, clock: FakeClock, tmp_path: Path, lowered: str
) -> None:
    """A set that was to serve for two days serves only as long as the bounds of now allow."""
    day = timedelta(days=1)
    endpoint.publish(cache_control="max-age=86400, stale-if-error=86400")
    make_cache(state=tmp_path, max_ttl=day, max_stale=day).fetch()
    endpoint.answer = plain(b"", 503)
    again = make_cache(state=tmp_path, **({"max_ttl": day, "max_stale": day} | {lowered: timedelta(0)}))
    clock.advance(day - timedelta(milliseconds=1))
    assert again.kids() == set()
    clock.advance(1)
    assert again.kids() is None


def test_denials_and_marks_survive(
    endpoint: Endpoint, make_cache: MakeCache, make_key: MakeKey, tmp_path: Path
) -> None:
    """After a restart a denied key is still out, and an older revision is still rolled back."""
    bad, good = make_key("ES256", 0), make_key("ES256", 1)
    origin: dict[str, Any] = {"keyvault_jwt": {"ring": "r", "epoch": 5, "revision": 7}}
    endpoint.publish(bad.jwk(), good.jwk(), **origin)
    watched = make_cache(state=tmp_path)
    watched.fetch()
    watched.cache.deny(bad.kid)
    again = make_cache(state=tmp_path)
    assert again.kids() == {good.kid}
    assert again.cache.health().revision == 7
    origin["keyvault_jwt"]["revision"] = 6
    endpoint.publish(bad.jwk(), good.jwk(), **origin)
    with pytest.raises(RolledBack):
        again.cache.refresh()
    assert again.kids() == {good.kid}


def test_denied_key_has_no_second_name(
    endpoint: Endpoint, make_cache: MakeCache, make_key: MakeKey, tmp_path: Path
) -> None:
    """Denying a kid denies its key's bytes: under another kid or none they stay out, restarts included."""
    bad, good = make_key("ES256", 0), make_key("ES256", 1)
    endpoint.publish(bad.jwk(kid="theirs"), good.jwk(), bad.jwk(kid=None))
    watched = make_cache(state=tmp_path)
    watched.fetch()
    watched.cache.deny("theirs")
    assert watched.kids() == {good.kid}
    endpoint.publish(bad.jwk(kid="renamed"), good.jwk())
    for cache in (watched, make_cache(state=tmp_path)):
        cache.cache.refresh()
        assert cache.kids() == {good.kid}


def test_kid_denied_before_its_key_is_known(
    endpoint: Endpoint, make_cache: MakeCache, make_key: MakeKey, tmp_path: Path
) -> None:
    """A key is denied by its bytes as soon as a set shows it under a kid that was denied before."""
    bad = make_key("ES256", 0)
    endpoint.publish(bad.jwk(kid="theirs"), bad.jwk(kid="same"))
    watched = make_cache(state=tmp_path)
    watched.cache.deny("theirs")
    assert watched.fetch().keys == ()
    endpoint.publish(bad.jwk(kid="renamed"))
    again = make_cache(state=tmp_path)
    again.cache.refresh()
    assert again.kids() == set()


def test_no_hash_of_a_secret_is_kept(make_key: MakeKey, tmp_path: Path) -> None:
    """Denying a secret's kid leaves no hash of it behind, by which a weak one could be guessed."""
    secret = make_key("HS256", 0)

    class Given:
        name = identity = "given"

        def load(self, tag: str | None, previous: Lifetime | None) -> Loaded:
            return Loaded(jwks.parse(jwk_set(secret.jwk()), allow_symmetric=True), Lifetime(1000, 0))

    with JWKSCache(Given(), state=tmp_path) as cache:
        cache.refresh()
        cache.deny(secret.kid)
        assert cache.health().denied == {secret.kid}


def test_processes_share_denials(
    endpoint: Endpoint, make_cache: MakeCache, make_key: MakeKey, tmp_path: Path
) -> None:
    """What one cache denies, another one with the same state denies from its next fetch on."""
    bad, good = make_key("ES256", 0), make_key("ES256", 1)
    endpoint.publish(bad.jwk(), good.jwk())
    one, two = make_cache(state=tmp_path), make_cache(state=tmp_path)
    one.fetch()
    two.fetch()
    one.cache.deny(bad.kid)
    two.cache.deny("another")
    two.cache.refresh()
    assert two.kids() == {good.kid}
    assert make_cache(state=tmp_path).cache.health().denied == {bad.kid, "another"}


def test_sources_have_files_of_their_own(
    endpoint: Endpoint, make_cache: MakeCache, make_key: MakeKey, tmp_path: Path
) -> None:
    """Two URLs, even ones that differ in their query alone, share nothing; no credential is written."""
    endpoint.publish(make_key("ES256", 0).jwk())
    for query in ("SECRET1", "SECRET2"):
        make_cache(f"{endpoint.url}/jwks?key={query}", state=tmp_path).fetch()
    files = list((tmp_path / "jwks").glob("*.json"))
    assert len(files) == 2
    assert not any("SECRET" in file.read_text() + file.name for file in files)


def test_file_is_private_and_holds_no_secret(
    endpoint: Endpoint, make_cache: MakeCache, make_key: MakeKey, tmp_path: Path
) -> None:
    """The file is its owner's alone, and of a careless publisher's private key nothing is in it."""
    leaked = make_key("ES256", 1).jwk(d="c2VjcmV0")
    endpoint.publish(make_key("ES256", 0).jwk(), leaked, make_key("HS256", 0).jwk())
    make_cache(state=tmp_path).fetch()
    file = state_file(tmp_path)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    saved = json.loads(file.read_text())["saved"]["keys"]
    assert [key["kid"] for key in saved] == [make_key("ES256", 0).kid]
    assert "c2VjcmV0" not in file.read_text()
    assert make_key("HS256", 0).jwk()["k"] not in file.read_text()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"format":"other"}', b"\xff" * 100], ids=repr)
def test_state_that_can_not_be_read(
    endpoint: Endpoint, make_cache: MakeCache, tmp_path: Path, content: bytes
) -> None:
    """A damaged file may have named denied keys, so the cache does not begin without it."""
    make_cache(state=tmp_path).fetch()
    file = state_file(tmp_path)
    file.write_bytes(content)
    with pytest.raises(CorruptDocument, match="denied"):
        make_cache(state=tmp_path)
    assert file.read_bytes() == content


def test_state_that_is_no_directory(endpoint: Endpoint, make_cache: MakeCache, tmp_path: Path) -> None:
    """A file where the directory should be, or a directory that anyone may write to, is refused."""
    (tmp_path / "file").touch()
    with pytest.raises((StoreError, ForeignDocument)):
        make_cache(state=tmp_path / "file")
    make_cache(state=tmp_path / "open").fetch()
    (tmp_path / "open" / "jwks").chmod(0o777)
    with pytest.raises(StoreError, match="every user"):
        make_cache(state=tmp_path / "open")


def test_state_that_can_not_be_written(
    endpoint: Endpoint, make_cache: MakeCache, make_key: MakeKey, tmp_path: Path
) -> None:
    """When nothing can be kept any more, keys are served on with an alarm, and `deny` raises."""
    key = make_key("ES256", 0)
    endpoint.publish(key.jwk())
    watched = make_cache(state=tmp_path)
    watched.fetch()
    file = state_file(tmp_path)
    file.unlink()
    (tmp_path / "jwks" / ".lock").unlink()
    (tmp_path / "jwks").rmdir()
    (tmp_path / "jwks").touch()
    watched.cache.refresh()
    assert watched.kids() == {key.kid}
    assert watched.events("cache.state-failed")[0].alarm
    with pytest.raises((StoreError, ForeignDocument)):
        watched.cache.deny(key.kid)
    assert watched.kids() == set()


def test_key_set_ends_with_the_process_that_may_not_use_it(
    endpoint: Endpoint, make_cache: MakeCache, clock: FakeClock, tmp_path: Path
) -> None:
    """A set of which C + G is over at the start is not used, and nobody is served by it."""
    endpoint.publish(cache_control="max-age=5, stale-if-error=5")
    make_cache(state=tmp_path).fetch()
    endpoint.answer = plain(b"", 503)
    clock.advance(timedelta(seconds=10))
    with pytest.raises(KeysUnavailable):
        make_cache(state=tmp_path).fetch()


FORK = """
import os, sys
from pathlib import Path
from keyvault_jwt.cache import JWKSCache

cache = JWKSCache(sys.argv[1], state=Path(sys.argv[2]))
kid = sys.argv[3]
before = cache.find(kid, None)
locks = cache._shelf._lock, cache._waiting_room._lock, cache._refresher._lock
for lock in locks:
    lock.acquire()
child = os.fork()
if child == 0:
    good = cache.current() is before and before.has(kid)
    cache.deny("another")
    cache.refresh()
    good = good and cache.find("unknown", cache.current()).has(kid)
    os._exit(0 if good and cache.current().denied == {"another"} else 1)
for lock in locks:
    lock.release()
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
cache.refresh()
sys.exit(status or cache.current().denied != {"another"})
"""


def test_forked_child_goes_on_by_itself(endpoint: Endpoint, make_key: MakeKey, tmp_path: Path) -> None:
    """A child forked while every lock was held serves, denies and fetches; so does its parent."""
    key = make_key("ES256", 0)
    endpoint.publish(key.jwk())
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORK]
    subprocess.run([*command, endpoint.url, os.fspath(tmp_path), key.kid], check=True, timeout=60)
    assert len(endpoint.requests) == 4

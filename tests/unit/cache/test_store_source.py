"""A keyring in a store as a source: its document's keys, by its policy's C and G, never backwards."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from keyvault_jwt.algorithms import ALGORITHMS
from keyvault_jwt.cache import JWKSCache
from keyvault_jwt.errors import BadRingName, FutureDocument, KeyringNotFound, RolledBack, StoreUnavailable
from keyvault_jwt.key_manager import KeyManager
from keyvault_jwt.policy import RotationPolicy
from keyvault_jwt.store import DocumentName, Versioned
from keyvault_jwt.stores.memory import MemoryStore
from keyvault_jwt.testing.fake_clock import FakeClock

RING = "payments"


class Shelved:
    """A store to read from: its content can be exchanged, its reads can fail or take time."""

    def __init__(self, clock: FakeClock) -> None:
        self.store, self.clock = MemoryStore(), clock
        self.reads: list[DocumentName] = []
        self.down = False
        self.delay = 0

    def read(self, name: DocumentName) -> Versioned | None:
        self.reads.append(name)
        self.clock.advance(self.delay)
        if self.down:
            raise StoreUnavailable("the store is down")
        return self.store.read(name)

    def replace(self, name: DocumentName, draft: Any, *, expected: Any) -> Any:
        return self.store.replace(name, draft, expected=expected)

    def names(self) -> Any:
        return self.store.names()

    def copy(self) -> MemoryStore:
        """Return a store with the same documents, as a backup would be."""
        backup = MemoryStore()
        for name in self.store.names():
            found = self.store.read(name)
            assert found is not None
            backup.replace(name, found.draft, expected=None)
        return backup

    def manager(self) -> KeyManager:
        """Return a manager of what the store holds now."""
        return KeyManager(
            self.store, clock=self.clock, wait=lambda seconds: self.clock.advance(int(seconds * 1000))
        )


MakeCache = Callable[..., JWKSCache]


@pytest.fixture
def shelved(clock: FakeClock) -> Shelved:
    """A store whose one keyring asks for C = 60 s and G = 30 s."""
    made = Shelved(clock)
    policy = RotationPolicy(jwks_max_age=timedelta(seconds=60), max_stale=timedelta(seconds=30))
    made.manager().create(RING, policy, issuer="https://id.example")
    return made


@pytest.fixture
def make_cache(shelved: Shelved, clock: FakeClock, request: pytest.FixtureRequest) -> MakeCache:
    """Make caches of the keyring; they are closed with the test."""

    def make(ring: str = RING, **arguments: Any) -> JWKSCache:
        cache = JWKSCache.from_store(shelved, ring, clock=clock, **arguments)
        request.addfinalizer(cache.close)
        return cache

    return make


def kids(cache: JWKSCache) -> set[str | None]:
    """Return the kids in use."""
    return {key.kid for key in cache.find(None, None).keys}


def test_published_keys_are_read(shelved: Shelved, make_cache: MakeCache) -> None:
    """The cache holds the keys of the `public` document, and tells its place in history."""
    keyring = shelved.manager().keyring(RING)
    cache = make_cache()
    assert kids(cache) == {record.kid for record in keyring.records}
    health = cache.health()
    assert (health.epoch, health.revision) == (keyring.epoch, keyring.revision)
    assert {str(name) for name in shelved.reads} == {f"{RING}/public"}


@pytest.mark.parametrize("algorithm", [row.name for row in ALGORITHMS.values() if row.symmetric])
def test_symmetric_keyring(shelved: Shelved, make_cache: MakeCache, algorithm: str, tmp_path: Path) -> None:
    """A symmetric keyring's secrets come from `verification`, and none is kept in the state file."""
    shelved.manager().create("shared", RotationPolicy(algorithm=algorithm), issuer="https://id.example")
    cache = make_cache("shared", state=tmp_path)
    cache.refresh()
    assert kids(cache) == {record.kid for record in shelved.manager().keyring("shared").records}
    cache.refresh()
    assert [str(name) for name in shelved.reads] == [
        "shared/public",
        "shared/verification",
        "shared/verification",
    ]
    (file,) = (tmp_path / "jwks").glob("*.json")
    assert b'"saved":null' in file.read_bytes()


def test_revoked_secret_does_not_come_back_by_recovery(
    shelved: Shelved, make_cache: MakeCache, tmp_path: Path
) -> None:
    """The same holds for a symmetric keyring, whose `verification` tells what was revoked."""
    shelved.manager().create("shared", RotationPolicy(algorithm="HS256"), issuer="https://id.example")
    backup = shelved.copy()
    active = shelved.manager().keyring("shared").active
    assert active is not None
    shelved.manager().revoke("shared", active.kid, reason="leaked")
    cache = make_cache("shared", state=tmp_path)
    cache.refresh()
    shelved.store = backup
    recovered = shelved.manager().recover("shared").keyring
    assert active.kid in {record.kid for record in recovered.records if record.state.published}
    for served in (cache, make_cache("shared", state=tmp_path)):
        served.refresh()
        assert active.kid not in kids(served)
        assert active.kid in served.health().denied


def test_policy_says_how_long(shelved: Shelved, make_cache: MakeCache, clock: FakeClock) -> None:
    """C and G are the policy's, and age counts from the moment the read was sent."""
    shelved.delay = 2_000
    cache = make_cache()
    cache.refresh()
    assert cache.health().age == timedelta(seconds=2)
    shelved.down = True
    shelved.delay = 0
    clock.advance(timedelta(seconds=58))
    assert cache.health().state == "fresh"
    clock.advance(1)
    assert cache.health().state == "stale"
    clock.advance(timedelta(seconds=30) - timedelta(milliseconds=2))
    assert cache.current() is not None
    clock.advance(1)
    assert cache.current() is None


def test_policy_says_how_long_after_a_restart_too(
    shelved: Shelved, make_cache: MakeCache, clock: FakeClock, tmp_path: Path
) -> None:
    """A kept set is bound by the policy alone: it has no other bounds, however long C and G are."""
    day = timedelta(days=1)
    policy = RotationPolicy(rotate_every=timedelta(days=90), jwks_max_age=day, max_stale=day)
    shelved.manager().create("slow", policy, issuer="https://id.example")
    make_cache("slow", state=tmp_path).refresh()
    shelved.down = True
    again = make_cache("slow", state=tmp_path)
    clock.advance(2 * day - timedelta(milliseconds=1))
    assert again.current() is not None
    clock.advance(1)
    assert again.current() is None


def test_unchanged_document(shelved: Shelved, make_cache: MakeCache, clock: FakeClock) -> None:
    """A document of the same version is not even decoded; it renews the set's age."""
    cache = make_cache()
    cache.refresh()
    first, held = cache.current(), cache._shelf.held
    assert held is not None
    clock.advance(timedelta(seconds=30))
    cache.refresh()
    assert cache.current() is first
    assert cache._shelf.held is not None
    assert cache._shelf.held.parsed is held.parsed
    assert cache.health().age == timedelta(0)


def test_revoked_key_is_out(shelved: Shelved, make_cache: MakeCache) -> None:
    """After a revocation the next read drops the key."""
    cache = make_cache()
    active = shelved.manager().keyring(RING).active
    assert active is not None
    assert active.kid in kids(cache)
    shelved.manager().revoke(RING, active.kid, reason="leaked")
    cache.refresh()
    assert active.kid not in kids(cache)


def test_restored_store(shelved: Shelved, make_cache: MakeCache, clock: FakeClock) -> None:
    """An older document, from a backup put back, is a failed read; the last good set stays."""
    backup = shelved.copy()
    active = shelved.manager().keyring(RING).active
    assert active is not None
    shelved.manager().revoke(RING, active.kid, reason="leaked")
    cache = make_cache()
    cache.refresh()
    shelved.store = backup
    with pytest.raises(RolledBack):
        cache.refresh()
    assert active.kid not in kids(cache)


def test_revoked_key_does_not_come_back_by_recovery(
    shelved: Shelved, make_cache: MakeCache, tmp_path: Path
) -> None:
    """A store put back to before a revocation and recovered without marks is served without the key.

    The new epoch is above all that was seen, so only a memory of what was revoked can tell.
    """
    backup = shelved.copy()
    active = shelved.manager().keyring(RING).active
    assert active is not None
    shelved.manager().revoke(RING, active.kid, reason="leaked")
    cache = make_cache(state=tmp_path)
    cache.refresh()
    shelved.store = backup
    recovered = shelved.manager().recover(RING).keyring
    assert active.kid in {record.kid for record in recovered.records if record.state.published}
    for served in (cache, make_cache(state=tmp_path)):
        served.refresh()
        assert served.health().epoch == recovered.epoch
        assert active.kid not in kids(served)
        assert active.kid in served.health().denied


def test_forked_history(shelved: Shelved, make_cache: MakeCache, clock: FakeClock) -> None:
    """A document that is newer, but by another history than the one seen, is a failed read too."""
    backup = shelved.copy()
    keyring = shelved.manager().keyring(RING)
    first, second = (record.kid for record in keyring.records[:2])
    shelved.manager().revoke(RING, first, reason="leaked")
    cache = make_cache()
    cache.refresh()
    shelved.store = backup
    for number, kid in enumerate((second, keyring.records[2].kid)):
        shelved.manager().revoke(RING, kid, reason=f"leaked {number}")
    with pytest.raises(RolledBack):
        cache.refresh()
    assert first not in kids(cache)


def test_epoch_that_has_not_begun(shelved: Shelved, make_cache: MakeCache, clock: FakeClock) -> None:
    """A document of an epoch far ahead is a failed read, after which the honest one is still read."""
    honest, shelved.store = shelved.store, MemoryStore()
    clock.advance(timedelta(days=2))
    policy = RotationPolicy(jwks_max_age=timedelta(seconds=60), max_stale=timedelta(seconds=30))
    shelved.manager().create(RING, policy, issuer="https://id.example")
    clock.step_wall(-timedelta(days=2))
    cache = make_cache()
    with pytest.raises(FutureDocument):
        cache.refresh()
    shelved.store = honest
    cache.refresh()
    assert cache.current() is not None


def test_no_such_keyring(make_cache: MakeCache) -> None:
    """A keyring that is not there is told as such; a name that can't be one is refused at once."""
    with pytest.raises(KeyringNotFound):
        make_cache("nobody").refresh()
    with pytest.raises(BadRingName):
        make_cache("../etc")

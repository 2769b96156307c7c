"""Keys whose private halves a store keeps: made there, told to go, never brought in or carried away."""

from __future__ import annotations

import msgspec
import pytest

import keyvault_jwt as kj
from keyvault_jwt import document
from keyvault_jwt.errors import Conflict, KeyMismatch, KeyRefused, StoreUnavailable
from keyvault_jwt.key_factory import LocalKeyFactory
from keyvault_jwt.keys import KeyState
from keyvault_jwt.store import DocumentKind, DocumentName, Draft, Version
from keyvault_jwt.stores.memory import MemoryStore
from keyvault_jwt.testing import FakeClock
from tests.faulty_store import FAST
from tests.unit.remote_vault import RemoteVault

ISSUER, RING = "https://id.example", "payments"


@pytest.fixture
def vault() -> RemoteVault:
    """An empty store that keeps private halves."""
    return RemoteVault()


def managed(vault: RemoteVault, clock: FakeClock) -> kj.KeyManager:
    """Return a manager as another process would have it."""
    return kj.KeyManager(
        vault,
        clock=clock,
        listener=lambda event: None,
        wait=lambda seconds: clock.advance(int(seconds * 1000)),
    )


@pytest.fixture
def manager(vault: RemoteVault, clock: FakeClock) -> kj.KeyManager:
    """A manager with a keyring of three keys."""
    made = managed(vault, clock)
    made.create(RING, FAST, issuer=ISSUER)
    return made


def rotated(manager: kj.KeyManager, clock: FakeClock) -> kj.Report:
    """Return the first report after which a private half was dropped."""
    for _ in range(200):
        clock.advance(200)
        report = manager.reconcile(RING)
        if any(entry.action == "private-half-dropped" for entry in report.entries):
            return report
    raise AssertionError("no private half was dropped")


def references(manager: kj.KeyManager) -> set[str]:
    """Return what the authority refers to."""
    return {r.reference for r in manager.keyring(RING).records if r.reference is not None}


def test_keys_come_from_a_store_that_makes_them(manager: kj.KeyManager, vault: RemoteVault) -> None:
    """Without a key factory of the caller's, every key is a reference; with one, none is."""
    records = manager.keyring(RING).records
    assert [(r.private, r.reference in vault.keys) for r in records] == [(None, True)] * 3
    own = kj.KeyManager(vault, key_factory=LocalKeyFactory(), listener=lambda event: None)
    own.create("own", FAST, issuer=ISSUER)
    assert all(r.private and r.reference is None for r in own.keyring("own").records)


def test_dropped_references_are_told(manager: kj.KeyManager, vault: RemoteVault, clock: FakeClock) -> None:
    """The pass that drops a reference tells what is left, and the first key is gone."""
    first = manager.keyring(RING).active
    assert first is not None
    told = len(vault.tellings)
    rotated(manager, clock)
    assert len(vault.tellings) == told + 1
    assert vault.tellings[-1] == references(manager)
    assert first.reference not in vault.keys


def test_idle_passes_and_new_keys_tell_nothing(
    manager: kj.KeyManager, vault: RemoteVault, clock: FakeClock
) -> None:
    """A process tells once, when it first sees a keyring; then only drops are news."""
    assert len(vault.tellings) == 1
    manager.reconcile(RING)
    clock.advance(4000)
    manager.rotate(RING)
    assert vault.made == 4
    assert len(vault.tellings) == 1
    managed(vault, clock).reconcile(RING)
    assert len(vault.tellings) == 2, "another process may have died between a commit and its telling"


def test_a_failed_telling_is_an_alarm_and_repeated(
    manager: kj.KeyManager, vault: RemoteVault, clock: FakeClock
) -> None:
    """The pass itself succeeds and says so; every pass tries again until it works."""
    vault.deaf = True
    report = rotated(manager, clock)
    assert "store_unavailable" in report.alarms[-1]
    assert manager.reconcile(RING).alarms
    vault.deaf = False
    assert not manager.reconcile(RING).alarms
    assert vault.tellings[-1] == references(manager)


class Overtaken(RemoteVault):
    """Lets another pass commit, and then drop old keys, just before the next write of an authority."""

    def __init__(self) -> None:
        super().__init__()
        self.rivals: list[kj.KeyManager] = []

    def replace(self, name: DocumentName, draft: Draft, *, expected: Version | None) -> Version:
        if name.kind is DocumentKind.AUTHORITY and self.rivals:
            rival = self.rivals.pop()
            rival.change_policy(RING, FAST.model_copy(update={"token_ttl": FAST.token_ttl * 2}))
            self.keys = {ref: key for ref, key in self.keys.items() if ref in references(rival)}
        return super().replace(name, draft, expected=expected)


def test_a_key_made_before_a_lost_race_is_thrown_away(clock: FakeClock) -> None:
    """Who won may have had older keys dropped: what is committed later was made after the fresh read."""
    vault = Overtaken()
    manager, rival = managed(vault, clock), managed(vault, clock)
    manager.create(RING, FAST, issuer=ISSUER)
    clock.advance(4000)
    vault.rivals = [rival]
    manager.rotate(RING)
    assert references(manager) <= set(vault.keys)
    assert vault.made == 5, "one was made in vain"


class Repeating(RemoteVault):
    """A key service that names the same key to two rotators."""

    def make(self, algorithm: str):  # type: ignore[no-untyped-def]
        if self.made < 3:
            return super().make(algorithm)
        if "remote/4" not in self.keys:
            super().make(algorithm)
        fresh = self.keys["remote/4"]
        return type(fresh)(kid=fresh.kid, algorithm=algorithm, public=fresh.public, reference="remote/4")


def test_two_rotators_with_the_same_fresh_key_commit_it_once(clock: FakeClock) -> None:
    """Who comes second finds the kid taken: its own is refused, and the keyring stands as committed."""
    vault = Repeating()
    manager, late = managed(vault, clock), managed(vault, clock)
    manager.create(RING, FAST, issuer=ISSUER)
    clock.advance(4000)
    manager.rotate(RING)
    clock.advance(4000)
    with pytest.raises((KeyRefused, Conflict)):
        late.rotate(RING)
    kids = [record.kid for record in late.keyring(RING).records]
    assert len(kids) == len(set(kids)) == 4


def test_foreign_keys_are_not_taken_in(manager: kj.KeyManager) -> None:
    """An import would put a private half into documents of a store that is there to have none."""
    fresh = LocalKeyFactory().make("ES256")
    with pytest.raises(KeyRefused, match="not taken in"):
        manager.import_key(RING, fresh)
    with pytest.raises(KeyRefused, match="not taken in"):
        manager.import_key("other", fresh, issuer=ISSUER)
    assert manager.names() == (RING,)


def test_a_keyring_with_remote_keys_is_not_copied(manager: kj.KeyManager, clock: FakeClock) -> None:
    """Its private halves can't go along; it stays alive where it is."""
    other = kj.KeyManager(MemoryStore(), clock=clock, listener=lambda event: None)
    with pytest.raises(KeyRefused, match="can't be taken along"):
        manager.copy_to(other, RING)
    assert manager.keyring(RING).frozen_to is None
    assert other.names() == ()


def test_private_halves_that_are_elsewhere_are_not_exported(manager: kj.KeyManager) -> None:
    """Public halves are; who asks for private ones is told why there are none."""
    assert len(manager.export_keys(RING)) == 3
    with pytest.raises(KeyRefused, match="can't be taken along"):
        manager.export_keys(RING, private=True)


def test_a_signature_by_another_key_never_leaves(
    manager: kj.KeyManager, vault: RemoteVault, clock: FakeClock
) -> None:
    """When the remote signer has another key under the reference, signing fails instead of verifying."""
    active = manager.keyring(RING).active
    assert active is not None
    assert active.reference is not None
    vault.keys[active.reference] = LocalKeyFactory().make("ES256")
    signer = kj.Signer(vault, RING, clock=clock, background=False)
    with pytest.raises(KeyMismatch, match="no signature by"):
        signer.sign({"sub": "u1", "aud": "api"})


def test_nothing_is_signed_that_could_not_be_checked(manager: kj.KeyManager, vault: RemoteVault) -> None:
    """A signing document without the public half of a key that is elsewhere is refused."""
    name = DocumentName(RING, DocumentKind.SIGNING)
    found = vault.read(name)
    assert found is not None
    signing = document.decode_signing(RING, found.draft.data)
    assert signing.key is not None
    bare = msgspec.structs.replace(signing, key=msgspec.structs.replace(signing.key, public=None))
    vault.replace(name, document.derived_draft(DocumentKind.SIGNING, bare), expected=found.version)
    signer = kj.Signer(vault, RING, background=False)
    with pytest.raises(KeyMismatch, match="no public half"):
        signer.sign({"aud": "api"})


def test_a_failed_pass_tells_nothing(manager: kj.KeyManager, vault: RemoteVault) -> None:
    """What a failed pass believes of the keyring is no ground to drop anything."""
    told = len(vault.tellings)
    vault.failure = StoreUnavailable("down")
    with pytest.raises(StoreUnavailable):
        manager.reconcile(RING)
    assert len(vault.tellings) == told


def test_revoked_keys_are_told_too(manager: kj.KeyManager, vault: RemoteVault) -> None:
    """A revocation drops the reference in the same pass, once the removal was read back."""
    active = manager.keyring(RING).active
    assert active is not None
    manager.revoke(RING, active.kid, reason="leaked", accept_refusals=True)
    assert manager.keyring(RING).record(active.kid).state is KeyState.COMPROMISED
    assert active.reference not in references(manager)
    assert vault.tellings[-1] == references(manager)


def test_a_revocation_does_not_wait_for_new_keys(
    manager: kj.KeyManager, vault: RemoteVault, clock: FakeClock
) -> None:
    """While no key can be made, a key is revoked, confirmed and dropped; an alarm says what is missing."""
    active = manager.keyring(RING).active
    assert active is not None
    vault.barren = True
    report = manager.revoke(RING, active.kid, reason="leaked", accept_refusals=True)
    assert "store_unavailable" in report.alarms[0]
    record = manager.keyring(RING).record(active.kid)
    assert record.revoked is not None
    assert record.reference is None
    manager.revoke(RING, active.kid, reason="leaked")
    with pytest.raises(StoreUnavailable):
        manager.reconcile(RING)
    vault.barren = False
    manager.reconcile(RING)
    assert len(manager.keyring(RING).standbys("ES256")) == 2


def test_founding_keys_sign_in_the_order_they_were_made(vault: RemoteVault, clock: FakeClock) -> None:
    """The oldest signs first, so that what retires can be trimmed from below."""
    manager = managed(vault, clock)
    for number in range(6):
        manager.create(f"ring-{number}", FAST, issuer=ISSUER)
        active = manager.keyring(f"ring-{number}").active
        assert active is not None
        assert active.reference == f"remote/{3 * number + 1}"

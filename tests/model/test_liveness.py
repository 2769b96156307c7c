"""Left alone with its scheduler, a keyring does everything in time, on any store."""

from __future__ import annotations

import pytest

from keyvault_jwt import command, document
from keyvault_jwt.keys import KeyState
from keyvault_jwt.patience import ROUTINE_SHARE
from keyvault_jwt.plan import KEPT_ENTRIES, KEPT_TOMBSTONES
from keyvault_jwt.store import DocumentKind, Limits
from tests.model.life import lived_on, settled
from tests.model.model_store import RING
from tests.model.scenes import (
    ISSUER,
    RECONCILE,
    SCENES,
    active,
    commands,
    fresh,
    kid_in,
    ready,
    seconds_policy,
    without_active,
)
from tests.model.world import World


@pytest.mark.parametrize("scene", SCENES)
def test_every_scene_lives_on(scene: str) -> None:
    """From each scene the scheduler alone rotates, retires, forgets the revoked and keeps standbys."""
    lived_on(SCENES[scene]())


@pytest.mark.parametrize(
    "scene", ["fresh", "ready", "migrating", "without active", "slower policy", "symmetric"]
)
def test_every_command_lives_on(scene: str) -> None:
    """After any command the scheduler alone brings the keyring back to its rest."""
    world = SCENES[scene]()
    for name, asked in commands(world).items():
        if name != "freeze":
            lived_on(world.run(asked))


def test_rotation_comes_when_it_is_due_and_not_before() -> None:
    """One millisecond before R nothing is promoted; at R the oldest ready standby is."""
    world = fresh()
    signing = active(world)
    early = world.later(5999).run(RECONCILE)
    assert active(early) == signing
    assert early.report.plan.next_due == early.now + 1
    assert active(early.alone().later(1).run(RECONCILE)) != signing


def test_reports_tell_the_true_next_due_time() -> None:
    """What a pass reports as due next is what a fresh look at the keyring says, moved keys too."""
    world = ready().later(2000)
    for _ in range(4):
        world = world.alone().run(RECONCILE)
        again = world.alone().run(RECONCILE)
        assert world.report.plan.next_due == again.report.plan.next_due
        world = world.later(world.report.plan.next_due - world.now)


def test_downtime_is_caught_up_with_every_lead() -> None:
    """After a month's sleep one pass promotes one key, and the next key waits out its own lead (I7)."""
    world = fresh().later(30 * 86_400_000).run(RECONCILE).alone()
    promoted = [e for e in world.keyring.ledger.entries if e.action == "promoted"]
    assert len(promoted) == 2
    lived_on(world)


def test_nothing_signs_until_a_standby_is_ready() -> None:
    """With no active key the first standby takes over at its lead's end, not a millisecond sooner."""
    world = without_active()
    standby = world.keyring.standbys("Ed25519")[0]
    ends = standby.published + 3600
    early = world.later(ends - 1 - world.now).run(RECONCILE)
    assert active(early) == ""
    assert active(early.alone().later(1).run(RECONCILE)) == standby.kid


def test_a_revoked_key_is_gone_for_good() -> None:
    """A revoked key leaves both documents at once, loses its private half, and ends as a tombstone."""
    world = ready()
    kid = kid_in(world, KeyState.PRE_ACTIVATION)
    world = world.run(command.Revoke(kid, "leaked"))
    record = world.keyring.record(kid)
    assert (record.state, record.can_sign, record.revoked) == (KeyState.COMPROMISED, False, world.now)
    world = world.alone().later(3599).run(RECONCILE)
    assert world.keyring.record(kid).state is KeyState.COMPROMISED
    world = world.alone().later(1).run(RECONCILE)
    assert world.keyring.record(kid).is_tombstone


def test_history_moves_to_archives_and_none_of_it_is_lost() -> None:
    """Tombstones and entries leave the authority for listed archives, each entry exactly once."""
    world, kids = fresh(), set()
    for _ in range(60):
        world = world.alone().later(6000).run(RECONCILE)
        kids |= {record.kid for record in world.keyring.records}
    ring = world.keyring
    assert sum(record.is_tombstone for record in ring.records) <= KEPT_TOMBSTONES
    assert len(ring.ledger.entries) <= KEPT_ENTRIES + 16
    archives = [world.witness.archives[name] for name in sorted(world.witness.archives) if name.ring == RING]
    assert len(archives) == len(ring.archives) >= 1
    assert all(archive.records or archive.entries for archive in archives), "an archive is empty"
    told = [entry.seq for archive in archives for entry in archive.entries]
    told += [entry.seq for entry in ring.ledger.entries]
    assert told == list(range(1, ring.ledger.next_seq))
    kept = {record.kid for archive in archives for record in archive.records}
    assert kids == kept | {record.kid for record in ring.records}
    assert not any(record.can_sign for archive in archives for record in archive.records)
    numbers = {n.number for n in world.store.documents if n.kind is DocumentKind.ARCHIVE}
    assert numbers == {ref.number for ref in ring.archives}


@pytest.mark.parametrize("algorithm", ["Ed25519", "HS256"])
def test_a_store_as_stale_as_it_says(algorithm: str) -> None:
    """Where every read is S old, keyrings are still made, rotated and revoked from, by the same rules."""
    world = World.empty(300, lagging=True)
    world = world.run(command.Create(RING, ISSUER, seconds_policy(algorithm, rotate_every="9s")))
    world.report  # noqa: B018
    for _ in range(4):
        world = world.alone().later(9000).run(RECONCILE)
        assert world.report.changed
    kid = active(world)
    world = world.alone().run(command.Revoke(kid, "leaked"))
    assert world.report.keyring.record(kid).revoked is not None
    settled(world.later(300))


def test_a_rotation_by_hand_is_no_stop_on_the_way_of_a_migration() -> None:
    """A key promoted by hand rests for the round in which a ready migration could replace it at once."""
    world = SCENES["migrating"]()
    world = world.run(command.Rotate(active(world)))
    assert [entry.action for entry in world.report.entries].count("promoted") == 1
    lived_on(world)


def test_standbys_leave_the_reserve_to_revocations() -> None:
    """In a store too full for routine writes a revocation goes through, also repeated, and adds no key."""
    world = ready()
    size = len(document.authority_draft(world.keyring).data)
    limits = Limits(document_bytes=int((size - 1) / ROUTINE_SHARE))
    kids, kid = {record.kid for record in world.keyring.records}, active(world)
    for _ in range(2):
        world = world.alone().run(command.Revoke(kid, "leaked"), limits=limits)
        assert world.report.keyring.record(kid).revoked is not None
    assert {record.kid for record in world.keyring.records} == kids

"""Stores that were restored, emptied or forked: noticed, left alone, and recovered without a revenant."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest

from keyvault_jwt import archiving, command, document
from keyvault_jwt.errors import KeyringNotFound, KidReused, RolledBack
from keyvault_jwt.keyring import Keyring, Superseded
from keyvault_jwt.keys import KeyState
from keyvault_jwt.marks import Mark
from keyvault_jwt.report import Report, mark_of
from keyvault_jwt.store import DocumentName
from tests.model.counted_keys import counted_key
from tests.model.life import check_derived, lived_on, settled
from tests.model.model_store import AUTHORITY, PUBLIC, RING, SIGNING, VERIFICATION
from tests.model.scenes import RECONCILE, active, fresh, ready
from tests.model.world import World

RECOVER = command.Recover(RING)


def states(ring: Keyring) -> dict[str, KeyState]:
    """Return each key's state."""
    return {record.kid: record.state for record in ring.records}


@pytest.fixture
def revoked_since() -> tuple[World, World]:
    """A world, and the same later: its active key was revoked, a second rotation happened."""
    before = ready()
    after = before.run(command.Revoke(active(before), "leaked")).alone().later(6100)
    return before, after.run(RECONCILE).run(RECONCILE).alone()


def recovered(world: World, mark: Mark | None = None) -> World:
    """Return the world after `recover`, whose report must be there."""
    world = world.unwatched().run(RECOVER, mark=mark)
    assert isinstance(world.passes[-1].attempt.outcome, Report), world.passes[-1].attempt.outcome
    return world


def test_an_older_authority_is_noticed_and_left_alone(revoked_since: tuple[World, World]) -> None:
    """Derived documents newer than the authority are `RolledBack` after re-reads, and nothing is written."""
    before, after = revoked_since
    restored = after.restored(before.store, AUTHORITY)
    world = restored.run(RECONCILE)
    with pytest.raises(RolledBack):
        world.report  # noqa: B018
    assert world.store.key == restored.store.key
    assert world.now - restored.now == 150, "it must read again before it believes"


def test_a_whole_older_store_is_noticed_by_its_mark(revoked_since: tuple[World, World]) -> None:
    """Where everything was restored, only the high-water mark outside the store can tell, and does."""
    before, after = revoked_since
    restored = after.restored(before.store)
    world = restored.run(RECONCILE, mark=mark_of(after.keyring))
    with pytest.raises(RolledBack):
        world.report  # noqa: B018
    assert world.store.key == restored.store.key


def test_an_authority_read_late_is_not_a_rollback(revoked_since: tuple[World, World]) -> None:
    """If the doubted authority has caught up at the second look, the pass goes on as if nothing was."""
    before, after = revoked_since
    world = after.restored(before.store, AUTHORITY).begin(RECONCILE)
    while type(world.passes[0].attempt.call).__name__ != "Wait":
        world = world.step(0)
    caught_up = world.restored(after.store, AUTHORITY)
    world = World(caught_up.store, world.witness, world.now, world.passes).finish(0)
    assert isinstance(world.passes[0].report, Report)


@pytest.mark.parametrize("marked", [False, True])
def test_nothing_retired_comes_back(revoked_since: tuple[World, World], marked: bool) -> None:
    """From an older authority each key gets the most retired state that anything shows, and stays there."""
    before, after = revoked_since
    mark = mark_of(after.keyring) if marked else None
    world = recovered(after.restored(before.store, AUTHORITY), mark)
    was, now = states(after.keyring), states(world.keyring)
    for kid, state in was.items():
        assert now[kid].retirement >= state.retirement, f"{kid} was {state} and is {now[kid]}"
    assert (world.keyring.epoch, world.keyring.revision) > (after.keyring.epoch, after.keyring.revision)
    check_derived(world)
    lived_on(world)


def test_public_halves_of_lost_keys_are_adopted(revoked_since: tuple[World, World]) -> None:
    """Standbys that only the newer public document knows verify on, and never sign."""
    before, after = revoked_since
    lost = states(after.keyring).keys() - states(before.keyring).keys()
    world = recovered(after.restored(before.store, AUTHORITY))
    assert lost
    for kid in lost:
        record = world.keyring.record(kid)
        assert (record.state, record.can_sign, record.barred) == (KeyState.DEACTIVATED, False, True)
        assert record.public is not None
    public = document.derive(document.DocumentKind.PUBLIC, world.keyring)
    assert isinstance(public, document.PublicDocument)
    assert lost <= public.kids


def test_a_restored_private_half_of_a_retired_key_goes(revoked_since: tuple[World, World]) -> None:
    """The older authority brings back private halves of revoked and destroyed keys: none may stay."""
    before, after = revoked_since
    world = recovered(after.restored(before.store, AUTHORITY))
    for record in world.keyring.records:
        if record.state in {KeyState.COMPROMISED, KeyState.DESTROYED}:
            assert not record.can_sign, f"the private half of {record.kid} ({record.state}) is back for good"


def test_a_mark_alone_retires(revoked_since: tuple[World, World]) -> None:
    """In a store restored whole no key is less retired than the mark's machine saw it, and all lives on."""
    before, after = revoked_since
    mark = mark_of(after.keyring)
    world = recovered(after.restored(before.store), mark)
    was, now = states(after.keyring), states(world.keyring)
    assert any(was[kid] is KeyState.DESTROYED for kid in states(before.keyring))
    for kid in states(before.keyring):
        least = KeyState.COMPROMISED if kid in mark.revoked else was[kid]
        assert now[kid].retirement >= least.retirement, f"{kid} was {was[kid]} and is {now[kid]}"
    check_derived(world)
    lived_on(world)


def test_a_mark_alone_revokes(revoked_since: tuple[World, World]) -> None:
    """In a store restored whole, the revoked kids of the mark are revoked again by `recover`."""
    before, after = revoked_since
    kid = active(before)
    world = recovered(after.restored(before.store), mark_of(after.keyring))
    assert world.keyring.record(kid).compromised is not None
    assert world.keyring.record(kid).revoked is not None, "the removal must be proven anew"
    assert not world.keyring.record(kid).state.published


@pytest.fixture(params=[False, True], ids=["in one epoch", "from before a recovery"])
def gone_on(request: pytest.FixtureRequest) -> Callable[[World], World]:
    """Go on from a backup to what will be restored: in the same epoch, or in a later one."""
    return lambda world: recovered(world).alone() if request.param else world


def test_a_restored_public_document_moves_the_revocation_bound(gone_on: Callable[[World], World]) -> None:
    """A revoked kid that a restored `public` showed again was revoked when it is gone again, not before."""
    before = ready()
    kid = active(before)
    after = gone_on(before).run(command.Revoke(kid, "leaked")).alone()
    assert after.keyring.record(kid).revoked == after.now
    later = after.later(1000).restored(before.store, PUBLIC)
    assert recovered(later).keyring.record(kid).revoked == later.now
    assert later.unwatched().run(RECONCILE).report.keyring.record(kid).revoked == later.now


def test_a_restored_public_document_restarts_a_lead(gone_on: Callable[[World], World]) -> None:
    """A standby that a restored `public` lacks loses its stamp; its lead begins at the repair."""
    before = fresh()
    after = gone_on(before).later(6000).run(RECONCILE).alone().later(3000)
    added = max(after.keyring.records, key=lambda record: record.published or 0)
    world = after.restored(before.store, PUBLIC).unwatched().run(RECONCILE)
    assert added.published == after.now - 3000
    assert world.report.keyring.record(added.kid).published == after.now


def test_a_restored_signing_document_restarts_a_retirement(gone_on: Callable[[World], World]) -> None:
    """A key that a restored `signing` holds again has not stopped: its retirement begins at the repair."""
    before = fresh()
    old = active(before)
    after = gone_on(before).later(6000).run(RECONCILE).alone().later(1000)
    assert after.keyring.record(old).stopped == after.now - 1000
    world = after.restored(before.store, SIGNING).unwatched().run(RECONCILE)
    assert world.report.keyring.record(old).stopped == after.now


@pytest.mark.parametrize(("algorithm", "shown_in"), [("Ed25519", PUBLIC), ("HS256", VERIFICATION)])
def test_a_restored_policy_counts_anew(
    gone_on: Callable[[World], World], algorithm: str, shown_in: DocumentName
) -> None:
    """Caches last as long as what verifiers were shown said, until the repair is read back (I8)."""
    before = ready(algorithm)
    shorter = before.keyring.policy.model_copy(update={"max_stale": timedelta(0)})
    after = gone_on(before).run(command.ChangePolicy(shorter)).alone().later(1000)
    assert [old.changed for old in after.keyring.superseded] == [after.now - 1000]
    world = after.restored(before.store, shown_in).unwatched().run(RECONCILE)
    assert world.report.keyring.superseded == (Superseded(before.keyring.policy, after.now),)


def test_what_a_keyring_of_the_same_name_left_denies_nothing() -> None:
    """Secrets of an older keyring that are nobody's any more start no wait of an asymmetric one."""
    before = ready("HS256")
    policy = before.keyring.policy.model_copy(update={"algorithm": "Ed25519", "max_stale": timedelta(0)})
    emptied = before.without(AUTHORITY, PUBLIC, SIGNING).unwatched()
    world = emptied.run(command.Create(RING, "https://issuer", policy))
    assert world.report.keyring.superseded == ()


@pytest.mark.parametrize("algorithm", ["Ed25519", "HS256"])
def test_a_lost_authority_keeps_tokens_valid(algorithm: str) -> None:
    """With the authority gone, the same key signs on, the others verify, and new standbys are made."""
    before = ready(algorithm)
    published = {r.kid for r in before.keyring.records if r.state.published}
    world = recovered(before.without(AUTHORITY))
    kind = document.DocumentKind.VERIFICATION if algorithm == "HS256" else document.DocumentKind.PUBLIC
    shown = document.derive(kind, world.keyring)
    assert not isinstance(shown, document.SigningDocument)
    assert published <= shown.kids
    assert world.keyring.epoch > before.keyring.epoch
    assert active(world) == active(before)
    lived_on(world)


def test_symmetric_keys_that_nothing_holds_are_gone() -> None:
    """A secret that is nowhere to be found can't verify: its kid stays taken, as destroyed."""
    before = ready("HS256")
    world = recovered(before.without(AUTHORITY, VERIFICATION))
    lost = [world.keyring.record(r.kid) for r in before.keyring.records if r.kid != active(before)]
    assert {record.state for record in lost} == {KeyState.DESTROYED}
    assert active(world) == active(before), "the signing document holds that one"
    lived_on(world)


def test_an_empty_store_has_nothing_to_recover() -> None:
    """With neither authority nor public document, `recover` says so and makes nothing up."""
    world = ready().without(AUTHORITY, PUBLIC).unwatched().run(RECOVER)
    with pytest.raises(KeyringNotFound):
        world.report  # noqa: B018


@pytest.fixture
def forked() -> tuple[World, World]:
    """Two stores that went on from one revision, each with its own promotion."""
    common = ready()
    mine = common.run(command.Rotate(active(common))).alone()
    spare = common.run(RECONCILE)  # takes a number, so that the other branch's write ids differ
    return mine, spare.alone().later(7).run(command.Rotate(active(common), emergency=True)).alone()


def test_a_fork_is_noticed(forked: tuple[World, World]) -> None:
    """An authority of another branch under our derived documents, or our mark, is `RolledBack`."""
    mine, other = forked
    with pytest.raises(RolledBack):
        mine.restored(other.store, AUTHORITY).unwatched().run(RECONCILE).report  # noqa: B018
    with pytest.raises(RolledBack):
        mine.restored(other.store).run(RECONCILE, mark=mark_of(mine.keyring)).report  # noqa: B018


def test_a_fork_is_recovered(forked: tuple[World, World]) -> None:
    """Recovering a forked store leaves one active key, and none that either branch retired signs."""
    mine, other = forked
    world = recovered(mine.restored(other.store, AUTHORITY))
    for ring in (mine.keyring, other.keyring):
        for kid, state in states(ring).items():
            if state.retirement > KeyState.ACTIVE.retirement:
                assert states(world.keyring)[kid] is not KeyState.ACTIVE
    lived_on(world)


def test_a_forgetful_recovery_is_noticed(revoked_since: tuple[World, World]) -> None:
    """A newer epoch in which a revoked kid is alive again contradicts the mark that knows better."""
    before, after = revoked_since
    revived = recovered(after.restored(before.store))  # by somebody without the mark
    assert revived.keyring.record(active(before)).state.published
    with pytest.raises(RolledBack):
        revived.alone().run(RECONCILE, mark=mark_of(after.keyring)).report  # noqa: B018


def many_lives(world: World, rotations: int) -> World:
    """Return the world after so many rotations."""
    for _ in range(rotations):
        world = world.alone().later(6000).run(RECONCILE).run(RECONCILE)
    return world.alone()


@pytest.fixture(scope="module")
def archived() -> tuple[World, World]:
    """A world without archives, and the same later with some."""
    before = many_lives(fresh(), 4)
    return before, many_lives(before, 56)


def test_tombstones_of_archives_that_the_restored_authority_forgot(archived: tuple[World, World]) -> None:
    """Archives written after the backup still bar their kids: the key can't be imported anew (I9)."""
    before, after = archived
    world = recovered(after.restored(before.store, AUTHORITY))
    gone = {r.kid for archive in after.witness.archives.values() for r in archive.records}
    refs = {ref.number: ref for ref in world.keyring.archives}
    names = [name for name in world.store.documents if name.number in refs]
    archives = [archiving.opened(RING, refs[name.number], world.store.read(name)) for name in names]
    known = {r.kid for r in world.keyring.records if r.state is KeyState.DESTROYED}
    known |= {r.kid for archive in archives if archive is not None for r in archive.records}
    assert gone
    assert gone <= known
    settled(world)


def test_a_recovery_keeps_what_archives_hold(archived: tuple[World, World]) -> None:
    """Archives that the authority lists stay listed, and their tombstones stay out of it."""
    _, after = archived
    world = recovered(after)
    assert world.keyring.archives[: len(after.keyring.archives)] == after.keyring.archives
    gone = {r.kid for archive in after.witness.archives.values() for r in archive.records}
    assert not gone & states(world.keyring).keys()


def test_an_archive_number_taken_twice_leaves_a_gap(
    archived: tuple[World, World], dying_archivist: Callable[[World], World]
) -> None:
    """An archive whose commit lost the race is left unlisted; imports and recovery step over it."""
    _, after = archived
    world = dying_archivist(after)
    world = world.alone().run(command.Revoke(world.keyring.standbys("Ed25519")[0].kid, "leaked"))
    for _ in range(2):
        world = world.alone().later(6000).run(RECONCILE)
        world.report  # noqa: B018
    listed = {ref.number for ref in world.keyring.archives}
    written = {n.number for n in world.store.documents if n.kind is document.DocumentKind.ARCHIVE}
    assert written - listed, "this scene should have left an unlisted archive"
    world.alone().run(command.Import(counted_key("Ed25519", 77))).report  # noqa: B018
    recovered(world)


@pytest.fixture
def dying_archivist() -> Callable[[World], World]:
    """Go on until a pass has just written an archive, and let it die there."""

    def until(world: World) -> World:
        known = len(world.witness.archives)
        while True:
            world = world.alone().later(6000).begin(RECONCILE)
            while not world.passes[0].over:
                world = world.step(0)
                if len(world.witness.archives) > known:
                    return world.crash(0)

    return until


def test_an_archived_kid_is_never_taken_again(archived: tuple[World, World]) -> None:
    """Importing a key whose tombstone moved to an archive is `KidReused`."""
    _, after = archived
    old = next(iter(after.witness.archives.values())).records[0].kid
    key = msgspec.structs.replace(counted_key("Ed25519", 1), kid=old)
    with pytest.raises(KidReused):
        after.run(command.Import(key)).report  # noqa: B018

"""What must be true of a keyring once nobody disturbs it: it comes to rest, and lives on."""

from __future__ import annotations

from keyvault_jwt import document
from keyvault_jwt.clock import Milliseconds
from keyvault_jwt.keys import KeyState
from keyvault_jwt.marks import Mark
from keyvault_jwt.store import DocumentName
from tests.model.model_store import RING
from tests.model.scenes import RECONCILE
from tests.model.world import World


def settled(world: World, mark: Mark | None = None) -> World:
    """Return the world after one undisturbed reconcile; the next one must find nothing to do."""
    rested = world.alone().run(RECONCILE, mark=mark)
    rested.report  # noqa: B018 -- fails with the pass's own error
    again = rested.alone().run(RECONCILE, mark=mark)
    assert again.report.commits == 0, "a second reconcile at the same instant found work"
    assert again.store.key == rested.store.key, "a reconcile with nothing to do wrote"
    check_derived(again)
    return again.alone()


def settled_once(world: World) -> None:
    """Check that a world settles, unless one with the same store did at the same instant."""
    mark = hash((world.store.key, world.now))
    if mark not in _SETTLED:
        settled(world)
        _SETTLED.add(mark)


_SETTLED: set[int] = set()


def check_derived(world: World) -> None:
    """Every derived document says what the committed keyring says, and no more."""
    for kind in document.derived_kinds(world.keyring):
        name = DocumentName(RING, kind)
        found = world.store.read(name)
        assert found is not None, f"there is no {kind}"
        there = document.decode_derived(name, found.draft.data)
        wanted = document.derive(kind, world.keyring)
        assert document.says_the_same(there, wanted), f"{kind} is not what the keyring derives"


def lived_on(world: World, during: Milliseconds = 16_000, mark: Mark | None = None) -> World:
    """Return the world after the scheduler alone cared for it; everything due must have been done.

    `mark` is what that scheduler remembers from before.
    """
    world = settled(world, mark)
    before, end = world.keyring, world.now + during
    while world.now < end:
        world = world.alone().run(RECONCILE, mark=mark)
        due = world.report.plan.next_due
        assert due is not None, "a living keyring has nothing to wait for"
        world = world.later(min(max(due - world.now, 1), 6000))
    world = settled(world.alone().run(RECONCILE, mark=mark), mark)
    ring = world.keyring
    assert ring.active is not None, "nothing signs"
    assert before.active is None or ring.active.kid != before.active.kid, "no rotation happened"
    standbys = ring.standbys(ring.algorithm)
    assert len(standbys) >= ring.policy.standbys, f"only {len(standbys)} standbys"
    for record in ring.records:
        if record.compromised is not None and record.compromised < world.now - 8000:
            assert record.is_tombstone, f"{record.kid} was revoked and is still {record.state}"
        if record.state is KeyState.DESTROYED:
            assert not record.can_sign, f"{record.kid} is gone and its private half is not"
    return world

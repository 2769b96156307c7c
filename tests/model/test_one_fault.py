"""One thing goes wrong, anywhere in any command: the rules hold, and one reconcile mends it."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import pytest

from keyvault_jwt import command
from keyvault_jwt.errors import KeyringFrozen, KeyvaultJWTError
from keyvault_jwt.report import Report
from tests.model.explorer import Budget, explore
from tests.model.life import check_derived, lived_on, settled
from tests.model.model_store import RING
from tests.model.scenes import ISSUER, RECONCILE, SCENES, commands, seconds_policy
from tests.model.world import World

_scene = lru_cache(maxsize=None)(lambda name: SCENES[name]())

CASES = [
    (scene, asked)
    for scene in ("ready", "rotation due", "migrating", "without active", "symmetric due")
    for asked in commands(_scene(scene))
]

ARCHIVE_FAULTS = frozenset({"dropped", "late", "answer lost", "sent twice", "crash", "landed, crash"})


@pytest.fixture
def at_rest() -> Callable[[World], None]:
    """Check the end of each path once, however many paths lead there: it settles and lives on."""
    checked: set[int] = set()

    def check(world: World) -> None:
        assert all(
            each.crashed or isinstance(each.attempt.outcome, Report | KeyvaultJWTError)
            for each in world.passes
        )
        if world.witness.latest is None or world.keyring.frozen_to is not None:
            return
        mark = hash((world.alone().store.key, world.now))
        if mark not in checked:
            checked.add(mark)
            lived_on(world)

    return check


@pytest.mark.parametrize(("scene", "asked"), CASES, ids=[f"{asked}, {scene}" for scene, asked in CASES])
def test_any_fault_at_any_call(scene: str, asked: str, at_rest: Callable[[World], None]) -> None:
    """A crash, an outage, a lost answer, a late or doubled write at any call breaks no rule and mends."""
    world = _scene(scene)
    explored = explore(world.begin(commands(world)[asked]), Budget(faults=1), at_rest)
    assert len(explored.ends) > 5, "the search found nothing to go wrong"


@pytest.mark.parametrize("algorithm", ["Ed25519", "HS256"])
def test_any_fault_while_creating(algorithm: str, at_rest: Callable[[World], None]) -> None:
    """A keyring half made, by whatever fault, is made whole by the scheduler or not there at all."""
    create = command.Create(RING, ISSUER, seconds_policy(algorithm))
    explored = explore(World.empty().begin(create), Budget(faults=1), at_rest)
    assert any(end.witness.latest is None for end in explored.ends)
    assert any(end.witness.latest is not None for end in explored.ends)


def test_any_fault_while_archiving() -> None:
    """An archive whose write or commit fails, lands late or twice loses no tombstone and no entry."""
    world = _scene("fresh")
    while True:
        ahead = world.alone().later(6000).run(RECONCILE)
        if ahead.witness.archives:
            break
        world = ahead
    kids = {record.kid for record in ahead.keyring.records}
    kids |= {r.kid for archive in ahead.witness.archives.values() for r in archive.records}
    written: set[int] = set()

    def check(end: World) -> None:
        rested = settled(end)
        listed = {ref.number for ref in rested.keyring.archives}
        known = {record.kid for record in rested.keyring.records}
        for name, archive in rested.witness.archives.items():
            written.add(name.number)
            known |= {r.kid for r in archive.records} if name.number in listed else set()
        assert known >= kids & set(rested.witness.prints)

    explore(world.alone().later(6000).begin(RECONCILE), Budget(faults=2, kinds=ARCHIVE_FAULTS), check)
    assert written


def test_two_faults_in_a_revocation() -> None:
    """With two faults on one path, a revocation that reports success is always seen to be effective."""
    world = _scene("ready")
    kid = world.keyring.active.kid

    def check(end: World) -> None:
        outcome = end.passes[0].attempt.outcome
        if isinstance(outcome, Report):
            assert kid not in end.witness.published, "reported as revoked, and still published"
            assert outcome.keyring.record(kid).revoked is not None
            check_derived(end)

    kinds = frozenset({"unavailable", "dropped", "late", "answer lost", "sent twice"})
    explore(world.begin(command.Revoke(kid, "leaked")), Budget(faults=2, kinds=kinds), check)


def test_freezing_ends_all_writes() -> None:
    """A frozen keyring refuses the scheduler and keeps its documents."""
    world = _scene("ready").run(command.Freeze("vault://elsewhere"))
    check_derived(world)
    after = world.run(command.Reconcile())
    with pytest.raises(KeyringFrozen):
        after.report  # noqa: B018
    assert after.store.key == world.store.key


def test_rest_is_rest() -> None:
    """Every scene settles: what it needs is done in one pass."""
    for name in SCENES:
        settled(_scene(name))

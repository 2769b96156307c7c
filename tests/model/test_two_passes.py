"""Two processes at once, in every order of their calls: one does the work, and no rule breaks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from keyvault_jwt import command
from keyvault_jwt.calls import Write
from keyvault_jwt.errors import (
    Conflict,
    KeyringExists,
    KeyvaultJWTError,
    LostRace,
    NoReadyKey,
    OutcomeUnknown,
)
from keyvault_jwt.report import Report
from keyvault_jwt.store import DocumentKind
from tests.model.explorer import Budget, explore
from tests.model.life import settled_once
from tests.model.model_store import RING
from tests.model.scenes import ISSUER, RECONCILE, active, commands, fresh, ready, rotation_due, seconds_policy
from tests.model.world import World


def outcomes(world: World) -> list[Report | KeyvaultJWTError | None]:
    """Return what each pass ended with."""
    return [each.attempt.outcome for each in world.passes]


def promotions(world: World) -> int:
    """Return how many promotions the ledger tells of."""
    return sum(entry.action == "promoted" for entry in world.keyring.ledger.entries)


@pytest.fixture
def rotated_once() -> Callable[[World], Callable[[World], None]]:
    """Check that two passes together made exactly one promotion, and one of them says that it did."""

    def checker(before: World) -> Callable[[World], None]:
        def check(end: World) -> None:
            assert promotions(end) == promotions(before) + 1
            assert all(isinstance(outcome, Report) for outcome in outcomes(end)), outcomes(end)
            told = [entry.action for each in end.passes for entry in each.report.entries]
            assert told.count("promoted") == 1, "each promotion is told by the pass that made it"
            settled_once(end)

        return check

    return checker


@pytest.mark.parametrize("asked", ["reconcile", "rotate"])
def test_a_rotation_happens_once(
    asked: str, rotated_once: Callable[[World], Callable[[World], None]]
) -> None:
    """Two schedulers, or a scheduler and an operator, at the instant of rotation rotate once."""
    world = rotation_due()
    both = world.begin(RECONCILE).begin(commands(world)[asked])
    assert explore(both, Budget(), rotated_once(world)).worlds > 1000


def test_two_operators_replace_one_key_once() -> None:
    """Two hand-made rotations of the same key make one: the second finds its work done."""
    world = fresh()
    rotate = command.Rotate(active(world))

    def check(end: World) -> None:
        assert promotions(end) == promotions(world) + 1
        settled_once(end)

    explore(world.begin(rotate).begin(rotate), Budget(), check)


def test_a_revocation_beats_the_scheduler() -> None:
    """However a reconcile interleaves with it, a revoked key neither signs nor is published after it."""
    world = fresh()
    kid = active(world)

    def check(end: World) -> None:
        assert isinstance(outcomes(end)[1], Report)
        assert kid not in end.witness.published
        signing = end.witness.signed[kid]
        assert signing.out_since is not None
        settled_once(end)

    explore(world.begin(RECONCILE).begin(command.Revoke(kid, "leaked")), Budget(), check)


def test_two_emergencies_on_one_key() -> None:
    """Two emergency rotations of one key replace it once: the spare standby is not burned."""
    world = fresh()
    rotate = command.Rotate(active(world), emergency=True)

    def check(end: World) -> None:
        assert promotions(end) == promotions(world) + 1
        assert not any(isinstance(outcome, NoReadyKey) for outcome in outcomes(end))
        settled_once(end)

    explore(world.begin(rotate).begin(rotate), Budget(), check)


def test_two_makers_of_one_keyring() -> None:
    """Of two that create a keyring of one name at once, one makes it and the other is told so."""
    create = command.Create(RING, ISSUER, seconds_policy())

    def check(end: World) -> None:
        made = [outcome for outcome in outcomes(end) if isinstance(outcome, Report)]
        refused = [outcome for outcome in outcomes(end) if isinstance(outcome, KeyringExists)]
        assert (len(made), len(refused)) == (1, 1), outcomes(end)
        assert sum(entry.action == "created" for entry in end.keyring.ledger.entries) == 1
        settled_once(end)

    explore(World.empty().begin(create).begin(create), Budget(), check)


def test_a_policy_change_and_a_rotation() -> None:
    """Longer caches that come while a key is promoted gate the next promotion, never this one's past."""
    world = fresh().later(6000)
    longer = command.ChangePolicy(seconds_policy(max_stale="2s", rotate_every="9s"))

    def check(end: World) -> None:
        assert end.keyring.policy == longer.policy
        settled_once(end)

    explore(world.begin(RECONCILE).begin(longer), Budget(), check)


def before_signing_is_written(world: World) -> World:
    """Let the last pass go on until it is about to write the signing document."""
    at = len(world.passes) - 1
    while True:
        call = world.passes[at].attempt.call
        if isinstance(call, Write) and call.name.kind is DocumentKind.SIGNING:
            return world
        world = world.step(at)


@pytest.mark.parametrize("algorithm", ["Ed25519", "HS256"])
def test_a_paused_writer_wakes_up(algorithm: str) -> None:
    """A pass that slept over a whole rotation writes nothing over what others have seen since.

    The first promotes a key and stops before it is in the signing document; the second replaces
    that key in an emergency and dies; the third must not count the key as stopped while the
    first may still write it there.
    """
    world = ready(algorithm)
    world = before_signing_is_written(world.begin(command.Rotate(active(world))))
    promoted, write = active(world), world.passes[0].attempt.call
    assert isinstance(write, Write)
    world = replace(world.alone(), in_flight=(write,)).begin(command.Rotate(promoted, emergency=True))
    while active(world) == promoted:
        world = world.step(0)
    world = world.crash(0).begin(RECONCILE)

    def check(end: World) -> None:
        settled_once(end)

    explore(world, Budget(ticks=(500,)), check)


def test_a_pass_gives_up_in_the_end() -> None:
    """Conflicts without end are an error, with nothing written, never an endless pass."""
    world = rotation_due().begin(RECONCILE)
    for _ in range(500):
        if world.passes[0].over:
            break
        call = world.passes[0].attempt.call
        world = world.answer(0, Conflict("again")) if isinstance(call, Write) else world.step(0)
    outcome = world.passes[0].attempt.outcome
    assert isinstance(outcome, OutcomeUnknown | LostRace), outcome
    assert world.keyring == rotation_due().keyring

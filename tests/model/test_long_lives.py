"""Long random lives: any commands, any faults, up to three passes at once, and time that goes on."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from keyvault_jwt import command
from keyvault_jwt.decision import Command
from keyvault_jwt.keys import KeyState
from tests.model.counted_keys import counted_key
from tests.model.life import lived_on
from tests.model.model_store import RING
from tests.model.scenes import ISSUER, RECONCILE, commands, seconds_policy
from tests.model.world import World

STEPS = 250
PAUSES = (1, 50, 100, 500, 1000, 3000, 3600, 6000)


def some_command(world: World, dice: random.Random) -> Command:
    """Return one of the commands that mean something, more often a reconcile."""
    ring = world.keyring
    found = [asked for name, asked in commands(world).items() if name != "freeze"] + [RECONCILE] * 4
    found.append(command.Import(counted_key(ring.algorithm, dice.randrange(10**6, 10**9))))
    found += [
        command.Revoke(record.kid, "leaked")
        for record in ring.records
        if record.state in {KeyState.PRE_ACTIVATION, KeyState.DESTROYED}
    ]
    if not ring.symmetric:
        found.append(command.Migrate(dice.choice(["ES256", "Ed25519"]), confirm=dice.random() < 0.8))
    policy = seconds_policy(
        ring.algorithm,
        rotate_every=dice.choice(["9s", "12s"]),
        jwks_max_age=dice.choice(["1s", "2s", "3s"]),
        token_ttl=dice.choice(["1s", "2s", "4s"]),
        signer_lease=dice.choice(["500ms", "1500ms"]),
        rollback_window=dice.choice(["0s", "1s", "5s"]),
    )
    return dice.choice([*found, command.ChangePolicy(policy)])


def moved_on(world: World, dice: random.Random) -> tuple[str, World]:
    """Return the world after one thing more, and what it was."""
    running, chance = list(world.running()), dice.random()
    if not running or (chance < 0.03 and len(running) < 3):
        asked = some_command(world, dice)
        return repr(asked), world.begin(asked)
    if world.in_flight and chance < 0.1:
        return dice.choice(list(world.late_landings()))
    if chance < 0.13:
        pause = dice.choice(PAUSES)
        return f"{pause} ms pass", world.later(pause)
    at = dice.choice(running)
    if chance < 0.2:
        return dice.choice(list(world.faults(at)))
    return f"{world.passes[at].number} goes on", world.step(at)


@pytest.mark.parametrize(("staleness", "lagging"), [(0, False), (300, False), (300, True)])
@pytest.mark.parametrize("algorithm", ["Ed25519", "HS256"])
@pytest.mark.parametrize("seed", range(6))
def test_a_long_life(seed: int, algorithm: str, staleness: int, lagging: bool) -> None:
    """Whatever befalls a keyring, the witness sees no rule broken, and at last it lives on by itself."""
    dice = random.Random(f"{seed} {algorithm} {staleness} {lagging}")
    policy = seconds_policy(algorithm, rotate_every="9s")
    world = World.empty(staleness, lagging=lagging).run(command.Create(RING, ISSUER, policy)).alone()
    lived: list[str] = []
    try:
        for _ in range(STEPS):
            world = replace(world, passes=tuple(each for each in world.passes if not each.over))
            what, world = moved_on(world, dice)
            lived.append(what)
    except AssertionError as broken:
        broken.add_note("lived: " + " > ".join(lived[-60:]))
        raise
    lived_on(replace(world, lagging=False, in_flight=()).later(6000), during=40_000)

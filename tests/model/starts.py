"""Where the courses of the model check begin, and what an operator may ask on them.

Times are in whole seconds on a grid of one: every wait of the policies below ends exactly on it,
so that a rule that is off by one step of the grid is seen.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Final

from keyvault_jwt import command
from keyvault_jwt.calls import Write
from keyvault_jwt.clock import Milliseconds
from keyvault_jwt.decision import Command
from keyvault_jwt.keys import KeyState
from keyvault_jwt.policy import RotationPolicy
from keyvault_jwt.store import DocumentKind
from tests.model.counted_keys import counted_key
from tests.model.events import Commands
from tests.model.model_store import RING
from tests.model.scenes import ISSUER, RECONCILE, active, kid_in
from tests.model.unwatched import Unwatched
from tests.model.world import World

TICK: Final[Milliseconds] = 1000
NOTHING: Commands = lambda world: {}  # noqa: E731


def grid_policy(algorithm: str = "Ed25519", **changes: str) -> RotationPolicy:
    """Return the policy of whole seconds with equal clocks: lead 3 s, retire 2 s, rotation every 4 s."""
    parameters = {
        "rotate_every": "4s",
        "token_ttl": "1s",
        "leeway": "0s",
        "clock_skew": "0s",
        "signer_poll": "500ms",
        "publisher_poll": "500ms",
        "signer_lease": "1s",
        "publisher_lease": "1s",
        "jwks_max_age": "1s",
        "max_stale": "1s",
        "rollback_window": "1s",
    }
    return RotationPolicy(algorithm=algorithm, **(parameters | changes))


def slower_policy(algorithm: str) -> RotationPolicy:
    """Return the policy in which everything takes longer: lead 6 s, retire 6 s, rotation every 8 s."""
    return grid_policy(
        algorithm,
        rotate_every="8s",
        token_ttl="3s",
        leeway="1s",
        signer_lease="2s",
        publisher_lease="2s",
        max_stale="3s",
        rollback_window="2s",
    )


def skewed_policy() -> RotationPolicy:
    """Return the policy for clocks that are a second apart: lead 4 s, retire 5 s, rotation every 7 s."""
    return grid_policy(rotate_every="7s", leeway="1s", clock_skew="1s")


def created(policy: RotationPolicy, staleness: Milliseconds = 0, skew: Milliseconds = 0) -> World:
    """Return the world just after a keyring was made."""
    world = World.empty(staleness)
    world = replace(world, witness=replace(world.witness, skew=skew))
    return world.run(command.Create(RING, ISSUER, policy)).alone()


def turned(world: World, rotations: int) -> World:
    """Return the world after so many scheduled rotations, at the instant of the last one."""
    every = world.keyring.policy.timing(0).rotate_every
    for _ in range(rotations):
        world = world.later(every).run(RECONCILE).alone()
    return world


@cache
def midway(algorithm: str = "Ed25519") -> World:
    """Two rotations on: a key that retires, one that signs, a ready standby and a young one."""
    return turned(created(grid_policy(algorithm)), 2)


@cache
def due(algorithm: str = "Ed25519") -> World:
    """The instant at which the next rotation is due and an old key's end was done."""
    return midway(algorithm).later(2000).run(RECONCILE).alone().later(2000)


def withdrawn(algorithm: str = "Ed25519") -> World:
    """Two seconds after the active key was revoked: every reader that can read has seen it."""
    world = midway(algorithm)
    return world.run(command.Revoke(active(world), "leaked")).alone().later(2 * TICK)


def sleeping() -> World:
    """A scheduler promoted a key and died; its write of the signing document is still under way."""
    world = due().begin(RECONCILE)
    while not _writes(world, DocumentKind.SIGNING):
        world = world.step(0)
    write = world.passes[0].attempt.call
    assert isinstance(write, Write)
    return replace(world.alone(), in_flight=(write,))


def _writes(world: World, kind: DocumentKind) -> bool:
    call = world.passes[0].attempt.call
    return isinstance(call, Write) and call.name.kind is kind


def hurried() -> World:
    """A young key waits under a policy of long caches, and nothing else can sign."""
    world = midway().run(every_command(midway())["a slower policy"]).alone().later(8 * TICK)
    world = world.run(RECONCILE).alone()
    while world.keyring.active is not None:
        world = world.run(command.Revoke(active(world), "leaked")).alone()
    return world


def migrating(world: World) -> World:
    """Return the world in which another algorithm signs as soon as its keys' lead is over."""
    return world.run(command.Migrate("ES256", confirm=True)).alone()


# --- commands ------------------------------------------------------------------------------


def every_command(world: World) -> dict[str, Command]:
    """Return everything an operator can ask in a world, one of each kind."""
    ring, signing = world.keyring, active(world)
    found: dict[str, Command] = {
        "rotate": command.Rotate(signing),
        "rotate in an emergency": command.Rotate(signing, emergency=True),
        "roll back": command.Rollback(signing or None),
        "a slower policy": command.ChangePolicy(slower_policy(ring.algorithm)),
        "a quicker policy": command.ChangePolicy(
            grid_policy(ring.algorithm, rotate_every="3s", max_stale="0s")
        ),
        "import": command.Import(counted_key(ring.algorithm, 77)),
        "freeze": command.Freeze("memory:"),
    }
    if not ring.symmetric and ring.algorithm == "Ed25519":
        found["migrate"] = command.Migrate("ES256", confirm=True)
        found["migrate and wait for a word"] = command.Migrate("ES256")
    if ring.migration is not None:
        found["give the migration up"] = command.Migrate(ring.algorithm)
    for state in (KeyState.ACTIVE, KeyState.PRE_ACTIVATION, KeyState.DEACTIVATED):
        if any(record.state is state for record in ring.records):
            found[f"revoke a {state.plain} key"] = command.Revoke(kid_in(world, state), "leaked")
    return found


def only(*names: str) -> Commands:
    """Return a menu of some commands."""

    def menu(world: World) -> dict[str, Command]:
        return {name: asked for name, asked in every_command(world).items() if name in names}

    return menu


def recovering(world: World) -> dict[str, Command]:
    """Return what an operator asks once an authority was restored."""
    restored = isinstance(world.witness, Unwatched)
    return {"recover": command.Recover(RING)} if restored else {}

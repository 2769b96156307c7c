"""Worlds to start from, each reached by real passes, and the commands that mean something there."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from keyvault_jwt import command
from keyvault_jwt.decision import Command
from keyvault_jwt.keys import KeyState
from keyvault_jwt.policy import RotationPolicy
from tests.model.counted_keys import counted_key
from tests.model.model_store import RING
from tests.model.world import World

ISSUER = "https://id.example"
RECONCILE = command.Reconcile()


def seconds_policy(algorithm: str = "Ed25519", **changes: str) -> RotationPolicy:
    """Return the policy of seconds: lead 3.6 s, retire 3.8 s, rotation every 6 s."""
    parameters = {
        "rotate_every": "6s",
        "token_ttl": "2s",
        "leeway": "100ms",
        "clock_skew": "100ms",
        "signer_poll": "200ms",
        "publisher_poll": "200ms",
        "signer_lease": "1500ms",
        "publisher_lease": "1500ms",
        "jwks_max_age": "1s",
        "max_stale": "1s",
        "rollback_window": "1s",
    }
    return RotationPolicy(algorithm=algorithm, **(parameters | changes))


def fresh(algorithm: str = "Ed25519") -> World:
    """A keyring that was just created."""
    return World.empty().run(command.Create(RING, ISSUER, seconds_policy(algorithm))).alone()


def rotated(algorithm: str = "Ed25519") -> World:
    """A second after the second rotation: one key retires, one standby is ready, one is not."""
    world = fresh(algorithm)
    for _ in range(2):
        world = world.later(6000).run(RECONCILE).run(RECONCILE).alone()
    return world.later(500)


def ready(algorithm: str = "Ed25519") -> World:
    """A life in its middle: both standbys are ready, and nothing is due but an old key's end."""
    return rotated(algorithm).later(3600)


def rotation_due(algorithm: str = "Ed25519") -> World:
    """The instant at which the scheduler must rotate."""
    return rotated(algorithm).later(5500)


def migrating() -> World:
    """A migration to ES256 that was confirmed, at the instant at which its standbys are ready."""
    return ready().run(command.Migrate("ES256", confirm=True)).alone().later(3600)


def without_active() -> World:
    """Nothing signs: the active key and every ready standby were revoked."""
    world = rotated()
    for _ in range(2):
        world = world.run(command.Revoke(active(world), "leaked")).alone()
    return world


def slower_policy() -> World:
    """A policy with longer caches was just changed back to the one of seconds (I8)."""
    longer = seconds_policy(jwks_max_age="3s", max_stale="2s", rotate_every="12s")
    world = ready().run(command.ChangePolicy(longer)).alone().later(500)
    return world.run(command.ChangePolicy(seconds_policy())).alone()


SCENES: Mapping[str, Callable[[], World]] = {
    "fresh": fresh,
    "rotated": rotated,
    "ready": ready,
    "rotation due": rotation_due,
    "migrating": migrating,
    "without active": without_active,
    "slower policy": slower_policy,
    "symmetric": lambda: rotated("HS256"),
    "symmetric due": lambda: rotation_due("HS256"),
}


def active(world: World) -> str:
    """Return the signing kid, "" if there is none."""
    key = world.keyring.active
    return "" if key is None else key.kid


def kid_in(world: World, state: KeyState) -> str:
    """Return the first kid in a state."""
    return next(record.kid for record in world.keyring.records if record.state is state)


def commands(world: World) -> dict[str, Command]:
    """Return every command that means something in a world, by a readable name."""
    ring, signing = world.keyring, active(world)
    found: dict[str, Command] = {
        "reconcile": RECONCILE,
        "rotate": command.Rotate(signing),
        "rotate in an emergency": command.Rotate(signing, emergency=True),
        "roll back": command.Rollback(signing or None),
        "change the policy": command.ChangePolicy(
            seconds_policy(ring.algorithm, jwks_max_age="2s", rotate_every="9s", token_ttl="3s")
        ),
        "freeze": command.Freeze("memory:"),
        "import": command.Import(counted_key(ring.algorithm, 77)),
    }
    if not ring.symmetric:
        found["migrate"] = command.Migrate("ES256", confirm=True)
    for state in (KeyState.ACTIVE, KeyState.PRE_ACTIVATION, KeyState.DEACTIVATED):
        if any(record.state is state for record in ring.records):
            found[f"revoke {state.plain}"] = command.Revoke(kid_in(world, state), "leaked")
    return found

"""Every command of a keyring's life, each with the state that it starts from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from keyvault_jwt import document
from keyvault_jwt.keyring import Keyring
from keyvault_jwt.keys import KeyState
from keyvault_jwt.plan import KeptHistory
from keyvault_jwt.store import DocumentKind, DocumentName, limits_of
from tests.failpoints.machine import Machine
from tests.model.counted_keys import counted_key
from tests.model.model_store import RING
from tests.model.scenes import ISSUER, seconds_policy

AUTHORITY = DocumentName(RING, DocumentKind.AUTHORITY)


@dataclass(frozen=True)
class Lifecycle:
    """A command: what was there before it, and how it is run.

    `run` is given the keyring as it was at the start, by which a command names what it acts on.
    `founds`: it makes a keyring, and says so if that is there.  `moves`: it ends in the other
    store.  `rewrites`: it starts history anew, so that what is allowed is for the comparison with
    an undisturbed run to say, and not for a witness.
    `detours`: who comes after may reach the same living keys by a longer way.
    """

    scene: Callable[[Machine], None]
    run: Callable[[Machine, Keyring | None], object]
    founds: bool = False
    moves: bool = False
    rewrites: bool = False
    detours: bool = False


# --- states to start from ----------------------------------------------------------------------


def nothing(machine: Machine) -> None:
    """An empty disk: no store, no master key."""


def fresh(machine: Machine, algorithm: str = "Ed25519") -> None:
    """A keyring that was just created."""
    machine.manager.create(RING, seconds_policy(algorithm), issuer=ISSUER)


def rotated(machine: Machine, algorithm: str = "Ed25519") -> None:
    """Half a second after the second rotation: one key retires, one standby is ready, one is not."""
    fresh(machine, algorithm)
    for _ in range(2):
        machine.later(6000)
        machine.reconcile()
        machine.reconcile()
    machine.later(500)


def unneeded(machine: Machine) -> None:
    """The retiring key's private half is needed no more."""
    rotated(machine)
    machine.later(1300)


def ready(machine: Machine) -> None:
    """Both standbys are ready, and the retiring key's time has come."""
    rotated(machine)
    machine.later(3600)


def due(machine: Machine, algorithm: str = "Ed25519") -> None:
    """The instant at which the scheduler must rotate."""
    rotated(machine, algorithm)
    machine.later(5500)


def symmetric_due(machine: Machine) -> None:
    """The same for a symmetric keyring, which has one document more."""
    due(machine, "HS256")


def one_standby(machine: Machine) -> None:
    """A standby was discarded, and its process ended before it made another."""
    rotated(machine)
    ring, now = machine.keyring, machine.clock.wall()
    gone = ring.standbys(ring.algorithm)[-1]
    after = ring.destroyed(gone.kid, now).committed(UUID(int=99))
    store = machine.manager.store
    seen = store.read(AUTHORITY)
    assert seen is not None
    store.replace(AUTHORITY, document.authority_draft(after), expected=seen.version)


def migrating(machine: Machine) -> None:
    """A migration under way whose keys are ready, and which nobody confirmed yet."""
    ready(machine)
    machine.manager.migrate(RING, to="ES256")
    machine.later(3600)


def full_history(machine: Machine) -> None:
    """So many tombstones that the next pass, which makes one more, moves the older ones into an archive."""
    fresh(machine)
    kept = KeptHistory.of(machine.keyring, limits_of(machine.manager.store)).tombstones
    while sum(record.is_tombstone for record in machine.keyring.records) < kept:
        machine.later(6000)
        machine.reconcile()
    machine.later(6000)


def archived(machine: Machine) -> None:
    """A keyring with an archive."""
    full_history(machine)
    machine.reconcile()


def restored(machine: Machine) -> None:
    """A store put back to an old copy, from before a rotation and a revocation."""
    ready(machine)
    store = machine.manager.store
    copies = {name: store.read(name) for name in store.names()}
    machine.later(2000)
    machine.reconcile()
    active = machine.keyring.active
    assert active is not None
    machine.manager.revoke(RING, active.kid, reason="leaked")
    for name, copy in copies.items():
        assert copy is not None
        machine.put_back(name, copy.draft)


# --- commands ------------------------------------------------------------------------------------


def _reconcile(machine: Machine, was: Keyring | None) -> object:
    return machine.reconcile()


def _revoke(state: KeyState) -> Callable[[Machine, Keyring | None], object]:
    def run(machine: Machine, was: Keyring | None) -> object:
        assert was is not None
        kid = next(record.kid for record in was.records if record.state is state)
        return machine.manager.revoke(RING, kid, reason="leaked")

    return run


def _active(was: Keyring | None) -> str:
    assert was is not None
    assert was.active is not None
    return was.active.kid


def _copy(machine: Machine, was: Keyring | None) -> object:
    return machine.manager.copy_to(machine.target, RING, source="here", target="there")


LONGER = seconds_policy(jwks_max_age="2s", rotate_every="9s", token_ttl="3s")

LIFECYCLE: Mapping[str, Lifecycle] = {
    # The first key signs once all are published; until then a reconcile takes one for a standby too many.
    "create": Lifecycle(
        nothing,
        lambda m, _: m.manager.create(RING, seconds_policy(), issuer=ISSUER),
        founds=True,
        detours=True,
    ),
    "create-symmetric": Lifecycle(
        nothing,
        lambda m, _: m.manager.create(RING, seconds_policy("HS256"), issuer=ISSUER),
        founds=True,
        detours=True,
    ),
    "import": Lifecycle(
        nothing,
        lambda m, _: m.manager.import_key(
            RING, counted_key("Ed25519", 77), issuer=ISSUER, policy=seconds_policy()
        ),
        founds=True,
    ),
    "import-standby": Lifecycle(ready, lambda m, _: m.manager.import_key(RING, counted_key("Ed25519", 77))),
    "add-standby": Lifecycle(one_standby, _reconcile),
    "promote": Lifecycle(due, _reconcile),
    "promote-symmetric": Lifecycle(symmetric_due, _reconcile),
    "drop-private": Lifecycle(unneeded, _reconcile),
    "destroy": Lifecycle(ready, _reconcile),
    "archive": Lifecycle(full_history, _reconcile),
    "rotate": Lifecycle(ready, lambda m, was: m.manager.rotate(RING, replacing=_active(was))),
    "emergency": Lifecycle(
        ready, lambda m, was: m.manager.rotate(RING, replacing=_active(was), emergency=True)
    ),
    "revoke-active": Lifecycle(ready, _revoke(KeyState.ACTIVE)),
    "revoke-standby": Lifecycle(ready, _revoke(KeyState.PRE_ACTIVATION)),
    "revoke-retiring": Lifecycle(rotated, _revoke(KeyState.DEACTIVATED)),
    "rollback": Lifecycle(rotated, lambda m, was: m.manager.rollback(RING, replacing=_active(was))),
    "policy": Lifecycle(ready, lambda m, _: m.manager.change_policy(RING, LONGER)),
    "migrate": Lifecycle(ready, lambda m, _: m.manager.migrate(RING, to="ES256")),
    "migrate-confirm": Lifecycle(migrating, lambda m, _: m.manager.migrate(RING, to="ES256", confirm=True)),
    "freeze": Lifecycle(ready, lambda m, _: m.manager.freeze(RING, "file:elsewhere")),
    "copy": Lifecycle(archived, _copy, moves=True),
    "recover": Lifecycle(restored, lambda m, _: m.manager.recover(RING), rewrites=True, detours=True),
}

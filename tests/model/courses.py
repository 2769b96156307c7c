"""The courses of the model check: where each search begins, who is at work, and what may go wrong.

Times are in whole seconds on a grid of one: every wait of the policies below ends exactly on it,
so that a rule that is off by one step of the grid is seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Final

from keyvault_jwt import command, document
from keyvault_jwt.clock import Milliseconds
from keyvault_jwt.decision import Command
from keyvault_jwt.keys import KeyState
from keyvault_jwt.patience import ROUTINE_SHARE
from keyvault_jwt.policy import RotationPolicy
from keyvault_jwt.store import Limits
from tests.model.counted_keys import counted_key
from tests.model.events import Commands
from tests.model.fleet import Fleet, Left
from tests.model.model_store import RING
from tests.model.scenes import ISSUER, RECONCILE, active, kid_in
from tests.model.search import Search
from tests.model.witness import Unwatched
from tests.model.world import LIMITS, World

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


@lru_cache(maxsize=None)
def midway(algorithm: str = "Ed25519") -> World:
    """Two rotations on: a key that retires, one that signs, a ready standby and a young one."""
    return turned(created(grid_policy(algorithm)), 2)


@lru_cache(maxsize=None)
def due(algorithm: str = "Ed25519") -> World:
    """The instant at which the next rotation is due and an old key's end was done."""
    return midway(algorithm).later(2000).run(RECONCILE).alone().later(2000)


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
        "a slower policy": command.ChangePolicy(
            grid_policy(ring.algorithm, rotate_every="6s", max_stale="3s", token_ttl="3s")
        ),
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
    """Return what an operator asks before and after a restore."""
    if isinstance(world.witness, Unwatched):
        return {"recover": command.Recover(RING)}
    return only("revoke a signing key")(world)


# --- courses -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bound:
    """How far a search goes: for how many seconds, with what going wrong, over how many points at most."""

    seconds: int
    left: Left
    most: int


@dataclass(frozen=True, slots=True)
class Course:
    """One search: the world it starts from, who is at work, and its bounds, small and large.

    `whole` says that within the large bound everything is visited, and must be.
    """

    name: str
    world: Callable[[], World]
    schedulers: int
    small: Bound
    large: Bound
    commands: Commands = NOTHING
    skew: Milliseconds = 0
    limits: Limits = LIMITS
    restores: bool = False
    whole: bool = False

    def search(self, bound: Bound, sample: int) -> Search:
        """Return the search within a bound; of quiet states every `sample`th is lived on."""
        world = self.world()
        fleet = Fleet.over(
            world,
            schedulers=self.schedulers,
            during=bound.seconds * TICK,
            left=bound.left,
            skew=self.skew,
            limits=self.limits,
            backup=world.store if self.restores else None,
        )
        return Search(fleet, self.commands, TICK, bound.most, sample, self._lives)

    def _lives(self, fleet: Fleet) -> bool:
        """Whether the future must be a good one: not over a store that is full, or restored and left so,
        nor of a keyring that is frozen."""
        restored = self.restores and isinstance(fleet.world.witness, Unwatched)
        frozen = fleet.keyring is None or fleet.keyring.frozen_to is not None
        return self.limits is LIMITS and not (restored or frozen)


@lru_cache(maxsize=None)
def _nearly_full() -> Limits:
    """Return caps under which a routine write no longer fits and an urgent one does."""
    size = len(document.authority_draft(midway().keyring).data)
    return Limits(document_bytes=int((size - 1) / ROUTINE_SHARE))


def _grown() -> World:
    return created(grid_policy())


def courses() -> tuple[Course, ...]:
    """Return every course."""
    return (*_lives_of_one(), *_fleets(), *_operators(), *_assumptions())


def _lives_of_one() -> Iterator[Course]:
    """One scheduler from a key's creation to its end, over everything that can happen: the searches end."""
    for algorithm, name in (("Ed25519", "a key's whole life"), ("HS256", "a secret's whole life")):
        start = partial(created, grid_policy(algorithm))
        yield Course(
            f"{name}, delayed",
            start,
            1,
            Bound(10, Left(delays=1), 6_000),
            Bound(19, Left(delays=2), 300_000),
            whole=True,
        )
        yield Course(
            f"{name}, with a fault",
            start,
            1,
            Bound(10, Left(faults=1, delays=0), 6_000),
            Bound(19, Left(faults=1, delays=0), 300_000),
            whole=True,
        )


def _fleets() -> Iterator[Course]:
    """Three schedulers at once, from the start and from the middle of a life."""
    yield Course(
        "three from the start", _grown, 3, Bound(5, Left(1, delays=1), 4_000), Bound(6, Left(1), 90_000)
    )
    yield Course("three at a rotation", due, 3, Bound(2, Left(1), 4_000), Bound(3, Left(1), 90_000))
    yield Course("two at a rotation, two faults", due, 2, Bound(2, Left(2), 4_000), Bound(2, Left(2), 90_000))
    yield Course(
        "three while a key retires", midway, 3, Bound(4, Left(1), 4_000), Bound(4, Left(1), 90_000)
    )


def _operators() -> Iterator[Course]:
    """An operator beside the schedulers."""
    yield Course(
        "an operator",
        midway,
        1,
        Bound(3, Left(commands=1, delays=1), 8_000),
        Bound(4, Left(commands=1, faults=1), 90_000),
        every_command,
    )
    yield Course(
        "two commands",
        due,
        1,
        Bound(3, Left(commands=2, delays=0), 12_000),
        Bound(3, Left(commands=2), 90_000),
        every_command,
    )
    revoked = only("revoke a signing key", "roll back")
    yield Course(
        "a revocation among three",
        due,
        3,
        Bound(5, Left(commands=1, delays=0), 8_000),
        Bound(6, Left(commands=1, faults=1, delays=3), 90_000),
        revoked,
    )
    yield Course(
        "revoked until nothing signs",
        lambda: midway().run(command.Revoke(active(midway()), "leaked")).alone(),
        1,
        Bound(7, Left(commands=1, delays=0, overlaps=0), 8_000),
        Bound(9, Left(commands=2, delays=1), 90_000),
        only("revoke a signing key"),
    )
    yield Course(
        "a secret revoked",
        partial(due, "HS256"),
        2,
        Bound(5, Left(commands=1, delays=0), 8_000),
        Bound(6, Left(commands=1, faults=1, delays=2), 90_000),
        only("revoke a signing key", "rotate"),
    )
    yield Course(
        "policies up and down",
        lambda: midway().run(every_command(midway())["a slower policy"]).alone(),
        1,
        Bound(10, Left(commands=1, delays=0, overlaps=0), 8_000),
        Bound(9, Left(commands=2, delays=1), 90_000),
        only("a slower policy", "a quicker policy"),
    )
    yield Course(
        "a migration",
        midway,
        1,
        Bound(8, Left(commands=2, delays=0, overlaps=0), 10_000),
        Bound(9, Left(commands=2, faults=1, delays=1), 90_000),
        only("migrate", "migrate and wait for a word", "give the migration up"),
    )
    yield Course(
        "a full store",
        midway,
        1,
        Bound(3, Left(commands=1, delays=1), 4_000),
        Bound(5, Left(commands=1, delays=3), 40_000),
        only("revoke a signing key"),
        limits=_nearly_full(),
    )


def _assumptions() -> Iterator[Course]:
    """What stores and machines may do: clocks apart, reads that are late, documents from a backup."""
    yield Course(
        "clocks apart",
        lambda: migrating(turned(created(skewed_policy(), skew=TICK), 1)),
        2,
        Bound(8, Left(steps=2, delays=0), 10_000),
        Bound(15, Left(steps=2, delays=1), 90_000),
        skew=TICK,
    )
    yield Course(
        "stale reads",
        lambda: migrating(turned(created(grid_policy(rotate_every="6s"), staleness=TICK), 1)),
        2,
        Bound(7, Left(delays=1), 10_000),
        Bound(9, Left(delays=3), 90_000),
    )
    yield Course(
        "a restored store",
        midway,
        1,
        Bound(5, Left(commands=2, restores=1, faults=1, delays=0, overlaps=0), 20_000),
        Bound(6, Left(commands=2, restores=1, faults=1, delays=1), 90_000),
        recovering,
        restores=True,
    )

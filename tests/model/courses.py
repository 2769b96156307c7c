"""The courses of the model check: who is at work, from where, and what may go wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial

from keyvault_jwt import command, document
from keyvault_jwt.clock import Milliseconds
from keyvault_jwt.patience import ROUTINE_SHARE
from keyvault_jwt.store import Limits
from tests.model.events import Commands
from tests.model.fleet import Fleet, Left
from tests.model.scenes import active
from tests.model.search import Search
from tests.model.starts import (
    NOTHING,
    TICK,
    created,
    due,
    every_command,
    grid_policy,
    hurried,
    midway,
    migrating,
    only,
    recovering,
    skewed_policy,
    sleeping,
    turned,
    withdrawn,
)
from tests.model.unwatched import Unwatched
from tests.model.world import LIMITS, World


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
    limits: Callable[[], Limits] = lambda: LIMITS
    backup: Callable[[], World] | None = None
    whole: bool = False

    def search(self, bound: Bound, futures: int) -> Search:
        """Return the search within a bound; of the quiet states that it finds, `futures` are lived on."""
        world = self.world()
        fleet = Fleet.over(
            world,
            schedulers=self.schedulers,
            during=bound.seconds * TICK,
            left=bound.left,
            skew=self.skew,
            limits=self.limits(),
            backup=None if self.backup is None else self.backup().store,
        )
        return Search(fleet, self.commands, TICK, bound.most, futures, self._lives)

    def _lives(self, fleet: Fleet) -> bool:
        """Whether the future must be a good one: not over a store that is full, or restored and left so,
        nor of a keyring that is frozen."""
        ring = fleet.keyring
        frozen = ring is None or ring.frozen_to is not None
        recovered = ring is not None and any(e.action == "recovered" for e in ring.ledger.entries)
        restored = isinstance(fleet.world.witness, Unwatched) and not recovered
        return fleet.limits is LIMITS and not (restored or frozen)


@cache
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
            Bound(10, Left(delays=2), 12_000),
            Bound(19, Left(delays=2), 150_000),
            whole=True,
        )
        yield Course(
            f"{name}, with a fault",
            start,
            1,
            Bound(10, Left(faults=1, delays=0), 6_000),
            Bound(19, Left(faults=1, delays=0), 150_000),
            whole=True,
        )


def _fleets() -> Iterator[Course]:
    """Three schedulers at once, from the start and from the middle of a life."""
    yield Course(
        "three from the start",
        _grown,
        3,
        Bound(5, Left(1, delays=1, overlaps=1), 5_000),
        Bound(6, Left(1, overlaps=3), 50_000),
    )
    yield Course(
        "three at a rotation",
        due,
        3,
        Bound(2, Left(1, overlaps=1), 5_000),
        Bound(3, Left(1, overlaps=2), 50_000),
    )
    yield Course(
        "two at a rotation",
        due,
        2,
        Bound(2, Left(delays=0), 14_000),
        Bound(3, Left(delays=2), 50_000),
    )
    yield Course(
        "two at a rotation, two faults",
        due,
        2,
        Bound(2, Left(2, overlaps=1), 5_000),
        Bound(2, Left(2, overlaps=2), 50_000),
    )
    yield Course(
        "three while a key retires",
        midway,
        3,
        Bound(4, Left(1, overlaps=1), 5_000),
        Bound(4, Left(1, overlaps=3), 50_000),
    )


def _operators() -> Iterator[Course]:
    """An operator beside the schedulers."""
    yield Course(
        "an operator",
        midway,
        1,
        Bound(4, Left(commands=1, idle=1, delays=0, overlaps=0), 8_000),
        Bound(5, Left(commands=1, faults=1, idle=1, delays=1, overlaps=1), 50_000),
        every_command,
    )
    yield Course(
        "two commands",
        due,
        1,
        Bound(3, Left(commands=2, delays=0, overlaps=0), 8_000),
        Bound(3, Left(commands=2), 50_000),
        every_command,
    )
    revoked = only("revoke a signing key", "roll back")
    yield Course(
        "a revocation among three",
        due,
        3,
        Bound(6, Left(commands=1, delays=0, overlaps=1), 10_000),
        Bound(8, Left(commands=1, faults=1, delays=1, overlaps=1), 50_000),
        revoked,
    )
    yield Course(
        "revoked until nothing signs",
        lambda: midway().run(command.Revoke(active(midway()), "leaked")).alone(),
        1,
        Bound(5, Left(commands=1, delays=1, overlaps=0), 10_000),
        Bound(9, Left(commands=2, delays=1), 50_000),
        only("revoke a signing key", "roll back"),
    )
    yield Course(
        "a secret revoked",
        partial(due, "HS256"),
        2,
        Bound(6, Left(commands=1, delays=0, overlaps=1), 8_000),
        Bound(8, Left(commands=1, faults=1, delays=1, overlaps=1), 50_000),
        only("revoke a signing key", "rotate"),
    )
    yield Course(
        "policies up and down",
        lambda: midway().run(every_command(midway())["a slower policy"]).alone(),
        1,
        Bound(12, Left(commands=1, delays=0, overlaps=0), 8_000),
        Bound(9, Left(commands=2, delays=1), 50_000),
        only("a slower policy", "a quicker policy"),
    )
    yield Course(
        "a quicker policy while nothing signs",
        hurried,
        1,
        Bound(7, Left(commands=1, delays=0, overlaps=0), 8_000),
        Bound(8, Left(commands=1, delays=2), 50_000),
        only("a quicker policy"),
    )
    yield Course(
        "an operator over a write that sleeps",
        sleeping,
        1,
        Bound(2, Left(commands=1, faults=1, delays=0, overlaps=0), 8_000),
        Bound(4, Left(commands=2, faults=1, delays=1), 50_000),
        only("rotate in an emergency", "roll back", "revoke a signing key"),
    )
    yield Course(
        "a migration with a delay",
        midway,
        1,
        Bound(8, Left(commands=1, delays=1, overlaps=0), 8_000),
        Bound(8, Left(commands=1, delays=1, faults=1), 50_000),
        only("migrate"),
    )
    yield Course(
        "a migration",
        midway,
        1,
        Bound(8, Left(commands=2, delays=0, overlaps=0), 10_000),
        Bound(9, Left(commands=2, faults=1, delays=1), 50_000),
        only("migrate", "migrate and wait for a word", "give the migration up"),
    )
    yield Course(
        "a full store",
        midway,
        1,
        Bound(3, Left(commands=1, delays=1), 4_000),
        Bound(5, Left(commands=1, delays=3), 40_000),
        only("revoke a signing key"),
        limits=_nearly_full,
    )


def _assumptions() -> Iterator[Course]:
    """What stores and machines may do: clocks apart, reads that are late, documents from a backup."""
    yield Course(
        "clocks apart",
        lambda: migrating(turned(created(skewed_policy(), skew=TICK), 1)),
        2,
        Bound(8, Left(steps=2, delays=0, overlaps=0), 10_000),
        Bound(15, Left(steps=2, delays=1, overlaps=1), 50_000),
        skew=TICK,
    )
    yield Course(
        "stale reads",
        lambda: migrating(turned(created(grid_policy(rotate_every="6s"), staleness=TICK), 1)),
        2,
        Bound(7, Left(delays=0, overlaps=0), 10_000),
        Bound(9, Left(delays=1, overlaps=1), 50_000),
    )
    yield Course(
        "a restored store",
        withdrawn,
        1,
        Bound(5, Left(commands=1, restores=1, faults=1, delays=0, overlaps=0), 10_000),
        Bound(7, Left(commands=1, restores=1, faults=1, delays=1), 50_000),
        recovering,
        backup=midway,
    )
    yield Course(
        "a restored secret",
        partial(withdrawn, "HS256"),
        1,
        Bound(5, Left(commands=1, restores=1, delays=0, overlaps=0), 10_000),
        Bound(7, Left(commands=1, restores=1, faults=1, delays=1), 40_000),
        recovering,
        backup=partial(midway, "HS256"),
    )

"""What is going to disturb a world: outages, full stores, visits of operators, restarts, restores."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from keyvault_jwt.clock import Instant
from keyvault_jwt.store import DocumentKind, DocumentName, Limits
from tests.simulation.drawn_policy import AMPLE, log_uniform
from tests.simulation.ring import Ring
from tests.simulation.simulated_world import START, SimulatedWorld

_ROUTINE_SHARE: Final = 0.75
_MANY: Final = 10
"""From so many keyrings on each of them is looked at less."""


def plan_troubles(world: SimulatedWorld) -> None:
    """Put down everything that is going to happen between now and the end of the disturbances."""
    first = world.rings[0].policy.timing(0).rotate_every
    # A long life has as much trouble as many short ones, one after another.
    lives = 1 + min((world.site.end - START) // first, 2_000) // 4
    _repeat(world, (0, 0, 0, 1, 3), lives, _outage)
    _repeat(world, (0, 0, 0, 1), lives, _full_store)
    _repeat(world, (0, 1, 2, 4), lives, _visit)
    _repeat(world, (0, 0, 0, 0, 1, 2), lives, _restore)
    _repeat(world, (0, 0, 1, 2), lives, _restart)
    for ring in world.rings:
        for _ in range(3 if len(world.rings) < _MANY else 1):
            world.agenda.at(_some_time(world), world.fleets[ring.name].issue)


def _repeat(
    world: SimulatedWorld, times: tuple[int, ...], lives: int, trouble: Callable[[SimulatedWorld, Ring], None]
) -> None:
    for _ in range(world.dice.choice(times) * lives):
        trouble(world, world.dice.choice(world.rings))


def _some_time(world: SimulatedWorld) -> Instant:
    return world.dice.randrange(START, world.site.end)


def _outage(world: SimulatedWorld, ring: Ring) -> None:
    """Cut the store off: for a moment, or for longer than every lease."""
    begin = _some_time(world)
    world.site.happened("fault: an outage")
    world.store.outages.append((begin, begin + log_uniform(world.dice, 1, max(2, 4 * ring.scale))))


def _full_store(world: SimulatedWorld, ring: Ring) -> None:
    begin = _some_time(world)
    end = begin + log_uniform(world.dice, 1, max(2, 2 * ring.scale))
    world.agenda.at(begin, partial(_fill, world, ring))
    world.agenda.at(end, partial(_empty, ring))


def _fill(world: SimulatedWorld, ring: Ring) -> None:
    """Leave room for nothing but what is urgent."""
    found = world.store.read(DocumentName(ring.name, DocumentKind.AUTHORITY))
    if found is not None and not ring.quiet:
        world.site.happened("fault: a store nearly full")
        world.story.tell("store", f"{ring.name}: is nearly full")
        ring.limits = Limits(document_bytes=int(len(found.draft.data) / _ROUTINE_SHARE))


def _empty(ring: Ring) -> None:
    ring.limits = AMPLE


def _visit(world: SimulatedWorld, ring: Ring) -> None:
    world.operators.at(_some_time(world), ring)


def _restore(world: SimulatedWorld, ring: Ring) -> None:
    backup = _some_time(world)
    world.disasters.plan(ring, backup, world.dice.randrange(backup, world.site.end))


def _restart(world: SimulatedWorld, ring: Ring) -> None:
    world.agenda.at(_some_time(world), world.fleets[ring.name].restart)

"""Depth-first search over worlds: every order of steps, with a budget of faults and of time.

Worlds that are the same are visited once, so interleavings that commute cost nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from keyvault_jwt.clock import Milliseconds
from tests.model.world import World


@dataclass(frozen=True, slots=True)
class Budget:
    """How much may go wrong on one path, and how time may pass on it."""

    faults: int = 0
    ticks: tuple[Milliseconds, ...] = ()
    kinds: frozenset[str] | None = None

    def allows(self, kind: str) -> bool:
        """Whether a kind of fault is part of the search."""
        return self.faults > 0 and (self.kinds is None or kind in self.kinds)

    def less_fault(self) -> Budget:
        """Return the budget after one fault."""
        return Budget(self.faults - 1, self.ticks, self.kinds)

    def less_tick(self) -> Budget:
        """Return the budget after its first tick."""
        return Budget(self.faults, self.ticks[1:], self.kinds)


@dataclass(slots=True)
class Explored:
    """What a search went through."""

    worlds: int = 0
    ends: list[World] = field(default_factory=list)


def explore(world: World, budget: Budget, at_end: Callable[[World], None]) -> Explored:
    """Visit every world that can follow and hand each one in which all passes are over to `at_end`.

    A failure tells the path that leads to it.
    """
    explored, visited = Explored(), set()
    stack: list[tuple[World, Budget, tuple[str, ...]]] = [(world, budget, ())]
    while stack:
        here, left, path = stack.pop()
        mark = (hash(here.key), left.faults, len(left.ticks))
        if mark in visited:
            continue
        visited.add(mark)
        explored.worlds += 1
        try:
            if not any(True for _ in here.running()):
                explored.ends.append(here)
                at_end(here)
            stack.extend(
                (there, budget_left, (*path, what)) for what, there, budget_left in _next(here, left)
            )
        except Exception as failure:
            failure.add_note("path: " + " > ".join(path))
            raise
    return explored


def _next(world: World, budget: Budget) -> Iterator[tuple[str, World, Budget]]:
    for index in world.running():
        call = type(world.passes[index].attempt.call).__name__
        name = getattr(getattr(world.passes[index].attempt.call, "name", None), "kind", "")
        what = f"{world.passes[index].number}:{call} {name}".strip()
        yield what, world.step(index), budget
        if budget.faults:
            for kind, there in world.faults(index):
                if budget.allows(kind):
                    yield f"{what} ({kind})", there, budget.less_fault()
    for what, there in world.late_landings():
        yield what, there, budget
    if budget.ticks and any(True for _ in world.running()):
        yield f"{budget.ticks[0]} ms pass", world.later(budget.ticks[0]), budget.less_tick()

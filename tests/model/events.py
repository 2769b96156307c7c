"""What can happen next in a fleet, one event at a time, each told as a person would."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeAlias

from keyvault_jwt.calls import Generate, Read, Wait, Write
from keyvault_jwt.clock import Milliseconds
from keyvault_jwt.decision import Command
from keyvault_jwt.store import DocumentName, Versioned
from tests.model.fleet import Fleet, Machine
from tests.model.scenes import RECONCILE
from tests.model.world import FAULTS, Pass, World

Event: TypeAlias = tuple[str, Callable[[], Fleet]]
"""What happens, and the fleet after it; making that fleet fails where a rule is broken."""

_FAULTS = tuple(kind for kind in FAULTS if kind != "stale")
Commands: TypeAlias = Callable[[World], dict[str, Command]]
"""The operator's commands that mean something in a world, by name."""


def events(fleet: Fleet, commands: Commands, tick: Milliseconds) -> Iterator[Event]:
    """Yield everything that can happen next."""
    for index, each in enumerate(fleet.world.passes):
        if not _waits(each, fleet.world.now):
            yield from _called(fleet, index, each)
    for at, write in enumerate(fleet.world.in_flight):
        yield f"a delayed write of {write.name.kind} arrives", _arrived(fleet, at)
    if fleet.may_begin:
        for machine in fleet.idle():
            yield from _begins(fleet, machine)
    if fleet.may_begin and fleet.left.commands and fleet.operator is not None and fleet.keyring is not None:
        yield from _commanded(fleet, fleet.operator, commands)
    if fleet.left.steps:
        yield from _clock_steps(fleet)
    if fleet.left.restores and fleet.backup is not None:
        yield from _restored(fleet)
    if (later := fleet.later(tick)) is not None:
        yield f"{tick} ms pass", later.looked


def _waits(each: Pass, now: int) -> bool:
    call = each.attempt.call
    return isinstance(call, Wait) and now - each.asked < call.duration


def _arrived(fleet: Fleet, at: int) -> Callable[[], Fleet]:
    return lambda: fleet.moved(fleet.world.arrived(at))


def _called(fleet: Fleet, index: int, each: Pass) -> Iterator[Event]:
    """Yield the true answer to a pass's call, and every false one that the faults left allow."""
    call, world = each.attempt.call, fleet.world
    name = f" {call.name.kind}" if isinstance(call, Read | Write) else ""
    what = f"{each.who}: {type(call).__name__.lower()}{name}"
    if isinstance(call, Wait):
        yield f"{each.who} has waited", lambda: fleet.moved(world.answer(index, None))
        return
    yield what, lambda: fleet.moved(_with_key(world.step(index), index))
    if isinstance(call, Read):
        for older in {
            s for s in world.store.read_any(call.name, world.now) if s != world.store.read(call.name)
        }:
            yield f"{what}, and it is stale", _answered(fleet, index, older)
    if fleet.left.faults:
        fewer = replace(fleet, left=replace(fleet.left, faults=fleet.left.faults - 1))
        for fault in _FAULTS:
            if (happened := _faulty(fewer, index, fault)) is not None:
                yield f"{what}: {fault}", happened


def _answered(fleet: Fleet, index: int, shown: Versioned | None) -> Callable[[], Fleet]:
    return lambda: fleet.moved(fleet.world.answer(index, shown))


def _faulty(fleet: Fleet, index: int, fault: str) -> Callable[[], Fleet] | None:
    call = fleet.world.passes[index].attempt.call
    if isinstance(call, Read) and fault not in {"crash", "unavailable"}:
        return None

    def happened() -> Fleet:
        # A write that would not land anyway can't lose its answer: then all it can do is crash.
        return fleet.moved(fleet.world.fault(index, fault) or fleet.world.crash(index))

    return happened


def _with_key(world: World, index: int) -> World:
    """Let a pass make the keys it asks for at once: nobody else can see that."""
    while isinstance(world.passes[index].attempt.call, Generate):
        world = world.step(index)
    return world


def _begins(fleet: Fleet, machine: Machine) -> Iterator[Event]:
    if fleet.due(machine):
        yield f"{machine.name} begins a pass", lambda: fleet.begun(machine, RECONCILE)
    elif fleet.left.idle:
        spent = replace(fleet, left=replace(fleet.left, idle=fleet.left.idle - 1))
        yield f"{machine.name} begins a pass with nothing due", lambda: spent.begun(machine, RECONCILE)

    if fleet.left.faults and fleet.backup is not None and machine.mark is not None:
        fewer = replace(fleet, left=replace(fleet.left, faults=fleet.left.faults - 1))
        forgetful = replace(machine, mark=None)
        yield f"{machine.name} starts anew without its mark", lambda: fewer.begun(forgetful, RECONCILE)


def _commanded(fleet: Fleet, operator: Machine, commands: Commands) -> Iterator[Event]:
    spent = replace(fleet, left=replace(fleet.left, commands=fleet.left.commands - 1))
    for name, command in commands(fleet.world).items():
        yield f"the operator asks: {name}", _asked(spent, operator, command)


def _asked(fleet: Fleet, operator: Machine, command: Command) -> Callable[[], Fleet]:
    return lambda: fleet.begun(operator, command)


def _clock_steps(fleet: Fleet) -> Iterator[Event]:
    left = replace(fleet.left, steps=fleet.left.steps - 1)
    for at, machine in enumerate(fleet.machines):
        ahead = fleet.skew - machine.ahead
        machines = (*fleet.machines[:at], replace(machine, ahead=ahead), *fleet.machines[at + 1 :])
        passes = tuple(replace(p, ahead=ahead) if p.who == machine.name else p for p in fleet.world.passes)
        stepped = replace(fleet, machines=machines, left=left, world=replace(fleet.world, passes=passes))
        told = f"the clock of {machine.name} steps {'forward' if ahead else 'back'} by {fleet.skew} ms"
        yield told, stepped.looked


def _restored(fleet: Fleet) -> Iterator[Event]:
    """Yield each restore, while nothing runs and every reader saw the present: only then can they tell."""
    crowd = fleet.crowd
    if not fleet.quiet or max(len(crowd.signers), len(crowd.publishers), len(crowd.copies)) > 1:
        return
    for name in sorted(fleet.world.store.documents):
        yield f"{name.kind} is restored to an old copy", _undone(fleet, name)
    yield "every document is restored to an old copy", _undone(fleet)


def _undone(fleet: Fleet, *names: DocumentName) -> Callable[[], Fleet]:
    return lambda: fleet.restored(*names)

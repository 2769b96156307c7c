"""Breadth-first search over fleets: the first way that is found to break a promise is a shortest one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from keyvault_jwt.clock import Milliseconds
from tests.model.events import Commands, events
from tests.model.exercised import happened
from tests.model.fleet import Fleet
from tests.model.life import lived_on
from tests.model.properties import require_readers


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken promise, and the shortest way that leads to it."""

    what: str
    story: tuple[str, ...]


@dataclass(slots=True)
class Found:
    """What a search went through: distinct states by their hash, what happened, what broke."""

    states: set[int] = field(default_factory=set)
    happened: set[str] = field(default_factory=set)
    futures: int = 0
    whole: bool = False
    violation: Violation | None = None


@dataclass(slots=True)
class Search:
    """One search from one fleet: `most` points at most, and of quiet states every `sample`th is lived on."""

    start: Fleet
    commands: Commands
    tick: Milliseconds
    most: int
    sample: int = 64
    lives: Callable[[Fleet], bool] = lambda fleet: True
    found: Found = field(default_factory=Found)
    _came: dict[int, tuple[int, str, Milliseconds]] = field(default_factory=dict)
    _futures: set[int] = field(default_factory=set)

    def run(self) -> Found:
        """Return what was found: the first violation ends the search."""
        start = self.start
        self._came[start.key] = (0, "", start.world.now)
        waiting = deque([start])
        while waiting:
            here = waiting.popleft()
            if not self._visit(here):
                return self.found
            for told, there in self._next(here):
                if self.found.violation is not None:
                    return self.found
                key = there.key
                if key not in self._came:
                    self._came[key] = (here.key, told, here.world.now)
                    waiting.append(there)
            if len(self._came) >= self.most:
                self.found.states.update(hash(fleet.state) for fleet in waiting)
                return self.found
        self.found.whole = True
        return self.found

    def _visit(self, here: Fleet) -> bool:
        state = hash(here.state)
        if state in self.found.states:
            return True
        self.found.states.add(state)
        if here.quiet and (here is self.start or state % self.sample == 0) and self.lives(here):
            return self._lived(here)
        return True

    def _lived(self, here: Fleet) -> bool:
        """Let a quiet fleet live on without faults: what is due must come to pass."""
        mark = hash((here.world.store.mark, here.world.now))
        if mark in self._futures:
            return True
        self._futures.add(mark)
        try:
            future = lived_on(here.world)
            require_readers(here.crowd, future)
        except Exception as failure:
            told = f"nothing goes wrong any more, and yet: {_said(failure)}"
            self.found.violation = Violation(told, self._story(here.key, "nothing more goes wrong", here))
            return False
        self.found.futures += 1
        self.found.happened.add("liveness: a future without faults")
        return True

    def _next(self, here: Fleet) -> Iterator[tuple[str, Fleet]]:
        for told, follows in events(here, self.commands, self.tick):
            try:
                there = follows()
            except AssertionError as failure:
                self.found.violation = Violation(_said(failure), self._story(here.key, told, here))
                return
            self.found.happened.update(happened(here, there, told))
            yield told, there

    def _story(self, key: int, last: str, here: Fleet) -> tuple[str, ...]:
        lines = [(here.world.now, last)]
        while key in self._came and self._came[key][1]:
            key, told, at = self._came[key]
            lines.append((at, told))
        begun = self.start.world.now
        return tuple(f"{(at - begun) / 1000:6.1f} s  {told}" for at, told in reversed(lines))


def _said(failure: BaseException) -> str:
    return str(failure) or type(failure).__name__

"""Breadth-first search over fleets: the first way that is found to break a promise is a shortest one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from traceback import extract_tb

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
    commits: int = 0
    seconds: float = 0
    whole: bool = False
    violation: Violation | None = None


@dataclass(slots=True)
class Search:
    """One search from one fleet: `most` points at most; of the quiet states found, `futures` are lived on."""

    start: Fleet
    commands: Commands
    tick: Milliseconds
    most: int
    futures: int = 64
    lives: Callable[[Fleet], bool] = lambda fleet: True
    found: Found = field(default_factory=Found)
    _came: dict[int, tuple[int, str, Milliseconds]] = field(default_factory=dict)
    _quiet: dict[int, Fleet] = field(default_factory=dict)

    def run(self) -> Found:
        """Return what was found: the first violation ends the search."""
        self._explore()
        quiet = list(self._quiet.values())
        step = max(1, len(quiet) // self.futures)
        for fleet in quiet[::step]:
            if self.found.violation is None:
                self._live_on(fleet)
        return self.found

    def _explore(self) -> None:
        start = self.start
        self._came[start.key] = (0, "", start.world.now)
        waiting = deque([start])
        while waiting and len(self._came) < self.most:
            here = waiting.popleft()
            self._visit(here)
            for told, there in self._next(here):
                key = there.key
                if key not in self._came:
                    self._came[key] = (here.key, told, here.world.now)
                    waiting.append(there)
            if self.found.violation is not None:
                return
        self.found.whole = not waiting
        for fleet in waiting:
            self._visit(fleet)

    def _visit(self, here: Fleet) -> None:
        self.found.states.add(hash(here.state))
        self.found.seconds = max(self.found.seconds, (here.world.now - self.start.world.now) / 1000)
        if here.keyring is not None and self.start.keyring is not None:
            commits = here.keyring.revision - self.start.keyring.revision
            self.found.commits = max(self.found.commits, commits)
        if here.quiet and self.lives(here):
            self._quiet.setdefault(hash((here.world.store.mark, here.world.now, here.machines[0].mark)), here)

    def _live_on(self, here: Fleet) -> None:
        """Let a quiet fleet live on without faults: what is due must come to pass."""
        try:
            future = lived_on(here.world, mark=here.machines[0].mark)
            require_readers(here.crowd, future)
        except Exception as failure:
            told = f"nothing goes wrong any more, and yet: {_said(failure)}"
            self.found.violation = Violation(told, self._story(here.key, "nothing more goes wrong", here))
            return
        self.found.futures += 1
        self.found.happened.add("liveness: a future without faults")

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
    """Return what failed; a failure that is not one of these checks' own is said to be none."""
    said = str(failure) or type(failure).__name__
    where = extract_tb(failure.__traceback__)[-1].filename
    return said if "tests" in Path(where).parts else f"the code itself gave up: {said}"

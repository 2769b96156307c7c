"""The proof of one lifecycle command: disturbed at any step, it converges and loses nothing."""

from __future__ import annotations

import os
import signal
import traceback
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace

from keyvault_jwt.clock import Instant
from keyvault_jwt.errors import KeyringExists, KeyringFrozen, KeyvaultJWTError
from keyvault_jwt.store import DocumentName, Draft
from keyvault_jwt.testing.fake_clock import START
from tests.failpoints.lifecycle import LIFECYCLE, Lifecycle
from tests.failpoints.machine import Landed, Machine
from tests.failpoints.site import STORE, TARGET, Documents, Site
from tests.failpoints.surface import AUTHORITY, Shape, check_derived, keyring_in, live_on, shape_of
from tests.failpoints.trap import Point, Trap
from tests.model.model_store import RING
from tests.model.unwatched import Unwatched
from tests.model.witness import Witness

SCENE, DISTURBED, RESTARTED = 0, 1, 2
"""The seeds of the three processes: who made the scene, who is disturbed, who comes after."""


@dataclass(frozen=True)
class State:
    """What is there after so many writes of the command, and what a witness has seen by then."""

    documents: Documents
    witness: Witness
    step: int = -1
    """The number of the step by which it came about."""


@dataclass(frozen=True)
class Left:
    """How a disturbed command ended (`killed`, `done` or an error's code), and what it may have left."""

    ending: str
    possible: list[State]


class Proof:
    """One command with its scene at a site, ready to be disturbed at any of its `points`."""

    def __init__(self, name: str, site: Site) -> None:
        self.name, self.site = name, site
        self._life: Lifecycle = LIFECYCLE[name]
        self._lived: set[bytes] = set()
        self._now, witness = self._make_scene()
        self.states = [State(site.documents(), witness)]
        site.keep()
        site.restore()  # the points are counted where the others begin: without the scene's old versions
        self._was = keyring_in(self.states[0].documents, STORE)
        trap = Trap()
        with Machine(site, self._now, DISTURBED, trap=trap, landed=self._note(trap)) as machine:
            self._run(machine)
        self.points = trap.points()
        self._wanted: tuple[Shape | None, ...] = ()
        self._wanted = self._converged(self.states[-1].witness)

    # --- disturbing it ---------------------------------------------------------------------------

    def kill(self, point: Point) -> Left:
        """Kill the command's process at the point, and return what it must have left."""

        def die(here: Point) -> None:
            os.write(pipe[1], here.name.encode())
            os.kill(os.getpid(), signal.SIGKILL)

        self.site.restore()
        pipe = os.pipe()
        told, status = self.disturbed(Trap(point, die), pipe)
        assert os.WIFSIGNALED(status), f"it was not killed, but said {told}"
        assert os.WTERMSIG(status) == signal.SIGKILL, f"it died of signal {os.WTERMSIG(status)}"
        assert told == point.name, f"it was killed at {told}"
        landed = self.landed_by(point)
        return Left("killed", self.states[landed - 1 : landed])

    def converge(self, left: Left) -> None:
        """Check that what was left is there, repeat the command, and compare where it ends."""
        ended = self._converged(self._found(left.possible).witness)
        for found, wanted in zip(ended, self._wanted, strict=True):
            assert found == wanted, f"it converged to another state:\n{found}\ninstead of\n{wanted}"

    def disturbed(self, trap: Trap, pipe: tuple[int, int]) -> tuple[str, int]:
        """Run the command in a child with a trap; return what it told, and how it ended."""
        child = os.fork()
        if child == 0:
            status = 1
            try:
                os.close(pipe[0])
                os.write(pipe[1], self._ending(trap).encode())
                status = 0
            except BaseException:
                os.write(pipe[1], traceback.format_exc().encode())
            finally:
                os._exit(status)
        os.close(pipe[1])
        with os.fdopen(pipe[0], "rb") as told:
            text = told.read().decode()
        return text, os.waitpid(child, 0)[1]

    def _ending(self, trap: Trap) -> str:
        try:
            self._run(Machine(self.site, self._now, DISTURBED, trap=trap))
        except KeyvaultJWTError as error:
            return error.code
        return "done"

    def landed_by(self, point: Point) -> int:
        """Return how many states have come about when the point is reached."""
        reached = point.number + (point.moment == "after")
        return sum(state.step < reached for state in self.states)

    def _found(self, possible: list[State]) -> State:
        """Return the state that is there, which must be one of these: every document old or new."""
        there = self.site.documents()
        for state in possible:
            if state.documents == there:
                return state
        names = {f"{place} {name} at {draft.revision}" for (place, name), draft in there.items()}
        raise AssertionError(f"no write of the command left what is there: {sorted(names)}")

    # --- converging --------------------------------------------------------------------------------

    def _converged(self, witness: Witness) -> tuple[Shape | None, ...]:
        """Repeat the command in a new process' shoes until nothing is left to do; return the shapes."""
        seen = [witness]

        def landed(place: str, name: DocumentName, draft: Draft, now: Instant) -> None:
            if place == STORE:
                seen[0] = seen[0].landed(name, draft, now)

        with Machine(self.site, self._now, RESTARTED, landed=landed) as machine:
            if self._wanted:
                # Who repeats it may learn that the keyring was made after all.
                with suppress(KeyringExists) if self._life.founds else nullcontext():
                    self._run(machine)
            self._rest(machine)
        there, aside = self.site.documents(), self.site.leftovers()
        assert not aside, f"left aside: {aside}"
        for place in (STORE, TARGET):
            check_derived(there, place)
        self._live_on(there, seen[0])
        history = not self._life.detours
        return tuple(shape_of(keyring_in(there, place), history=history) for place in (STORE, TARGET))

    def _rest(self, machine: Machine) -> None:
        """Reconcile until a pass finds nothing to do."""
        manager = machine.target if self._life.moves else machine.manager
        for _ in range(4):
            try:
                if manager.reconcile(RING).commits == 0:
                    return
            except KeyringFrozen:
                return
        raise AssertionError("it does not come to rest")

    def _live_on(self, there: Documents, witness: Witness) -> None:
        place = TARGET if self._life.moves else STORE
        keyring = keyring_in(there, place)
        assert keyring is not None, "the keyring is lost"
        data = there[place, AUTHORITY].data
        if keyring.frozen_to is not None or data in self._lived:
            return
        if self._life.moves or self._life.rewrites:
            witness = replace(Unwatched(0), latest=keyring)
        live_on(there, place, witness, self._now)
        self._lived.add(data)

    # --- the undisturbed run -----------------------------------------------------------------------

    def _make_scene(self) -> tuple[Instant, Witness]:
        witness: list[Witness] = [Witness(0)]

        def landed(place: str, name: DocumentName, draft: Draft, now: Instant) -> None:
            witness[0] = witness[0].landed(name, draft, now)

        with Machine(self.site, START, SCENE, landed=landed) as machine:
            self._life.scene(machine)
        return machine.clock.wall(), Unwatched(0) if self._life.rewrites else witness[0]

    def _note(self, trap: Trap) -> Landed:
        """Return a listener that adds the state after each write of the undisturbed run."""

        def landed(place: str, name: DocumentName, draft: Draft, now: Instant) -> None:
            last = self.states[-1]
            documents = {**last.documents, (place, name): draft}
            witness = last.witness.landed(name, draft, now) if place == STORE else last.witness
            landing = max(n for n, call in enumerate(trap.calls) if self.site.lands(*call))
            self.states.append(State(documents, witness, landing))

        return landed

    def _run(self, machine: Machine) -> object:
        return self._life.run(machine, self._was)

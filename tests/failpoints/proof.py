"""The proof of one lifecycle command: disturbed at any system call, it converges and loses nothing."""

from __future__ import annotations

import os
import shutil
import signal
import traceback
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from keyvault_jwt.clock import Instant
from keyvault_jwt.errors import KeyringExists, KeyringFrozen, KeyvaultJWTError
from keyvault_jwt.store import DocumentName, Draft
from keyvault_jwt.testing.fake_clock import START
from tests.failpoints.lifecycle import LIFECYCLE, Lifecycle
from tests.failpoints.machine import STORE, TARGET, Landed, Machine
from tests.failpoints.small_disk import SmallDisk
from tests.failpoints.surface import (
    AUTHORITY,
    Documents,
    Shape,
    check_derived,
    documents_on,
    keyring_in,
    leftovers,
    live_on,
    shape_of,
)
from tests.failpoints.trap import Point, Trap
from tests.model.model_store import RING
from tests.model.witness import Unwatched, Witness

SCENE, DISTURBED, RESTARTED = 0, 1, 2
"""The seeds of the three processes: who made the scene, who is disturbed, who comes after."""


@dataclass(frozen=True)
class State:
    """What is on disk after so many writes of the command, and what a witness has seen by then."""

    documents: Documents
    witness: Witness
    rename: int = -1
    """The number of the system call by which it came about."""


@dataclass(frozen=True)
class Left:
    """How a disturbed command ended (`killed`, `done` or an error's code), and what it may have left."""

    ending: str
    possible: list[State]


class Proof:
    """One command with its scene on a disk, ready to be disturbed at any of its `points`."""

    def __init__(self, name: str, folder: Path, disk: SmallDisk) -> None:
        self.name, self._disk = name, disk
        self._life: Lifecycle = LIFECYCLE[name]
        self._start = folder / "start"
        self._lived: set[bytes] = set()
        self._now, witness = self._make_scene()
        self._was = keyring_in(documents_on(disk.folder), STORE)
        shutil.copytree(disk.folder, self._start)
        self._states = [State(documents_on(disk.folder), witness)]
        trap = Trap()
        self._run(Machine(disk.folder, self._now, DISTURBED, trap=trap, landed=self._note(trap)))
        self.points = trap.points()
        self._wanted: tuple[Shape | None, ...] = ()
        self._wanted = self._converged(self._states[-1].witness)

    # --- disturbing it ---------------------------------------------------------------------------

    def kill(self, point: Point) -> Left:
        """Kill the command's process at the point, and return what it must have left."""

        def die(here: Point) -> None:
            os.write(pipe[1], here.name.encode())
            os.kill(os.getpid(), signal.SIGKILL)

        self._restore()
        pipe = os.pipe()
        told, status = self._disturbed(Trap(point, die), pipe)
        assert os.WIFSIGNALED(status), f"it was not killed, but said {told}"
        assert os.WTERMSIG(status) == signal.SIGKILL, f"it died of signal {os.WTERMSIG(status)}"
        assert told == point.name, f"it was killed at {told}"
        landed = self._landed_by(point)
        return Left("killed", self._states[landed - 1 : landed])

    def fill(self, point: Point) -> Left:
        """Fill the disk at the point, see the command end in order, and return what it may have left."""

        def fill(here: Point) -> None:
            os.write(pipe[1], here.name.encode() + b"\n")
            self._disk.fill()

        self._restore()
        pipe = os.pipe()
        told, status = self._disturbed(Trap(point, fill), pipe)
        where, _, ending = told.partition("\n")
        assert where == point.name, f"the disk was filled at {where}"
        assert os.waitstatus_to_exitcode(status) == 0, f"the command broke: {ending}"
        self._disk.make_room()
        landed = len(self._states) if ending == "done" else self._landed_by(point)
        return Left(ending, self._states[landed - 1 :])

    def converge(self, left: Left) -> None:
        """Check that the disk holds what was left, repeat the command, and compare where it ends."""
        ended = self._converged(self._found(left.possible).witness)
        for found, wanted in zip(ended, self._wanted, strict=True):
            assert found == wanted, f"it converged to another state:\n{found}\ninstead of\n{wanted}"

    def _disturbed(self, trap: Trap, pipe: tuple[int, int]) -> tuple[str, int]:
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
            self._run(Machine(self._disk.folder, self._now, DISTURBED, trap=trap))
        except KeyvaultJWTError as error:
            return error.code
        return "done"

    def _landed_by(self, point: Point) -> int:
        """Return how many states have come about when the point is reached."""
        reached = point.number + (point.moment == "after")
        return sum(state.rename < reached for state in self._states)

    def _found(self, possible: list[State]) -> State:
        """Return the state that is on disk, which must be one of these: every document old or new."""
        there = documents_on(self._disk.folder)
        for state in possible:
            if state.documents == there:
                return state
        names = {f"{place} {name} at {draft.revision}" for (place, name), draft in there.items()}
        raise AssertionError(f"the disk holds what no write of the command left: {sorted(names)}")

    # --- converging --------------------------------------------------------------------------------

    def _converged(self, witness: Witness) -> tuple[Shape | None, ...]:
        """Repeat the command in a new process' shoes until nothing is left to do; return the shapes."""
        seen = [witness]

        def landed(place: str, name: DocumentName, draft: Draft, now: Instant) -> None:
            if place == STORE:
                seen[0] = seen[0].landed(name, draft, now)

        machine = Machine(self._disk.folder, self._now, RESTARTED, landed=landed)
        if not self._wanted:
            self._rest(machine)
        else:
            # Who repeats it may learn that the keyring was made after all.
            with suppress(KeyringExists) if self._life.founds else nullcontext():
                self._run(machine)
            self._rest(machine)
        there = documents_on(self._disk.folder)
        assert not leftovers(self._disk.folder), f"left aside: {leftovers(self._disk.folder)}"
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

        machine = Machine(self._disk.folder, START, SCENE, landed=landed)
        self._life.scene(machine)
        return machine.clock.wall(), Unwatched(0) if self._life.rewrites else witness[0]

    def _note(self, trap: Trap) -> Landed:
        """Return a listener that adds the state after each write of the undisturbed run."""

        def landed(place: str, name: DocumentName, draft: Draft, now: Instant) -> None:
            last = self._states[-1]
            documents = {**last.documents, (place, name): draft}
            witness = last.witness.landed(name, draft, now) if place == STORE else last.witness
            rename = max(n for n, (_, step) in enumerate(trap.calls) if step == "rename")
            self._states.append(State(documents, witness, rename))

        return landed

    def _run(self, machine: Machine) -> object:
        return self._life.run(machine, self._was)

    def _restore(self) -> None:
        """Put the disk back to where the command starts from."""
        for entry in self._disk.folder.iterdir():
            shutil.rmtree(entry)
        shutil.copytree(self._start, self._disk.folder, dirs_exist_ok=True)

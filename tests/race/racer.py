"""One of the processes that race: its own store object and manager, on the ground that all share."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier

from keyvault_jwt.clock import Instant
from keyvault_jwt.errors import Conflict, KeyvaultJWTError
from keyvault_jwt.key_manager import KeyManager
from keyvault_jwt.report import Report
from keyvault_jwt.store import DocumentStore
from keyvault_jwt.stores.mark_files import MarkFiles
from keyvault_jwt.testing.fake_clock import FakeClock
from tests.race.ground import Ground
from tests.race.notes import Notes, NotingStore

RING = "race"


@dataclass(frozen=True)
class Start:
    """A round: the instant that every clock shows, and the key that signs until somebody replaces it."""

    now: Instant
    signing: str


@dataclass(frozen=True)
class Finish:
    """What became of one racer's pass.

    `took`: the kids that its own answered writes made the signing one; `raced`: whether it found
    the rotation still due; `told`: the promotions that its report tells of; `signing`: the key
    that signs as it came to rest; `lost`: the error by which it gave up; `failure`: any other.
    """

    took: tuple[str, ...] = ()
    raced: bool = False
    told: tuple[str, ...] = ()
    signing: str = ""
    lost: str = ""
    failure: str = ""


def manager_on(store: DocumentStore, ground: Ground, clock: FakeClock) -> KeyManager:
    """Return a manager as every process of one machine has it: marks are shared, too."""
    marks = MarkFiles(ground.state, "race")
    return KeyManager(store, clock=clock, marks=marks, listener=lambda event: None)


def race(number: int, ground: Ground, line: Connection, barrier: Barrier) -> None:
    """Run a pass at each start until the line is closed: every other one by schedule, or by hand."""
    clock, notes = FakeClock(), Notes()
    manager = manager_on(NotingStore(ground.store(), notes), ground, clock)
    while True:
        try:
            start: Start = line.recv()
        except EOFError:
            return
        clock.advance(start.now - clock.wall())
        notes.begin(start.signing)
        barrier.wait()
        line.send(finish(manager, notes, start, by_hand=number % 2 == 1))


def finish(manager: KeyManager, notes: Notes, start: Start, *, by_hand: bool) -> Finish:
    """Run one pass and say what became of it."""
    try:
        report = manager.rotate(RING, replacing=start.signing) if by_hand else manager.reconcile(RING)
    except Conflict as lost:
        return Finish(tuple(notes.took), notes.raced, lost=f"{lost.code}: {lost}")
    except KeyvaultJWTError as error:
        return Finish(tuple(notes.took), notes.raced, failure=f"{error.code}: {error}")
    except Exception:
        return Finish(tuple(notes.took), notes.raced, failure=traceback.format_exc())
    return Finish(tuple(notes.took), notes.raced, _promotions(report), _signing(report))


def _promotions(report: Report) -> tuple[str, ...]:
    return tuple(entry.kid for entry in report.entries if entry.action == "promoted")


def _signing(report: Report) -> str:
    return "" if report.keyring.active is None else report.keyring.active.kid

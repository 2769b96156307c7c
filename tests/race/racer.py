"""One of the processes that race: its own store object and manager, on the folder that all share."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path

from keyvault_jwt import document
from keyvault_jwt.clock import Instant
from keyvault_jwt.errors import Conflict, KeyvaultJWTError
from keyvault_jwt.jwk import Secret
from keyvault_jwt.key_manager import KeyManager
from keyvault_jwt.report import Report
from keyvault_jwt.store import DocumentKind, DocumentName, Draft, Version, Versioned
from keyvault_jwt.stores.file import FileStore
from keyvault_jwt.stores.mark_files import MarkFiles
from keyvault_jwt.testing.fake_clock import FakeClock

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


class NotingStore(FileStore):
    """A file store that notes which of its own answered writes made another key the signing one."""

    def __init__(self, directory: Path, master_key: Secret) -> None:
        super().__init__(directory, master_key=master_key)
        self.begin("")

    def begin(self, signing: str) -> None:
        """Forget the last round; `signing` is the key to replace."""
        self._due, self._signing, self.raced, self.took = signing, "", False, list[str]()

    def read(self, name: DocumentName) -> Versioned | None:
        """Read, and note which key signs."""
        seen = super().read(name)
        if name.kind is DocumentKind.AUTHORITY and seen is not None:
            self._signing = _signing_in(name, seen.draft)
            self.raced |= self._signing == self._due
        return seen

    def replace(self, name: DocumentName, draft: Draft, *, expected: Version | None) -> Version:
        """Replace, and note."""
        version = super().replace(name, draft, expected=expected)
        if name.kind is DocumentKind.AUTHORITY:
            before, self._signing = self._signing, _signing_in(name, draft)
            self.took += [self._signing] if self._signing != before else []
        return version


def _signing_in(name: DocumentName, draft: Draft) -> str:
    active = document.decode_authority(name.ring, draft.data).active
    return "" if active is None else active.kid


def manager_on(store: FileStore, folder: Path, clock: FakeClock) -> KeyManager:
    """Return a manager as every process of one machine has it: marks are shared, too."""
    marks = MarkFiles(folder / "state", "race")
    return KeyManager(store, clock=clock, marks=marks, listener=lambda event: None)


def race(number: int, folder: Path, key: bytes, line: Connection, barrier: Barrier) -> None:
    """Run a pass at each start until the line is closed: every other one by schedule, or by hand."""
    clock = FakeClock()
    store = NotingStore(folder / "keys", Secret(key))
    manager = manager_on(store, folder, clock)
    while True:
        try:
            start: Start = line.recv()
        except EOFError:
            return
        clock.advance(start.now - clock.wall())
        store.begin(start.signing)
        barrier.wait()
        line.send(finish(manager, store, start, by_hand=number % 2 == 1))


def finish(manager: KeyManager, store: NotingStore, start: Start, *, by_hand: bool) -> Finish:
    """Run one pass and say what became of it."""
    try:
        report = manager.rotate(RING, replacing=start.signing) if by_hand else manager.reconcile(RING)
    except Conflict as lost:
        return Finish(tuple(store.took), store.raced, lost=f"{lost.code}: {lost}")
    except KeyvaultJWTError as error:
        return Finish(tuple(store.took), store.raced, failure=f"{error.code}: {error}")
    except Exception:
        return Finish(tuple(store.took), store.raced, failure=traceback.format_exc())
    return Finish(tuple(store.took), store.raced, _promotions(report), _signing(report))


def _promotions(report: Report) -> tuple[str, ...]:
    return tuple(entry.kid for entry in report.entries if entry.action == "promoted")


def _signing(report: Report) -> str:
    return "" if report.keyring.active is None else report.keyring.active.kid

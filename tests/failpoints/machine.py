"""One machine: its clock, its state, and managers whose steps to the outside are watched."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from types import TracebackType
from typing import Self
from uuid import UUID

from keyvault_jwt.clock import Instant, Milliseconds
from keyvault_jwt.key_manager import KeyManager
from keyvault_jwt.keyring import Keyring
from keyvault_jwt.report import Report
from keyvault_jwt.store import DocumentName, Draft
from keyvault_jwt.testing.fake_clock import FakeClock
from tests.failpoints.site import STORE, TARGET, Site
from tests.failpoints.trap import Trap
from tests.model.counted_keys import CountedKeys
from tests.model.model_store import RING

Landed = Callable[[str, DocumentName, Draft, Instant], None]


class Machine:
    """Managers over both stores of a site.

    `seed` sets its keys and write ids apart from those of every other process; `landed` hears
    of each write; `trap` hears of each step.
    """

    def __init__(
        self, site: Site, now: Instant, seed: int, *, trap: Trap | None = None, landed: Landed | None = None
    ) -> None:
        self.clock = FakeClock(now)
        self._site, self._trap, self._landed = site, trap or Trap(), landed
        self._keys, self._numbers = CountedKeys(seed * 1000), count(1)
        self._seed = seed
        self.managers = {place: self._manager(place) for place in (STORE, TARGET)}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for manager in self.managers.values():
            manager.close()

    @property
    def manager(self) -> KeyManager:
        """The manager of the store where the keyring lives at first."""
        return self.managers[STORE]

    @property
    def target(self) -> KeyManager:
        """The manager of the store that the keyring is copied to."""
        return self.managers[TARGET]

    @property
    def keyring(self) -> Keyring:
        """The keyring as its authority says."""
        return self.manager.keyring(RING)

    def later(self, by: Milliseconds) -> None:
        """Let time pass."""
        self.clock.advance(by)

    def reconcile(self) -> Report:
        """Run the pass that a scheduler would."""
        return self.manager.reconcile(RING)

    def put_back(self, name: DocumentName, draft: Draft) -> None:
        """Let a document of the first store be as it was once: nobody wrote it, and nobody is told."""
        landed, self._landed = self._landed, None
        there = self.manager.store.read(name)
        assert there is not None
        self.manager.store.replace(name, draft, expected=there.version)
        self._landed = landed

    def _manager(self, place: str) -> KeyManager:
        def told(name: DocumentName, draft: Draft) -> None:
            if self._landed is not None:
                self._landed(place, name, draft, self.clock.wall())

        store, marks = self._site.open(place, self._trap, told)
        return KeyManager(
            store,
            clock=self.clock,
            key_factory=self._keys,
            marks=marks,
            listener=lambda event: None,
            wait=lambda seconds: None,
            write_ids=lambda: UUID(int=(self._seed << 64) + next(self._numbers)),
        )

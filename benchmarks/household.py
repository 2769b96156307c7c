"""A keyring's household, and how many requests its care costs in whatever store it is kept."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeAlias

from keyvault_jwt.events import Event
from keyvault_jwt.key_manager import KeyManager
from keyvault_jwt.policy import RotationPolicy
from keyvault_jwt.report import Report
from keyvault_jwt.signer import Signer
from keyvault_jwt.store import DocumentStore
from keyvault_jwt.testing.fake_clock import FakeClock

from .figure import Figure

ROTATIONS = 3
RING = "payments"


class Household:
    """A manager and a signer of one keyring under the default policy, with a clock of their own.

    `sent` are the requests that the store notes there, such as `POST authority`, since it was cleared.
    """

    def __init__(self, store: DocumentStore, sent: list[str]) -> None:
        self.clock, self.store, self.sent = FakeClock(), store, sent
        self.manager = KeyManager(self.store, clock=self.clock, listener=_unheard)
        self.manager.create(RING, RotationPolicy(), issuer="https://id.example")
        self.manager.reconcile(RING)
        self.signer = Signer(self.store, RING, clock=self.clock, background=False, listener=_unheard)
        self.signer.refresh()

    def next_rotation(self) -> Report:
        """Wake when something is due until a pass promotes the next key; return that pass's report."""
        while True:
            due = self.manager.plan(RING).next_due
            assert due is not None
            self.clock.advance(max(due - self.clock.wall(), 1))
            self.sent.clear()
            report = self.manager.reconcile(RING)
            if any(entry.action == "promoted" for entry in report.entries):
                return report


Housed: TypeAlias = Callable[[], AbstractContextManager[Household]]
"""What starts a server with a keyring in it."""


def request_figures(store: str, housed: Housed, *, rotation: int, idle_pass: int) -> tuple[Figure, ...]:
    """Return the figures of a store, with the most requests that a rotation and an idle pass may take."""

    def per_rotation() -> float:
        with housed() as home:
            counts = []
            for _ in range(ROTATIONS):
                home.next_rotation()
                counts.append(len(home.sent))
            return max(counts)

    def per_idle_pass() -> float:
        with housed() as home:
            home.sent.clear()
            assert not home.manager.reconcile(RING).changed
            return len(home.sent)

    def per_idle_signer_poll() -> float:
        with housed() as home:
            home.sent.clear()
            home.signer.refresh()
            return len(home.sent)

    prefix = f"{store}_requests_per"
    course = f"requests from due to the last stamp, the most of {ROTATIONS} rotations"
    return (
        Figure(f"{prefix}_rotation", course, rotation, per_rotation),
        Figure(f"{prefix}_idle_pass", "requests of a pass with nothing to do", idle_pass, per_idle_pass),
        Figure(f"{prefix}_idle_signer_poll", "requests of a signer's poll", 1, per_idle_signer_poll),
    )


def _unheard(_event: Event) -> None:
    """Tell nobody."""

"""A demonstration that was never played: a keyring that lived by a fake clock, and made-up reports."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from keyvault_jwt.demo import ROUTINE, Closing, Library, Scene, View
from keyvault_jwt.demo.fast_time import fast_policy
from keyvault_jwt.demo.messages import Issued, Verdict
from keyvault_jwt.demo.tally import Tally
from keyvault_jwt.key_manager import KeyManager
from keyvault_jwt.stores.memory import MemoryStore
from keyvault_jwt.testing import FakeClock


class Story:
    """A keyring in fast time, whose scheduler looks every tenth of a second."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.manager = KeyManager(MemoryStore(), clock=self.clock, listener=lambda event: None)
        self.manager.create("demo", fast_policy(), issuer="https://demo.example")
        self.began, self.tally = self.clock.wall(), Tally()

    def run(self, seconds: int, watch: Callable[[View], object] = lambda view: None) -> None:
        """Let time pass, and show what there is to see every second."""
        for _ in range(seconds):
            for _ in range(10):
                self.clock.advance(100)
                self.manager.reconcile("demo")
            watch(self.view())

    def view(self) -> View:
        """Return what there is to see now."""
        keyring, plan = self.manager.keyring("demo"), self.manager.plan("demo")
        return View(self.began, self.clock.wall(), keyring, plan, self.tally, 0)

    def closing(self, *, happened: bool = True, title: str = "5 rotations") -> Closing:
        """Return the end of the story, of one token that one verifier accepted."""
        now = self.clock.wall()
        self.tally.hear("signer-1", Issued("k1", "t1", now))
        for occasion in ROUTINE:
            self.tally.hear("verifier-1", Verdict("k1", "t1", now, now - 2, now - 1, True, occasion))
        verifiers = (("verifier-1", Library.OURS),)
        return Closing(self.view(), (Scene(title, happened),), verifiers, now - self.began)


@pytest.fixture
def story() -> Story:
    return Story()

"""How many requests a keyring's care costs in Vault; counted on a real server, so always the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from keyvault_jwt.clock import Milliseconds
from keyvault_jwt.errors import KeyvaultJWTError
from keyvault_jwt.events import Event
from keyvault_jwt.key_manager import KeyManager
from keyvault_jwt.policy import RotationPolicy
from keyvault_jwt.report import Report
from keyvault_jwt.signer import Signer
from keyvault_jwt.testing.bao_server import BaoServer
from keyvault_jwt.testing.fake_clock import FakeClock
from keyvault_jwt_vault import Address, Session, StaticToken, VaultStore
from keyvault_jwt_vault.answer import Answer
from keyvault_jwt_vault.request import Request

from .figure import Figure

ROTATIONS = 3
RING = "payments"


class CountedSession(Session):
    """A session that notes every request it sends."""

    sent: list[str]

    def _try(
        self, asked: Request, token: str, deadline: Milliseconds
    ) -> tuple[Answer, KeyvaultJWTError | None]:
        self.sent.append(f"{asked.method} {asked.path.rpartition('/')[2]}")
        return super()._try(asked, token, deadline)


class Household:
    """A manager and a signer of one keyring under the default policy, with a clock of their own.

    `sent` are the requests, such as `POST authority`, since it was cleared.
    """

    def __init__(self, server: BaoServer) -> None:
        self.clock, self.sent = FakeClock(), list[str]()
        session = CountedSession(
            Address(server=server.url, mount="secret", prefix="bench"), StaticToken(server.token)
        )
        session.sent = self.sent
        self.store = VaultStore(session)
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


def _unheard(_event: Event) -> None:
    """Tell nobody."""


@contextmanager
def household() -> Iterator[Household]:
    """Start a real server with a keyring in it."""
    with BaoServer() as server:
        home = Household(server)
        with home.manager:
            yield home


def per_rotation() -> float:
    """Return the most requests that a rotation took, from due to the last stamp."""
    with household() as home:
        counts = []
        for _ in range(ROTATIONS):
            home.next_rotation()
            counts.append(len(home.sent))
        return max(counts)


def per_idle_pass() -> float:
    """Return the requests of a pass that finds nothing to do."""
    with household() as home:
        home.sent.clear()
        assert not home.manager.reconcile(RING).changed
        return len(home.sent)


def per_idle_signer_poll() -> float:
    """Return the requests by which a signer finds that nothing has changed."""
    with household() as home:
        home.sent.clear()
        home.signer.refresh()
        return len(home.sent)


FIGURES = (
    Figure(
        "vault_requests_per_rotation",
        f"requests from due to the last stamp, the most of {ROTATIONS} rotations",
        10,
        per_rotation,
    ),
    Figure("vault_requests_per_idle_pass", "requests of a pass with nothing to do", 4, per_idle_pass),
    Figure("vault_requests_per_idle_signer_poll", "requests of a signer's poll", 1, per_idle_signer_poll),
)

"""Who works with one keyring: a manager with its scheduler, a signer, a publisher, and a verifier."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

import keyvault_jwt as kj
from keyvault_jwt.clock import Milliseconds
from keyvault_jwt.events import Event
from keyvault_jwt.keyring import Keyring
from keyvault_jwt.publisher import Publisher
from keyvault_jwt.scheduler import RotationScheduler
from keyvault_jwt.store import DocumentKind
from keyvault_jwt.stores.mark_files import MarkFiles
from keyvault_jwt.testing import FakeClock
from keyvault_jwt_vault import open_url
from tests.faulty_store import FAST

RING, ISSUER, AUDIENCE = "payments", "https://id.example", "api"
STEP: Milliseconds = 200


class Parties:
    """All of them on one clock, with marks below `directory`; nobody acts unless told to."""

    def __init__(self, url: str, directory: Path) -> None:
        self.clock, self.events = FakeClock(), list[Event]()
        self._directory = directory
        self.store = open_url(url)
        self._open = ExitStack()
        self._open.callback(self.store.close)
        self.manager = self.another_manager()
        self.scheduler = RotationScheduler(
            self.manager, RING, clock=self.clock, jitter=lambda most: 0, listener=self.events.append
        )
        self.manager.create(RING, FAST, issuer=ISSUER)
        self.signer, self.publisher = self.another_signer(), self.another_publisher()

    def another_manager(self) -> kj.KeyManager:
        """Return a manager as a new process of the same machine has it."""
        return kj.KeyManager(
            self.store,
            clock=self.clock,
            marks=self._marks(DocumentKind.AUTHORITY),
            listener=self.events.append,
            wait=lambda seconds: self.clock.advance(int(seconds * 1000)),
        )

    def another_signer(self) -> kj.Signer:
        """Return a signer as a new process of the same machine has it."""
        signer = kj.Signer(
            self.store,
            RING,
            clock=self.clock,
            marks=self._marks(DocumentKind.SIGNING),
            listener=self.events.append,
            background=False,
        )
        self._open.callback(signer.close)
        return signer

    def another_publisher(self) -> Publisher:
        """Return a publisher as a new process of the same machine has it."""
        publisher = Publisher(
            self.store,
            RING,
            clock=self.clock,
            marks=self._marks(DocumentKind.PUBLIC),
            listener=self.events.append,
            background=False,
        )
        self._open.callback(publisher.close)
        return publisher

    @property
    def keyring(self) -> Keyring:
        """The keyring as its authority says."""
        return self.manager.keyring(RING)

    def active(self) -> str:
        """Return the kid that the authority lets sign."""
        found = self.keyring.active
        assert found is not None
        return found.kid

    def live_until(self, state: Callable[[], bool]) -> None:
        """Let time pass under everybody's care until `state()` is true."""
        for _ in range(200):
            if state():
                return
            self.clock.advance(STEP)
            self.scheduler.run_pending()
            self.signer.refresh()
            self.publisher.refresh()
        raise AssertionError("it does not come about")

    def token(self, signer: kj.Signer | None = None) -> str:
        """Return a token by whatever key the signer holds."""
        return (signer or self.signer).sign({"sub": "u1", "aud": AUDIENCE}, ttl=timedelta(seconds=2))

    def accepted(self, token: str) -> bool:
        """Return whether a verifier that has what is published now takes the token."""
        cache = kj.JWKSCache.from_document(self.publisher.current().body)
        verifier = kj.Verifier(
            cache, issuer=ISSUER, audience=AUDIENCE, algorithms=["ES256"], clock=self.clock
        )
        try:
            verifier.verify(token)
        except kj.VerificationError:
            return False
        return True

    def documents(self) -> dict[str, bytes]:
        """Return every document's bytes."""
        seen = {name: self.store.read(name) for name in self.store.names()}
        return {str(name): found.draft.data for name, found in seen.items() if found is not None}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def _marks(self, kind: DocumentKind) -> MarkFiles:
        return MarkFiles(self._directory / "state", kind.value)

"""A memory store that a test can break in the ways that servers break, and a policy of seconds."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from keyvault_jwt.clock import Milliseconds
from keyvault_jwt.policy import RotationPolicy
from keyvault_jwt.store import DocumentName, Versioned
from keyvault_jwt.stores.memory import MemoryStore

FAST = RotationPolicy(
    rotate_every="6s",
    token_ttl="2s",
    leeway="100ms",
    clock_skew="100ms",
    signer_poll="200ms",
    publisher_poll="200ms",
    signer_lease="1500ms",
    publisher_lease="1500ms",
    jwks_max_age="1s",
    max_stale="1s",
    rollback_window=timedelta(seconds=1),
)
"""The policy of seconds: lead 3.6 s, retire 3.8 s."""


class FaultyStore(MemoryStore):
    """A `MemoryStore` that counts reads, and fails, hangs or goes back in time when told to.

    `failure` is raised by every call while it is set, `broken` for one keyring alone; reads
    wait for `open`; `stale` is the staleness it declares.
    """

    def __init__(self) -> None:
        super().__init__()
        self.failure: Exception | None = None
        self.broken: dict[str, Exception] = {}
        self.open = threading.Event()
        self.open.set()
        self.reads: Counter[DocumentName] = Counter()
        self.listings = 0
        self.stale: Milliseconds = 0

    @property
    def staleness(self) -> Milliseconds:
        return self.stale

    def read(self, name: DocumentName) -> Versioned | None:
        self.reads[name] += 1
        self.open.wait(30)
        if failure := self.failure or self.broken.get(name.ring):
            raise failure
        return super().read(name)

    def names(self) -> Iterator[DocumentName]:
        self.listings += 1
        if self.failure:
            raise self.failure
        return super().names()

    def backup(self) -> dict[DocumentName, Versioned]:
        """Return everything it holds."""
        return dict(self._documents)

    def restore(self, backup: dict[DocumentName, Versioned]) -> None:
        """Hold what was backed up and nothing else, as a store restored from a backup does."""
        with self._guard:
            self._documents = dict(backup)

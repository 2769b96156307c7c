"""Chaos: a fleet at work on a cluster whose leader is killed again and again, and the count at the end."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from keyvault_jwt.demo.acts import RevokedInEmergency
from keyvault_jwt.key_manager import KeyManager
from keyvault_jwt.store import DocumentStore
from keyvault_jwt.store_url import open_store
from keyvault_jwt.testing.bao_cluster import BaoCluster
from tests.chaos.short_policy import short_policy
from tests.chaos.troupe import Findings, OutOfTime, Troupe
from tests.chaos_vault.killer import Killer
from tests.chaos_vault.logins import logins
from tests.chaos_vault.spread_place import SpreadPlace

URL: Final = "vault://secret/chaos?connect_timeout=500ms&read_timeout=2s&deadline=4s"
LOGIN: Final = f"{URL}&auth=approle"
ISSUER: Final = "https://chaos.example"
SERVED: Final = ("payments", "sessions")
UNSERVED: Final = ("partners", "webhooks", "invoices", "devices")
"""Keyrings that are rotated, and that nobody uses."""
SCHEDULERS: Final = 3
MANY: Final = 10
"""Of so many kills at least one must have fallen into a write."""
_TREE: Final = Path(__file__).parents[2]
_FOREIGN: Final = ("VAULT_", "BAO_", "KEYVAULT_JWT_")


@dataclass(frozen=True)
class Count:
    """What came of it: how many leaders died, and what the troupe amounts to."""

    kills: int
    findings: Findings

    @property
    def line(self) -> str:
        """The last line."""
        found = self.findings
        return f"kills={self.kills} rotations={found.rotations} tokens={found.tokens} {found.line}"


class Chaos:
    """Starts everything, lets it run, and counts; all processes are gone when the block is left."""

    def __init__(self, directory: Path, *, kills: int, seconds: float, seed: int) -> None:
        self._directory, self._asked, self._seconds = directory, kills, seconds
        self._open = ExitStack()
        self._seed = seed

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._open.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def _start(self) -> None:
        self._cluster = self._open.enter_context(BaoCluster())
        self._environment = {k: v for k, v in os.environ.items() if not k.startswith(_FOREIGN)}
        path = os.pathsep.join(filter(None, (str(_TREE), os.environ.get("PYTHONPATH"))))
        self._environment |= {"PYTHONPATH": path}
        self._nodes = itertools.cycle([node.url for node in self._cluster.nodes])
        self._logins = logins(self._cluster, URL)
        stores = [self._store(node.url) for node in self._cluster.nodes]
        manager = KeyManager(stores[0])
        for ring in SERVED + UNSERVED:
            manager.create(ring, short_policy(), issuer=ISSUER)
        self._troupe = Troupe(self._directory, stores, seconds=self._seconds)
        for ring in SERVED + UNSERVED:
            self._troupe.chronicle.look(ring)
        self._open.enter_context(self._troupe)
        for _ in range(SCHEDULERS):
            login = self._logins["scheduler"]
            self._troupe.schedule(LOGIN, {**self._environment, **login, "BAO_ADDR": next(self._nodes)})
        for ring in SERVED:
            self._troupe.serve(self._place(manager, ring))
        self._killer = Killer(self._cluster, self._troupe.ledgers, self._asked, self._seed)
        self._open.enter_context(self._killer)
        self._troupe.watches.append(lambda: self._killer.done)

    def run(self) -> Count:
        """Let it run, and return the count."""
        unfinished = ""
        try:
            self._perform()
        except OutOfTime:
            unfinished = "time was up before all was done"
        self._killer.end()
        self._troupe.end()
        too_little = [*([unfinished] if unfinished else []), *self._too_little()]
        return Count(self._killer.kills, self._troupe.findings(short_policy().rotate_every, too_little))

    def remarks(self) -> Iterator[str]:
        """Yield what is worth to know of the kills."""
        yield f"kills while a write was under way: {self._killer.struck}"
        if self._killer.away:
            yield f"from a kill to a leader: at most {max(self._killer.away):.1f} s"

    def _perform(self) -> None:
        self._troupe.assemble()
        print("the fleet is at work", flush=True)
        self._killer.start()
        first = self._troupe.services[0]
        first.until(lambda: self._killer.kills >= self._asked // 2)
        RevokedInEmergency().perform(first)
        first.until(lambda: self._killer.done)
        print("no more kills", flush=True)
        self._troupe.wind_down()

    def _too_little(self) -> Iterator[str]:
        if self._killer.kills < self._asked:
            yield f"{self._killer.kills} kills of {self._asked}"
        if self._asked >= MANY and not self._killer.struck:
            yield "no kill fell into a write"

    def _store(self, node: str) -> DocumentStore:
        os.environ |= {"BAO_ADDR": node, "BAO_TOKEN": self._cluster.token}
        return open_store(URL)

    def _place(self, manager: KeyManager, ring: str) -> SpreadPlace:
        directory = self._directory / ring
        directory.mkdir()
        return SpreadPlace(manager, LOGIN, ring, directory, self._environment, self._nodes, self._logins)

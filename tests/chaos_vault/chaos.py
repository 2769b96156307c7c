"""Chaos: a fleet at work on a cluster whose leader is killed again and again, and the count at the end."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from keyvault_jwt.demo.acts import RevokedInEmergency, signing_key_known
from keyvault_jwt.demo.closing import JUDGED
from keyvault_jwt.demo.member import Member
from keyvault_jwt.demo.messages import SchedulerPart
from keyvault_jwt.duration import milliseconds
from keyvault_jwt.key_manager import KeyManager
from keyvault_jwt.keyring import Keyring
from keyvault_jwt.store import DocumentStore
from keyvault_jwt.store_url import open_store
from keyvault_jwt.testing.bao_cluster import BaoCluster
from tests.chaos_vault import scheduler_process
from tests.chaos_vault.chronicle import Chronicle
from tests.chaos_vault.killer import Killer
from tests.chaos_vault.ledgers import Ledgers
from tests.chaos_vault.logins import logins
from tests.chaos_vault.reports import REPORTS
from tests.chaos_vault.service import Service, SpreadPlace
from tests.chaos_vault.short_policy import short_policy

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


class OutOfTime(Exception):
    """It lasted longer than it may."""


@dataclass(frozen=True)
class Count:
    """What came of it: the numbers of the last line, and in words what each number but 0 stands for."""

    kills: int
    rotations: int
    tokens: int
    refused: tuple[str, ...]
    double: tuple[str, ...]
    lost: tuple[str, ...]
    other: tuple[str, ...]
    """What makes the run prove too little."""
    remarks: tuple[str, ...]

    @property
    def line(self) -> str:
        """The last line."""
        return (
            f"kills={self.kills} rotations={self.rotations} tokens={self.tokens}"
            f" refused={len(self.refused)} double={len(self.double)} lost={len(self.lost)}"
        )

    @property
    def good(self) -> bool:
        """Whether every promise was kept, and the run shows it."""
        return not (self.refused or self.double or self.lost or self.other)


class Chaos:
    """Starts everything, lets it run, and counts; all processes are gone when the block is left."""

    def __init__(self, directory: Path, *, kills: int, seconds: float, seed: int) -> None:
        self._directory, self._asked = directory, kills
        self._deadline = time.monotonic() + seconds
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
        self.ledgers = Ledgers()
        self.chronicle = self._open.enter_context(Chronicle(stores))
        for ring in SERVED + UNSERVED:
            self.chronicle.look(ring)
        self.schedulers = [self._scheduler(number) for number in range(1, SCHEDULERS + 1)]
        self.services = [self._open.enter_context(self._service(manager, ring)) for ring in SERVED]
        self.killer = Killer(self._cluster, self.ledgers, self._asked, self._seed)
        self._open.enter_context(self.killer)

    def run(self) -> Count:
        """Let it run, and return the count."""
        unfinished = ""
        try:
            self._perform()
        except OutOfTime:
            unfinished = "time was up before all was done"
        self.killer.end()
        for service in self.services:
            service.fleet.__exit__(None, None, None)
        for member in self.schedulers:
            member.close(2.0)
        self.chronicle.end()
        return self._count(unfinished)

    # --- running -------------------------------------------------------------------------------

    def _perform(self) -> None:
        for service in self.services:
            service.fleet.gather()
        for service in self.services:
            service.until(lambda service=service: service.fleet.awake)
            service.assemble()
        self._say("the fleet is at work")
        self.killer.start()
        first = self.services[0]
        first.until(lambda: self.killer.kills >= self._asked // 2)
        RevokedInEmergency().perform(first)
        first.until(lambda: self.killer.done)
        self._say("no more kills")
        before = {ring: len(past.rotations()) for ring, past in self.chronicle.pasts.items()}
        first.until(
            lambda: (
                all(len(self.chronicle.pasts[ring].rotations()) > count for ring, count in before.items())
                and all(map(signing_key_known, self.services))
            )
        )
        for service in self.services:
            service.sign_no_more()
        settled = first.now + 500
        first.until(lambda: first.now >= settled and all(service.judged for service in self.services))

    def _turn(self) -> None:
        if time.monotonic() > self._deadline:
            raise OutOfTime
        for service in self.services:
            service.hear()
        if self.ledgers.left:
            raise self.ledgers.left[0].lost()
        _ = self.killer.done
        if self.chronicle.failure is not None:
            raise self.chronicle.failure

    def _sight(self, ring: str) -> Keyring:
        latest = self.chronicle.pasts[ring].latest
        assert latest is not None
        return latest

    # --- starting ------------------------------------------------------------------------------

    def _store(self, node: str) -> DocumentStore:
        os.environ |= {"BAO_ADDR": node, "BAO_TOKEN": self._cluster.token}
        return open_store(URL)

    def _service(self, manager: KeyManager, ring: str) -> Service:
        directory = self._directory / ring
        directory.mkdir()
        place = SpreadPlace(manager, LOGIN, ring, directory, self._environment, self._nodes, self._logins)
        return Service(place, self._turn, self._sight)

    def _scheduler(self, number: int) -> Member:
        member = Member(
            f"scheduler-{number}",
            "scheduler",
            self.ledgers,
            environment={**self._environment, **self._logins["scheduler"], "BAO_ADDR": next(self._nodes)},
            remarks=self._directory / f"remarks-scheduler-{number}",
            module=scheduler_process.__name__,
            reports=REPORTS,
        )
        self._open.callback(member.close)
        member.begin(SchedulerPart(LOGIN, "*"))
        return member

    # --- counting ------------------------------------------------------------------------------

    def _count(self, unfinished: str) -> Count:
        self.chronicle.close()
        pasts, tallies = self.chronicle.pasts, [service.tally for service in self.services]
        least = milliseconds(short_policy().rotate_every)
        refused = [
            f"{name} refused {verdict.jti} of {verdict.kid}: {verdict.reason}"
            for tally in tallies
            for name, verdict in tally.refused_though_valid
        ]
        rotations = sum(len(past.rotations()) for past in pasts.values())
        return Count(
            kills=self.killer.kills,
            rotations=rotations,
            tokens=sum(len(tally.issued) for tally in tallies),
            refused=tuple(refused),
            double=_once(
                *self.ledgers.contradictions(pasts),
                *(text for past in pasts.values() for text in [*past.double, *past.hasty(least)]),
            ),
            lost=_once(*(text for past in pasts.values() for text in past.lost)),
            other=(*([unfinished] if unfinished else []), *self._too_little()),
            remarks=tuple(self._remarks()),
        )

    def _too_little(self) -> Iterator[str]:
        if self.killer.kills < self._asked:
            yield f"{self.killer.kills} kills of {self._asked}"
        if self._asked >= MANY and not self.killer.struck:
            yield "no kill fell into a write"
        for service in self.services:
            tally, ring = service.tally, service.place.ring
            for name, verdict in tally.accepted_past_bound:
                yield f"{ring}: {name} accepted the revoked key past its bound, at {verdict.began}"
            for name in sorted(service.everybody):
                judged = tally.judged_by(name)
                if 100 * judged < JUDGED * len(tally.issued) or not judged:
                    yield f"{ring}: {name} judged {judged} of {len(tally.issued)} tokens"

    def _remarks(self) -> Iterator[str]:
        killer, ledgers = self.killer, self.ledgers
        yield f"kills while a write was under way: {killer.struck}"
        if killer.away:
            yield f"from a kill to a leader: at most {max(killer.away):.1f} s"
        yield f"commits whose answer never came: {ledgers.uncertain()}"
        yield f"entries of the ledger that a scheduler says it won: {ledgers.claims}"
        yield f"passes that failed: {dict(ledgers.failures)}"
        for service in self.services:
            tally = service.tally
            yield (
                f"{service.place.ring}: verdicts {tally.verdicts}, judged by all"
                f" {tally.judged_by_all(service.everybody)} of {len(tally.issued)} tokens; asked to sign and"
                f" refused: {dict(tally.unsigned)}; a verifier had no keys to judge by:"
                f" {tally.unanswered.total()}; the revoked key past its bound: tried {len(tally.past_bound)}"
                f" times, accepted {len(tally.accepted_past_bound)}"
            )

    def _say(self, text: str) -> None:
        print(text, flush=True)


def _once(*texts: str) -> tuple[str, ...]:
    """Return the texts without repetitions: what is wrong is seen at every look."""
    return tuple(dict.fromkeys(texts))

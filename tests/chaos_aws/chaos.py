"""Chaos: a fleet at work on Secrets Manager in bad weather, and the count at the end."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from keyvault_jwt.demo.acts import RevokedInEmergency
from keyvault_jwt.demo.place import Place
from keyvault_jwt.errors import KeyvaultJWTError
from keyvault_jwt.key_manager import KeyManager
from keyvault_jwt.store_url import open_store
from tests.aws.moto_server import MotoServer
from tests.chaos.short_policy import short_policy
from tests.chaos.troupe import Findings, OutOfTime, Troupe
from tests.chaos_aws.storm import PARTS, TROUBLES, Storm
from tests.chaos_aws.stormy_layer import OPERATOR, StormyLayer

ISSUER: Final = "https://chaos.example"
SERVED: Final = "payments"
UNSERVED: Final = ("partners", "webhooks", "invoices")
"""Keyrings that are rotated, and that nobody uses."""
SCHEDULERS: Final = 3
KILLS_A_ROUND: Final = 2
STALENESS: Final = timedelta(milliseconds=100)
_POLICY: Final = short_policy(STALENESS)
_TREE: Final = Path(__file__).parents[2]
_FOREIGN: Final = ("AWS_", "KEYVAULT_JWT_")


@dataclass(frozen=True)
class RoledPlace(Place):
    """A place whose processes have an access key for each role; a verifier has none."""

    def environment(self, role: str) -> Mapping[str, str]:
        """Return what a process of this role may know."""
        known = Place.environment(self, role)
        return known if role == "verifier" else {**known, "AWS_ACCESS_KEY_ID": PARTS[role]}


@dataclass(frozen=True)
class Count:
    """What came of it: the races and who won them, the schedulers killed, what the troupe amounts to."""

    races: int
    winners: int
    crashes: int
    findings: Findings

    @property
    def line(self) -> str:
        """The last line."""
        return f"races={self.races} winners={self.winners} crashes={self.crashes} {self.findings.line}"


class Chaos:
    """Starts everything, lets it run, and counts; all processes are gone when the block is left."""

    def __init__(self, directory: Path, *, rounds: int, seconds: float, seed: int) -> None:
        self._directory, self._rounds, self._seconds, self._seed = directory, rounds, seconds, seed
        self._open = ExitStack()
        self._crashes = 0

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
        moto = self._open.enter_context(MotoServer())
        self._layer = self._open.enter_context(StormyLayer(moto.url))
        known = {k: v for k, v in os.environ.items() if not k.startswith(_FOREIGN)}
        path = os.pathsep.join(filter(None, (str(_TREE), os.environ.get("PYTHONPATH"))))
        self._environment = {**known, **self._layer.environment, "PYTHONPATH": path}
        self._environment["AWS_ACCESS_KEY_ID"] = OPERATOR
        os.environ |= self._environment
        patience = "connect_timeout=500ms&read_timeout=2s&deadline=4s"
        place = f"awssm://us-east-1/chaos?endpoint_url={self._layer.url}&quota=off&{patience}"
        self._url = f"{place}&staleness={STALENESS.microseconds // 1000}ms&replicas=eu-west-1"
        self._manager = self._open.enter_context(KeyManager(open_store(self._url)))
        for ring in (SERVED, *UNSERVED):
            self._manager.create(ring, _POLICY, issuer=ISSUER)
        self._troupe = Troupe(self._directory, [open_store(self._url)], seconds=self._seconds)
        for ring in (SERVED, *UNSERVED):
            self._troupe.chronicle.look(ring)
        self._open.enter_context(self._troupe)
        for _ in range(SCHEDULERS):
            self._schedule()
        nearby = f"{self._url}&read_from=eu-west-1"
        directory = self._directory / SERVED
        directory.mkdir()
        self._troupe.serve(RoledPlace(self._manager, nearby, SERVED, directory, self._environment))
        self._storm = self._open.enter_context(self._make_storm())
        self._troupe.watches.append(lambda: self._storm.done)

    def _make_storm(self) -> Storm:
        return Storm(
            self._layer,
            self._rounds,
            self._seed,
            kill=self._kill,
            await_rotation=lambda: self._troupe.ledgers.await_rotation("authority"),
            rival=self._race,
        )

    def run(self) -> Count:
        """Let it run, and return the count."""
        unfinished = ""
        try:
            self._perform()
        except OutOfTime:
            unfinished = "time was up before all was done"
        self._troupe.ledgers.release()
        self._storm.end()
        self._troupe.end()
        too_little = [*([unfinished] if unfinished else []), *self._too_little()]
        findings = self._troupe.findings(_POLICY.rotate_every, too_little)
        races = self._troupe.ledgers.races()
        pasts = self._troupe.chronicle.pasts
        winners = sum(revision in pasts[ring].commits for ring, revision in races)
        return Count(len(races), winners, self._crashes, findings)

    def remarks(self) -> Iterator[str]:
        """Yield what is worth to know of the storm."""
        yield f"requests that a trouble befell: {dict(self._layer.felt)}"
        yield f"requests: {len(self._layer.requests)}"

    def _perform(self) -> None:
        self._troupe.assemble()
        print("the fleet is at work", flush=True)
        self._storm.start()
        first = self._troupe.services[0]
        first.until(lambda: self._storm.passed >= self._rounds // 2)
        RevokedInEmergency().perform(first)
        first.until(lambda: self._storm.done)
        print("the storm is over", flush=True)
        self._troupe.wind_down()

    def _schedule(self) -> None:
        key = {"AWS_ACCESS_KEY_ID": PARTS["scheduler"]}
        self._troupe.schedule(self._url, {**self._environment, **key})

    def _kill(self) -> None:
        victim = next(member for member in self._troupe.schedulers if not member.expected_to_end)
        victim.kill()
        self._crashes += 1
        self._schedule()

    def _race(self) -> None:
        """Let a rival rotate by hand a keyring that nobody uses, whatever the schedulers do."""
        for ring in UNSERVED:
            with suppress(KeyvaultJWTError):  # no standby is ready, or a scheduler was first
                self._manager.rotate(ring)

    def _too_little(self) -> Iterator[str]:
        if self._storm.passed < self._rounds:
            yield f"{self._storm.passed} rounds of {self._rounds}"
        if self._crashes < KILLS_A_ROUND * self._rounds:
            yield f"{self._crashes} schedulers killed"
        yield from (f"nobody felt: {it}" for it in TROUBLES if not self._layer.felt[it])
        if not self._troupe.ledgers.races():
            yield "nobody raced"
        yield from self._layer.strayed
        self._layer.strayed.clear()

"""Troupe: the fleet of a chaos, what is noted of it, and what it amounts to in the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from keyvault_jwt.clock import Milliseconds
from keyvault_jwt.demo.acts import signing_key_known
from keyvault_jwt.demo.closing import JUDGED
from keyvault_jwt.demo.member import Member
from keyvault_jwt.demo.messages import SchedulerPart
from keyvault_jwt.demo.place import Place
from keyvault_jwt.duration import milliseconds
from keyvault_jwt.keyring import Keyring
from keyvault_jwt.store import DocumentStore
from tests.chaos import scheduler_process
from tests.chaos.chronicle import Chronicle
from tests.chaos.ledgers import Ledgers
from tests.chaos.reports import REPORTS
from tests.chaos.service import Service


class OutOfTime(Exception):
    """It lasted longer than it may."""


@dataclass(frozen=True)
class Findings:
    """What broke a promise, in words, and what makes the run prove too little (`other`)."""

    rotations: int
    tokens: int
    refused: tuple[str, ...]
    double: tuple[str, ...]
    lost: tuple[str, ...]
    other: tuple[str, ...]
    remarks: tuple[str, ...]

    @property
    def good(self) -> bool:
        """Whether every promise was kept, and the run shows it."""
        return not (self.refused or self.double or self.lost or self.other)

    @property
    def line(self) -> str:
        """The end of the last line."""
        return f"refused={len(self.refused)} double={len(self.double)} lost={len(self.lost)}"


class Troupe:
    """Schedulers of every keyring and services of some; all processes are gone when the block is left.

    `stores` are looked at again and again; each `watch` is called all the while, and raises what
    must end it.
    """

    def __init__(self, directory: Path, stores: Sequence[DocumentStore], *, seconds: float) -> None:
        self._directory, self._deadline = directory, time.monotonic() + seconds
        self._open = ExitStack()
        self._started = 0
        self.ledgers = Ledgers()
        self.chronicle = Chronicle(stores)
        self.schedulers: list[Member] = []
        self.services: list[Service] = []
        self.watches: list[Callable[[], object]] = []

    def __enter__(self) -> Self:
        self._open.enter_context(self.chronicle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    # --- starting ------------------------------------------------------------------------------

    def schedule(self, url: str, environment: Mapping[str, str]) -> Member:
        """Start a scheduler of every keyring in the store."""
        self._started += 1
        name = f"scheduler-{self._started}"
        member = Member(
            name,
            "scheduler",
            self.ledgers,
            environment=environment,
            remarks=self._directory / f"remarks-{name}",
            module=scheduler_process.__name__,
            reports=REPORTS,
        )
        self._open.callback(member.close)
        member.begin(SchedulerPart(url, "*"))
        self.schedulers.append(member)
        return member

    def serve(self, place: Place) -> Service:
        """Start the processes that use the place's keyring."""
        service = self._open.enter_context(Service(place, self.turn, self._sight))
        self.services.append(service)
        return service

    def assemble(self) -> None:
        """Let the services begin to publish, to verify and to sign."""
        for service in self.services:
            service.fleet.gather()
        for service in self.services:
            service.until(lambda service=service: service.fleet.awake)
            service.assemble()

    # --- running -------------------------------------------------------------------------------

    def turn(self) -> None:
        """Hear everybody; raises `OutOfTime`, and whatever must end the run."""
        if time.monotonic() > self._deadline:
            raise OutOfTime
        for service in self.services:
            service.hear()
        if self.ledgers.left:
            raise self.ledgers.left[0].lost()
        for watch in self.watches:
            watch()
        if self.chronicle.failure is not None:
            raise self.chronicle.failure

    def wind_down(self) -> None:
        """Wait until every keyring has rotated once more, and every token was judged by all."""
        first, pasts = self.services[0], self.chronicle.pasts
        before = {ring: len(past.rotations()) for ring, past in pasts.items()}
        first.until(
            lambda: (
                all(len(pasts[ring].rotations()) > count for ring, count in before.items())
                and all(map(signing_key_known, self.services))
            )
        )
        for service in self.services:
            service.sign_no_more()
        settled = first.now + 500
        first.until(lambda: first.now >= settled and all(service.judged for service in self.services))

    def end(self) -> None:
        """End every process, and look no more."""
        for service in self.services:
            service.fleet.__exit__(None, None, None)
        for member in self.schedulers:
            member.close(2.0)
        self.chronicle.end()

    def _sight(self, ring: str) -> Keyring:
        latest = self.chronicle.pasts[ring].latest
        assert latest is not None
        return latest

    # --- counting ------------------------------------------------------------------------------

    def findings(self, rotate_every: timedelta, too_little: Sequence[str]) -> Findings:
        """Return what came of it, after the end; `too_little` is what the caller misses."""
        self.chronicle.close()
        pasts, tallies = self.chronicle.pasts, [service.tally for service in self.services]
        least: Milliseconds = milliseconds(rotate_every)
        refused = [
            f"{name} refused {verdict.jti} of {verdict.kid}: {verdict.reason}"
            for tally in tallies
            for name, verdict in tally.refused_though_valid
        ]
        return Findings(
            rotations=sum(len(past.rotations()) for past in pasts.values()),
            tokens=sum(len(tally.issued) for tally in tallies),
            refused=tuple(refused),
            double=_once(
                *self.ledgers.contradictions(pasts),
                *(text for past in pasts.values() for text in [*past.double, *past.hasty(least)]),
            ),
            lost=_once(*(text for past in pasts.values() for text in past.lost)),
            other=(*too_little, *self._too_little()),
            remarks=tuple(self._remarks()),
        )

    def _too_little(self) -> Iterator[str]:
        for service in self.services:
            tally, ring = service.tally, service.place.ring
            for name, verdict in tally.accepted_past_bound:
                yield f"{ring}: {name} accepted the revoked key past its bound, at {verdict.began}"
            for name in sorted(service.everybody):
                judged = tally.judged_by(name)
                if 100 * judged < JUDGED * len(tally.issued) or not judged:
                    yield f"{ring}: {name} judged {judged} of {len(tally.issued)} tokens"

    def _remarks(self) -> Iterator[str]:
        ledgers = self.ledgers
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


def _once(*texts: str) -> tuple[str, ...]:
    """Return the texts without repetitions: what is wrong is seen at every look."""
    return tuple(dict.fromkeys(texts))

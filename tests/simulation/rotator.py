"""A rotator's process: it drives real attempts call by call, and everything can go wrong between two."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from keyvault_jwt.attempt import Attempt
from keyvault_jwt.calls import Answer, Generate, Read, Wait, Write
from keyvault_jwt.clock import Milliseconds
from keyvault_jwt.decision import Command
from keyvault_jwt.errors import (
    Conflict,
    DocumentTooLarge,
    KeyvaultJWTError,
    StoreTimeout,
    StoreUnavailable,
)
from keyvault_jwt.report import Report, mark_of
from keyvault_jwt.store import DocumentName, Versioned
from tests.simulation.exercised import command_name
from tests.simulation.faults import Faults
from tests.simulation.kept_marks import KeptMarks
from tests.simulation.ring import Ring
from tests.simulation.site import Site

Ended = Callable[[Report | KeyvaultJWTError | None], None]
"""Told of a pass's end; None if its process crashed."""


class Rotator:
    """One process that runs passes; after a crash it is another process with the same name."""

    def __init__(self, name: str, site: Site) -> None:
        self.name, self.clock, self.marks = name, site.clock(), KeptMarks()
        self.lives = 0
        self._site, self._agenda, self._store, self._story = site, site.agenda, site.store, site.story

    def begin(self, asked: Command, ring: Ring, ended: Ended) -> None:
        """Start a pass."""
        staleness, mark = self._store.staleness, self.marks.load(ring.name)
        attempt = Attempt.begin(asked, ring.name, staleness=staleness, limits=ring.limits, mark=mark)
        self._story.tell(self.name, f"{ring.name}: begins {asked!r}")
        ring.under_way += 1
        self._site.counts.passes += 1
        self._go_on(Pass(asked, ring, self.lives, ended), attempt)

    def crash(self) -> None:
        """End every pass where it stands."""
        self._story.tell(self.name, "crashes")
        self.lives += 1

    def _go_on(self, under_way: Pass, attempt: Attempt) -> None:
        if attempt.call is None:
            self._end(under_way, attempt)
            return
        call = attempt.call
        pause = call.duration if isinstance(call, Wait) else 0
        pause += self._latency(under_way.ring.faults) if isinstance(call, Read | Write) else 0
        self._agenda.after(pause, lambda: self._call(under_way, attempt))

    def _latency(self, faults: Faults) -> Milliseconds:
        if not faults.strikes(faults.suspended):
            return faults.latency()
        self._site.happened("fault: a process is suspended")
        return faults.suspension()

    def _call(self, under_way: Pass, attempt: Attempt) -> None:
        """Carry out the call that was under way, unless its process is gone."""
        if under_way.life != self.lives:
            self._leave(under_way, None)
            return
        call, faults = attempt.call, under_way.ring.faults
        crashes = isinstance(call, Write) and faults.strikes(faults.crash)
        if crashes and self._site.dice.random() < 0.5:
            self._site.happened("fault: a process crashes before a write")
            self.crash()
            self._leave(under_way, None)
            return
        answer = self._answer(under_way, attempt)
        if crashes:
            self._site.happened("fault: a process crashes after a write")
            self.crash()
            self._leave(under_way, None)
            return
        write_id = UUID(int=self._site.dice.getrandbits(128))
        self._go_on(under_way, attempt.resume(answer, now=self.clock.wall(), write_id=write_id))

    def _answer(self, under_way: Pass, attempt: Attempt) -> Answer:
        call, faults = attempt.call, under_way.ring.faults
        if isinstance(call, Generate):
            return self._site.keys.make(call.algorithm)
        if not isinstance(call, Read | Write):
            return None
        if self._store.out_at(self._agenda.now) or faults.strikes(faults.unavailable):
            self._site.happened("fault: the store can't be reached")
            self._story.tell(self.name, f"{call.name}: the store can't be reached")
            return StoreUnavailable("no route to the store")
        if isinstance(call, Read):
            most = self._store.staleness
            late = self._site.dice.choice((0, most, self._site.dice.randint(0, most))) if most else 0
            return self._read(call.name, late)
        return self._written(call, under_way.ring)

    def _read(self, name: DocumentName, late: Milliseconds) -> Versioned | None:
        found = self._store.as_of(name, self._agenda.now - late)
        if late and found != self._store.read(name):
            self._site.happened("fault: a read is stale")
        return found

    def _written(self, call: Write, ring: Ring) -> Answer:
        faults, lost = ring.faults, StoreTimeout("no answer came")
        if faults.strikes(faults.dropped):
            self._site.happened("fault: a write is lost")
            self._story.tell(self.name, f"{call.name}: the write is lost")
            return lost
        if faults.strikes(faults.late):
            self._agenda.after(faults.delay(), lambda: self._land_late(call, ring))
            self._story.tell(self.name, f"{call.name}: the write is delayed")
            return lost
        try:
            version = self._store.replace(call.name, call.draft, call.expected)
        except Conflict as error:
            self._site.happened("fault: another writer is faster")
            self._story.tell(self.name, f"{call.name}: another was faster")
            return error
        if faults.strikes(faults.answer_lost):
            self._site.happened("fault: an answer is lost")
            self._story.tell(self.name, f"{call.name}: written, and the answer is lost")
            return lost
        if faults.strikes(faults.sent_twice):
            self._site.happened("fault: a write is sent twice")
            self._story.tell(self.name, f"{call.name}: written, and sent a second time")
            return Conflict("our own first sending was there")
        return version

    def _land_late(self, call: Write, ring: Ring) -> None:
        if ring.quiet:
            return
        try:
            self._store.replace(call.name, call.draft, call.expected)
        except Conflict:
            return
        self._site.happened("fault: a write lands after its time-out")
        self._story.tell(self.name, f"{call.name}: the delayed write landed just now")

    def _end(self, under_way: Pass, attempt: Attempt) -> None:
        outcome, ring = attempt.outcome, attempt.keyring
        assert outcome is not None
        failed = isinstance(outcome, KeyvaultJWTError)
        if ring is not None and (attempt.commits or not failed):
            self.marks.save(under_way.ring.name, mark_of(ring))
        if isinstance(outcome, DocumentTooLarge):
            self._site.happened("fault: routine refused by a full store")
        told = outcome.code if isinstance(outcome, KeyvaultJWTError) else f"{outcome.commits} commits"
        self._story.tell(self.name, f"{under_way.ring.name}: ends, {told}")
        if isinstance(outcome, Report):
            self._site.happened(command_name(under_way.asked, under_way.active))
        self._leave(under_way, outcome)

    @staticmethod
    def _leave(under_way: Pass, outcome: Report | KeyvaultJWTError | None) -> None:
        under_way.ring.under_way -= 1
        under_way.ended(outcome)


class Pass:
    """What goes with a pass under way: its command and keyring, its process's life, who hears of its end."""

    __slots__ = ("active", "asked", "ended", "life", "ring")

    def __init__(self, asked: Command, ring: Ring, life: int, ended: Ended) -> None:
        self.asked, self.ring, self.life, self.ended = asked, ring, life, ended
        self.active = ring.signing

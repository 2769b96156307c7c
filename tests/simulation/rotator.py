"""A rotator's process: it drives real attempts call by call, and everything can go wrong between two."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from keyvault_jwt.attempt import Attempt
from keyvault_jwt.calls import Answer, Generate, Read, Wait, Write
from keyvault_jwt.decision import Command
from keyvault_jwt.errors import Conflict, KeyvaultJWTError, StoreTimeout, StoreUnavailable
from keyvault_jwt.report import Report, mark_of
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
        self._go_on(Pass(ring, self.lives, ended), attempt)

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
        pause += under_way.ring.faults.latency() if isinstance(call, Read | Write) else 0
        self._agenda.after(pause, lambda: self._call(under_way, attempt))

    def _call(self, under_way: Pass, attempt: Attempt) -> None:
        """Carry out the call that was under way, unless its process is gone."""
        if under_way.life != self.lives:
            self._leave(under_way, None)
            return
        call, faults = attempt.call, under_way.ring.faults
        crashes = isinstance(call, Write) and faults.strikes(faults.crash)
        if crashes and self._site.dice.random() < 0.5:
            self.crash()
            self._leave(under_way, None)
            return
        answer = self._answer(under_way, attempt)
        if crashes:
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
            self._story.tell(self.name, f"{call.name}: the store can't be reached")
            return StoreUnavailable("no route to the store")
        if isinstance(call, Read):
            most = self._store.staleness
            late = self._site.dice.choice((0, most, self._site.dice.randint(0, most))) if most else 0
            return self._store.as_of(call.name, self._agenda.now - late)
        return self._written(call, under_way.ring)

    def _written(self, call: Write, ring: Ring) -> Answer:
        faults, lost = ring.faults, StoreTimeout("no answer came")
        if faults.strikes(faults.dropped):
            self._story.tell(self.name, f"{call.name}: the write is lost")
            return lost
        if faults.strikes(faults.late):
            self._agenda.after(faults.delay(), lambda: self._land_late(call, ring))
            self._story.tell(self.name, f"{call.name}: the write is delayed")
            return lost
        try:
            version = self._store.replace(call.name, call.draft, call.expected)
        except Conflict as error:
            self._story.tell(self.name, f"{call.name}: another was faster")
            return error
        if faults.strikes(faults.answer_lost):
            self._story.tell(self.name, f"{call.name}: written, and the answer is lost")
            return lost
        if faults.strikes(faults.sent_twice):
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
        self._story.tell(self.name, f"{call.name}: the delayed write landed just now")

    def _end(self, under_way: Pass, attempt: Attempt) -> None:
        outcome, ring = attempt.outcome, attempt.keyring
        assert outcome is not None
        failed = isinstance(outcome, KeyvaultJWTError)
        if ring is not None and (attempt.commits or not failed):
            self.marks.save(under_way.ring.name, mark_of(ring))
        told = outcome.code if isinstance(outcome, KeyvaultJWTError) else f"{outcome.commits} commits"
        self._story.tell(self.name, f"{under_way.ring.name}: ends, {told}")
        self._leave(under_way, outcome)

    @staticmethod
    def _leave(under_way: Pass, outcome: Report | KeyvaultJWTError | None) -> None:
        under_way.ring.under_way -= 1
        under_way.ended(outcome)


class Pass:
    """What goes with a pass under way: its keyring, its process's life, who is told of its end."""

    __slots__ = ("ended", "life", "ring")

    def __init__(self, ring: Ring, life: int, ended: Ended) -> None:
        self.ring, self.life, self.ended = ring, life, ended

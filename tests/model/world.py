"""A world in one value: a store, passes under way, writes still in the wires, a clock, a witness.

Every action returns a new world, so that a search can go back and try another one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from uuid import UUID

from keyvault_jwt import document
from keyvault_jwt.attempt import Attempt
from keyvault_jwt.calls import Answer, Generate, Read, Wait, Write
from keyvault_jwt.clock import Instant, Milliseconds
from keyvault_jwt.decision import Command
from keyvault_jwt.errors import Conflict, StoreTimeout, StoreUnavailable
from keyvault_jwt.marks import Mark
from keyvault_jwt.report import Report
from keyvault_jwt.store import DocumentName, Limits, Version, Versioned
from tests.model.counted_keys import counted_key
from tests.model.model_store import RING, ModelStore
from tests.model.witness import Unwatched, Witness

LIMITS = Limits(document_bytes=1 << 20)
START: Instant = 1_767_225_600_000


@dataclass(frozen=True, slots=True)
class Pass:
    """One attempt of one process; `number` seeds its write ids and keys."""

    number: int
    attempt: Attempt
    calls: int = 0
    crashed: bool = False

    @property
    def over(self) -> bool:
        """Whether it does nothing more."""
        return self.crashed or self.attempt.call is None

    @property
    def report(self) -> Report:
        """Its report; fails with the error that it ended with instead."""
        if isinstance(self.attempt.outcome, Report):
            return self.attempt.outcome
        assert isinstance(self.attempt.outcome, Exception), "the pass is not over"
        raise self.attempt.outcome

    @property
    def key(self) -> tuple[object, ...]:
        """What tells this pass at this point from every other."""
        a = self.attempt
        pending = None if a.commitment is None else a.commitment.write.draft.write_id
        return (
            self.number,
            self.crashed,
            a.stage,
            _call_key(a.call),
            type(a.outcome),
            None if a.keyring is None else (a.keyring.revision, a.keyring.write_id),
            a.version,
            tuple((kind, s.version, s.observed, hash(s.data)) for kind, s in sorted(a.seen.items())),
            len(a.archives),
            tuple(key.kid for key in a.fresh),
            pending and (pending, a.commitment.sent, a.commitment.unread),  # type: ignore[union-attr]
            a.archive,
            a.moved,
            (a.commits, a.races, a.doubts, a.news, len(a.alarms)),
        )


def _call_key(call: object) -> object:
    if isinstance(call, Write):
        return ("write", call.name, call.expected, hash(call.draft.data))
    return call


@dataclass(frozen=True, slots=True)
class World:
    """Everything there is."""

    store: ModelStore
    witness: Witness
    now: Instant = START
    passes: tuple[Pass, ...] = ()
    in_flight: tuple[Write, ...] = ()
    started: int = 0
    lagging: bool = False

    @classmethod
    def empty(cls, staleness: Milliseconds = 0, *, lagging: bool = False) -> World:
        """Return a world with nothing in it, whose store declares S as `staleness`.

        With `lagging`, every read is as old as S allows.
        """
        return cls(ModelStore(), Witness(staleness), lagging=lagging)

    @property
    def key(self) -> tuple[object, ...]:
        """What tells this world from every other."""
        flying = tuple(sorted((w.name, w.expected or "", hash(w.draft.data)) for w in self.in_flight))
        return (self.store.key, self.witness.key, self.now, tuple(p.key for p in self.passes), flying)

    # --- passes -----------------------------------------------------------------------------

    def begin(self, command: Command, *, mark: Mark | None = None, limits: Limits = LIMITS) -> World:
        """Start a pass; it has not called the store yet."""
        staleness, number = self.witness.staleness, self.started + 1
        attempt = Attempt.begin(command, RING, staleness=staleness, limits=limits, mark=mark)
        return replace(self, passes=(*self.passes, Pass(number, attempt)), started=number)

    def running(self) -> Iterator[int]:
        """Yield the index of every pass that is not over."""
        return (index for index, each in enumerate(self.passes) if not each.over)

    def answer(self, index: int, answer: Answer) -> World:
        """Give a pass an answer to its call."""
        asked = self.passes[index]
        calls = asked.calls + 1
        attempt = asked.attempt.resume(answer, now=self.now, write_id=UUID(int=(asked.number << 32) + calls))
        return self._with(index, replace(asked, attempt=attempt, calls=calls))

    def crash(self, index: int) -> World:
        """End a pass where it stands."""
        return self._with(index, replace(self.passes[index], crashed=True))

    def _with(self, index: int, changed: Pass) -> World:
        passes = tuple(changed if at == index else each for at, each in enumerate(self.passes))
        return replace(self, passes=passes)

    # --- calls ------------------------------------------------------------------------------

    def step(self, index: int) -> World:
        """Carry out a pass's call and give it the true answer."""
        asked = self.passes[index]
        call = asked.attempt.call
        if isinstance(call, Read):
            return self.answer(index, self._seen(call.name))
        if isinstance(call, Generate):
            return self.answer(index, counted_key(call.algorithm, asked.number * 1000 + asked.calls))
        if isinstance(call, Wait):
            return self.later(call.duration).answer(index, None)
        assert isinstance(call, Write)
        world = self.land(call)
        if world is None:
            return self.answer(index, Conflict("another version is there"))
        stored = world.store.read(call.name)
        assert stored is not None
        return world.answer(index, Version(stored.version))

    def _seen(self, name: DocumentName) -> Versioned | None:
        if not self.lagging:
            return self.store.read(name)
        return self.store.read_stale(name, self.now, self.witness.staleness)

    def land(self, write: Write) -> World | None:
        """Let a write take effect; None if another version is there."""
        store = self.store.replaced(write.name, write.draft, write.expected, self.now)
        if store is None:
            return None
        return replace(self, store=store, witness=self.witness.landed(write.name, write.draft, self.now))

    def faults(self, index: int) -> Iterator[tuple[str, World]]:
        """Yield each way in which a pass's call can go wrong."""
        call = self.passes[index].attempt.call
        yield "crash", self.crash(index)
        if isinstance(call, Read | Write):
            yield "unavailable", self.answer(index, StoreUnavailable("no route"))
        if isinstance(call, Read):
            stale = self.store.read_stale(call.name, self.now, self.witness.staleness)
            if self.witness.staleness and stale != self.store.read(call.name):
                yield "stale", self.answer(index, stale)
        if isinstance(call, Write):
            lost = StoreTimeout("no answer came")
            yield "dropped", self.answer(index, lost)
            yield "late", replace(self, in_flight=(*self.in_flight, call)).answer(index, lost)
            yield "late and crash", replace(self, in_flight=(*self.in_flight, call)).crash(index)
            landed = self.land(call)
            if landed is not None:
                yield "answer lost", landed.answer(index, lost)
                yield "sent twice", landed.answer(index, Conflict("our own first sending was there"))
                yield "landed, crash", landed.crash(index)

    def late_landings(self) -> Iterator[tuple[str, World]]:
        """Yield the world after each write that is still under way arrived."""
        for at, write in enumerate(self.in_flight):
            rest = replace(self, in_flight=self.in_flight[:at] + self.in_flight[at + 1 :])
            yield f"{write.name.kind} lands late", rest.land(write) or rest

    # --- time, and whole passes --------------------------------------------------------------

    def later(self, by: Milliseconds) -> World:
        """Let time pass."""
        return replace(self, now=self.now + by)

    def finish(self, index: int = -1) -> World:
        """Let one pass run to its end, without faults."""
        world, at, patience = self, index % len(self.passes), 600
        while not world.passes[at].over:
            world, patience = world.step(at), patience - 1
            assert patience, "the pass does not come to an end"
        return world

    def run(self, command: Command, *, mark: Mark | None = None, limits: Limits = LIMITS) -> World:
        """Run one more pass from beginning to end, without faults."""
        return self.begin(command, mark=mark, limits=limits).finish()

    @property
    def report(self) -> Report:
        """The last pass's report."""
        return self.passes[-1].report

    def alone(self) -> World:
        """Return the world without its passes: they are done or forgotten."""
        return replace(self, passes=())

    def restored(self, backup: ModelStore, *names: DocumentName) -> World:
        """Put documents back to what they were (all, if none is named), behind everybody's back."""
        return replace(self, store=self.store.restored(backup, self.now, *names), passes=())

    def without(self, *names: DocumentName) -> World:
        """Delete documents behind everybody's back."""
        store = self.store
        for name in names:
            store = store.put(name, None, self.now)
        return replace(self, store=store, passes=())

    def unwatched(self) -> World:
        """Let a new witness look: what was undone behind everybody's back is no pass's doing."""
        return replace(self, witness=Unwatched(self.witness.staleness))

    # --- looking ----------------------------------------------------------------------------

    @property
    def keyring(self) -> document.Keyring:
        """The keyring as last committed."""
        assert self.witness.latest is not None
        return self.witness.latest

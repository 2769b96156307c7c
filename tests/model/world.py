"""A world in one value: a store, passes under way, writes still in the wires, a clock, a witness.

Every action returns a new world, so that a search can go back and try another one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from uuid import UUID

from keyvault_jwt import document
from keyvault_jwt.attempt import Attempt
from keyvault_jwt.calls import Answer, Generate, Read, Wait, Write
from keyvault_jwt.clock import Instant, Milliseconds
from keyvault_jwt.decision import Command
from keyvault_jwt.errors import Conflict, KeyvaultJWTError, StoreTimeout, StoreUnavailable
from keyvault_jwt.key_factory import FreshKey
from keyvault_jwt.keys import KeyState
from keyvault_jwt.marks import Mark
from keyvault_jwt.report import Report
from keyvault_jwt.store import DocumentName, Limits, Version, Versioned
from tests.model.counted_keys import counted_key
from tests.model.model_store import RING, ModelStore
from tests.model.unwatched import Unwatched
from tests.model.witness import Witness

LIMITS = Limits(document_bytes=1 << 20)
START: Instant = 1_767_225_600_000
FAULTS = (
    "crash",
    "unavailable",
    "stale",
    "dropped",
    "late",
    "late and crash",
    "answer lost",
    "sent twice",
    "landed, crash",
)
_64_BITS = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Failed:
    """A store's answer that is an error, as a value: each pass gets an instance of its own."""

    kind: type[KeyvaultJWTError]
    what: str


@dataclass(frozen=True, eq=False)
class Pass:
    """One attempt of one process; `number` seeds its write ids and keys.

    `ahead` is how far its machine's clock is before the world's, `asked` when its call began;
    `hindered` says that the store failed it, `rested` are the keys whose state it changed.
    Passes are equal if nothing tells them apart.
    """

    number: int
    attempt: Attempt
    calls: int = 0
    crashed: bool = False
    who: str = ""
    ahead: Milliseconds = 0
    asked: Instant = 0
    hindered: bool = False
    rested: frozenset[str] = frozenset()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pass) and self.key == other.key

    def __hash__(self) -> int:
        return self.mark

    @cached_property
    def mark(self) -> int:
        """The hash of its key, worked out once."""
        return hash(self.key)

    def answered(self, answer: Answer | Failed, now: Instant) -> Pass:
        """Return the pass after an answer to its call, at the world's time `now`."""
        if isinstance(answer, FreshKey | KeyvaultJWTError):
            return _answered.__wrapped__(self, answer, now)
        return _answered(self, answer, now)

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

    @cached_property
    def key(self) -> tuple[object, ...]:
        """What tells this pass at this point from every other."""
        a = self.attempt
        pending = None if a.commitment is None else a.commitment.write.draft.write_id
        return (
            self.number,
            self.crashed,
            self.hindered,
            self.rested,
            self.ahead,
            self.asked if isinstance(a.call, Wait) else 0,
            a.stage,
            _call_key(a.call),
            type(a.outcome),
            None if a.keyring is None else (a.keyring.revision, a.keyring.write_id),
            a.version,
            tuple((kind, s.version, s.observed, hash(s.data)) for kind, s in sorted(a.seen.items())),
            len(a.archives),
            tuple(key.kid for key in a.fresh),
            pending and (pending, a.commitment.sent, a.commitment.unread, a.commitment.settled),  # type: ignore[union-attr]
            a.archive,
            a.moved,
            (a.commits, a.races, a.doubts, a.news, len(a.alarms)),
        )


@lru_cache(maxsize=1 << 18)
def _answered(asked: Pass, answer: Answer | Failed, now: Instant) -> Pass:
    """Resume the attempt.  It is pure, so that worlds in which the same happens share the result."""
    given = answer.kind(answer.what) if isinstance(answer, Failed) else answer
    # What is written follows from these three alone, so its id may, too: equal ids mean equal bytes.
    told = given.kid if isinstance(given, FreshKey) else answer
    write_id = UUID(int=hash((asked.key, told, now)) & _64_BITS)
    attempt = asked.attempt.resume(given, now=now + asked.ahead, write_id=write_id)
    if isinstance(attempt.outcome, Exception):
        attempt.outcome.__traceback__ = None  # its frames would keep every world alive
    hindered = asked.hindered or (isinstance(answer, Failed) and answer.kind is not Conflict)
    return replace(asked, attempt=attempt, calls=asked.calls + 1, asked=now, hindered=hindered)


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
        return cls(ModelStore(staleness), Witness(staleness), lagging=lagging)

    @property
    def key(self) -> tuple[object, ...]:
        """What tells this world from every other."""
        flying = tuple(sorted((w.name, w.expected or "", hash(w.draft.data)) for w in self.in_flight))
        return (self.store.mark, self.witness.mark, self.now, tuple(p.mark for p in self.passes), flying)

    # --- passes -----------------------------------------------------------------------------

    def begin(self, command: Command, *, mark: Mark | None = None, limits: Limits = LIMITS) -> World:
        """Start a pass; it has not called the store yet."""
        started = self.started + 1
        new = self.new_pass(command, f"{started}", mark=mark, limits=limits)
        return replace(self, passes=(*self.passes, new), started=started)

    def new_pass(
        self,
        command: Command,
        who: str,
        *,
        mark: Mark | None = None,
        limits: Limits = LIMITS,
        ahead: Milliseconds = 0,
    ) -> Pass:
        """Return a pass about to begin; its number is another wherever anything else is different."""
        attempt = Attempt.begin(command, RING, staleness=self.witness.staleness, limits=limits, mark=mark)
        told = repr((who, command, self.now, ahead, mark, limits, self.witness.staleness, self.store.digest))
        number = int.from_bytes(hashlib.sha256(told.encode()).digest()[:8], "big")
        return Pass(number, attempt, who=who, ahead=ahead, asked=self.now)

    def running(self) -> Iterator[int]:
        """Yield the index of every pass that is not over."""
        return (index for index, each in enumerate(self.passes) if not each.over)

    def answer(self, index: int, answer: Answer | Failed) -> World:
        """Give a pass an answer to its call."""
        return self._with(index, self.passes[index].answered(answer, self.now))

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
            return self.answer(index, counted_key(call.algorithm, asked.mark & _64_BITS))
        if isinstance(call, Wait):
            return self.later(call.duration).answer(index, None)
        assert isinstance(call, Write)
        world = self.land(call)
        if world is None:
            return self.answer(index, Failed(Conflict, "another version is there"))
        stored = world.store.read(call.name)
        assert stored is not None
        return world._rested(index, self.witness.latest).answer(index, Version(stored.version))

    def _rested(self, index: int, before: document.Keyring | None) -> World:
        """Note whose state a pass's write changed; no pass may change a key's state twice (I7)."""
        asked, after = self.passes[index], self.witness.latest
        if before is None or after is None or after is before:
            return self
        was = {record.kid: record.state for record in before.records}
        changed = {
            record.kid
            for record in after.records
            if was.get(record.kid, record.state) is not record.state
            and KeyState.COMPROMISED not in (record.state, was[record.kid])
        }
        twice = changed & asked.rested
        assert not twice, f"I7: one pass changes the state of {sorted(twice)} twice"
        return self._with(index, replace(asked, rested=asked.rested | changed))

    def _seen(self, name: DocumentName) -> Versioned | None:
        if not self.lagging:
            return self.store.read(name)
        return self.store.read_stale(name, self.now)

    def land(self, write: Write) -> World | None:
        """Let a write take effect; None if another version is there."""
        store = self.store.replaced(write.name, write.draft, write.expected, self.now)
        if store is None:
            return None
        return replace(self, store=store, witness=self.witness.landed(write.name, write.draft, self.now))

    def faults(self, index: int) -> Iterator[tuple[str, World]]:
        """Yield each way in which a pass's call can go wrong."""
        for kind in FAULTS:
            world = self.fault(index, kind)
            if world is not None:
                yield kind, world

    def fault(self, index: int, kind: str) -> World | None:
        """Return the world after a pass's call went wrong in one way, None if it can't."""
        call = self.passes[index].attempt.call
        if kind == "crash":
            return self.crash(index)
        if isinstance(call, Write):
            return self._failed_write(index, call, kind)
        if not isinstance(call, Read):
            return None
        if kind == "unavailable":
            return self.answer(index, Failed(StoreUnavailable, "no route"))
        stale = self.store.read_stale(call.name, self.now)
        if kind == "stale" and stale != self.store.read(call.name):
            return self.answer(index, stale)
        return None

    def _failed_write(self, index: int, call: Write, kind: str) -> World | None:
        lost = Failed(StoreTimeout, "no answer came")
        answers = {"unavailable": Failed(StoreUnavailable, "no route"), "dropped": lost}
        if kind in answers:
            return self.answer(index, answers[kind])
        if kind in {"late", "late and crash"}:
            late = replace(self, in_flight=(*self.in_flight, call))
            return late.answer(index, lost) if kind == "late" else late.crash(index)
        landed = self.land(call)
        if landed is None or kind == "landed, crash":
            return landed and landed.crash(index)
        answers = {"answer lost": lost, "sent twice": Failed(Conflict, "our own first sending was there")}
        return landed.answer(index, answers[kind]) if kind in answers else None

    def late_landings(self) -> Iterator[tuple[str, World]]:
        """Yield the world after each write that is still under way arrived."""
        for at, write in enumerate(self.in_flight):
            yield f"{write.name.kind} lands late", self.arrived(at)

    def arrived(self, at: int) -> World:
        """Return the world after one of the writes under way arrived, whether or not it took effect."""
        rest = replace(self, in_flight=self.in_flight[:at] + self.in_flight[at + 1 :])
        return rest.land(self.in_flight[at]) or rest

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
        assert self.witness.latest is not None, "no keyring was committed"
        return self.witness.latest

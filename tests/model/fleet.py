"""A fleet: the world with its schedulers and operator, the crowd of readers, and what may still happen."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache

from keyvault_jwt import document
from keyvault_jwt.clock import Instant, Milliseconds
from keyvault_jwt.command import Reconcile, Revoke
from keyvault_jwt.decision import Command
from keyvault_jwt.errors import (
    ClockBehind,
    DocumentTooLarge,
    KeyringFrozen,
    RolledBack,
    StoreError,
)
from keyvault_jwt.keyring import Keyring
from keyvault_jwt.marks import Mark
from keyvault_jwt.plan import plan
from keyvault_jwt.report import Report, mark_of
from keyvault_jwt.store import DocumentKind, DocumentName, Limits
from tests.model.model_store import AUTHORITY, RING, ModelStore
from tests.model.properties import bounds_of, check
from tests.model.readers import Crowd
from tests.model.shown import authority_of
from tests.model.unwatched import Noting, Unwatched
from tests.model.world import LIMITS, Pass, World

OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Left:
    """What may still happen on a path: every path is finite, and the search of them all is, too.

    `commands` are the operator's, in turn; `faults` of the store or a process; `steps` of one
    scheduler's clock within ε; `idle` passes that begin although nothing is due; `restores` of
    the store, each to what it was at the start of the course; `delays` are seconds that pass
    while a pass runs or something is due, `overlaps` passes that begin while another one runs
    (None: as many as there are).
    """

    faults: int = 0
    commands: int = 0
    steps: int = 0
    idle: int = 0
    restores: int = 0
    delays: int | None = None
    overlaps: int | None = None


@dataclass(frozen=True, slots=True)
class Machine:
    """Where a scheduler or the operator works: its high-water mark, and how far its clock is ahead."""

    name: str
    mark: Mark | None = None
    ahead: Milliseconds = 0


@dataclass(frozen=True, slots=True)
class Fleet:
    """Everything there is, at one moment.

    `skew` is how far apart two clocks may be here: 0, or the policy's ε.  `bounds` are the
    kids and when each must be gone; `backup` is what a restore brings back.
    """

    world: World
    machines: tuple[Machine, ...]
    end: Instant
    left: Left = Left()
    crowd: Crowd = field(default_factory=Crowd)
    skew: Milliseconds = 0
    limits: Limits = LIMITS
    backup: ModelStore | None = field(default=None, repr=False)
    waived: bool = False
    bounds: tuple[tuple[str, Instant], ...] = ()

    @classmethod
    def over(
        cls, world: World, *, schedulers: int, during: Milliseconds, left: Left, **more: object
    ) -> Fleet:
        """Return a fleet at work on a world, for `during` milliseconds from now."""
        names = [f"scheduler {number}" for number in range(1, schedulers + 1)]
        begun = world.alone()
        # Who has seen the past keeps its mark: that is what a restore is noticed by.
        mark = mark_of(begun.keyring) if more.get("backup") is not None else None
        machines = tuple(Machine(name, mark) for name in (*names, OPERATOR))
        return cls(begun, machines, begun.now + during, left, **more).looked()  # type: ignore[arg-type]

    @property
    def state(self) -> tuple[object, ...]:
        """What tells this fleet from every other; what may still happen is no part of it."""
        at = tuple((m.ahead, m.mark and m.mark.position) for m in self.machines)
        return (self.world.key, at, self.crowd.mark)

    @property
    def key(self) -> int:
        """What tells this point of the search from every other."""
        return hash((self.state, self.left))

    @property
    def keyring(self) -> Keyring | None:
        """The keyring as last committed."""
        return self.world.witness.latest

    @property
    def quiet(self) -> bool:
        """Whether no pass runs and no write is under way."""
        return not (self.world.passes or self.world.in_flight)

    def looked(self) -> Fleet:
        """Return the fleet after all readers looked at the store; fails where a promise is broken."""
        world = self.world
        crowd = self.crowd.seen(world.store, world.now, self.skew)
        bounds = bounds_of(world.witness, self.bounds)
        check(crowd, world.witness, bounds, world.now, waived=self.waived)
        return replace(self, crowd=crowd, bounds=bounds)

    def moved(self, world: World) -> Fleet:
        """Return the fleet with its world gone on: passes that are over leave their mark and go."""
        machines = self.machines
        for each in world.passes:
            self._ends_well(each)
        if any(each.over for each in world.passes):
            machines = tuple(_marked(machine, world.passes) for machine in machines)
            world = replace(world, passes=tuple(p for p in world.passes if not p.over))
        return replace(self, world=world, machines=machines).looked()

    def _ends_well(self, each: Pass) -> None:
        """Fail if a scheduler's own plan breaks a rule, or a revocation says done when it is not."""
        outcome, command = each.attempt.outcome, each.attempt.command
        if isinstance(command, Reconcile) and isinstance(outcome, Exception):
            fair = (
                (each.hindered and isinstance(outcome, StoreError))
                or (not self.crowd.newcomers and isinstance(outcome, RolledBack))
                or (self.limits is not LIMITS and isinstance(outcome, DocumentTooLarge))
                or (self.skew and isinstance(outcome, ClockBehind))
                or isinstance(outcome, KeyringFrozen)
            )
            assert fair, f"{each.who} can't do what it planned: {outcome}"
        if isinstance(command, Revoke):
            assert not isinstance(outcome, DocumentTooLarge), (
                f"I6: there is no room for a revocation: {outcome}"
            )
            if isinstance(outcome, Report):
                record = outcome.keyring.record(command.kid)
                assert record.revoked or record.removed, (
                    f"{command.kid} is told as revoked, its removal unseen"
                )

    def restored(self, *names: DocumentName) -> Fleet:
        """Return the fleet with documents (all, if none is named) put back to the backup's.

        From here on nobody starts without a memory.  With the authority, what it alone knew is
        lost: that revoked keys stay refused is what remains promised then.
        """
        assert self.backup is not None
        world, left = self.world, replace(self.left, restores=self.left.restores - 1)
        store = world.store.restored(self.backup, world.now, *names)
        crowd, bounds = replace(self.crowd, newcomers=False), self.bounds
        derived = [name for name in names or store.documents if name.kind is not DocumentKind.AUTHORITY]
        witness = world.witness
        for name in derived:
            found = store.read(name)
            witness = witness.undone(name, None if found is None else found.draft, world.now)
        if AUTHORITY in (names or (AUTHORITY,)):
            authority = store.read(AUTHORITY)
            latest = None if authority is None else authority_of(authority.draft.data, RING)
            witness = Noting.after(witness, latest)
            known = frozenset[str]().union(*(m.mark.revoked for m in self.machines if m.mark is not None))
            bounds = tuple((kid, at) for kid, at in bounds if kid in known)
        world = replace(world, store=store, witness=witness)
        waived = self.waived or isinstance(witness, Unwatched)
        undone = replace(self, world=world, left=left, crowd=crowd, bounds=bounds, waived=waived)
        return undone.looked()

    def begun(self, machine: Machine, command: Command) -> Fleet:
        """Return the fleet with one more pass under way."""
        left = self.left
        if self.world.passes and left.overlaps is not None:
            left = replace(left, overlaps=left.overlaps - 1)
        new = self.world.new_pass(
            command,
            f"{machine.name} {self.left.faults}",
            mark=machine.mark,
            limits=self.limits,
            ahead=machine.ahead,
        )
        new = replace(new, who=machine.name)
        passes = tuple(sorted((*self.world.passes, new), key=lambda p: p.who))
        return replace(self, world=replace(self.world, passes=passes), left=left)

    @property
    def may_begin(self) -> bool:
        """Whether one more pass may begin now."""
        return not self.world.passes or self.left.overlaps != 0

    def idle(self) -> tuple[Machine, ...]:
        """Return the schedulers that are doing nothing; of those that are alike, one."""
        busy = {each.who for each in self.world.passes}
        free = [m for m in self.machines if m.name not in busy and m.name != OPERATOR]
        alike: dict[tuple[Mark | None, Milliseconds], Machine] = {}
        for machine in free:
            alike.setdefault((machine.mark, machine.ahead), machine)
        return tuple(alike.values())

    @property
    def operator(self) -> Machine | None:
        """The operator's machine, None while a command of theirs runs."""
        machine = next(m for m in self.machines if m.name == OPERATOR)
        return None if any(p.who == OPERATOR for p in self.world.passes) else machine

    def due(self, machine: Machine) -> bool:
        """Whether a scheduler that looks now finds something to do."""
        ring, now = self.keyring, self.world.now + machine.ahead
        if ring is None or ring.frozen_to is not None:
            return False
        due = plan(ring, now, staleness=self.world.witness.staleness, limits=self.limits).next_due
        return (due is not None and due <= now) or self.lags(ring)

    def later(self, tick: Milliseconds) -> Fleet | None:
        """Return the fleet after a tick, None if the course ends before or nothing may be delayed."""
        if self.world.now + tick > self.end:
            return None
        left = self.left
        if left.delays is not None and (self.world.passes or any(self.due(m) for m in self.idle())):
            if not left.delays:
                return None
            left = replace(left, delays=left.delays - 1)
        return replace(self, world=self.world.later(tick), left=left)

    def lags(self, ring: Keyring) -> bool:
        """Whether a derived document is not what the keyring derives, or a stamp is missing."""
        behind = any(not self._says(kind) for kind in document.derived_kinds(ring))
        return behind or any(_unproven(record) for record in ring.records)

    def _says(self, kind: DocumentKind) -> bool:
        authority = self.world.store.read(AUTHORITY)
        found = self.world.store.read(DocumentName(RING, kind))
        if authority is None or found is None:
            return False
        return _says_what_it_must(kind, found.draft.data, authority.draft.data)


@lru_cache(maxsize=1 << 16)
def _says_what_it_must(kind: DocumentKind, data: bytes, authority: bytes) -> bool:
    wanted = document.derive(kind, document.decode_authority(RING, authority))
    return document.says_the_same(document.decode_derived(DocumentName(RING, kind), data), wanted)


def _marked(machine: Machine, passes: tuple[Pass, ...]) -> Machine:
    """Return the machine after its pass: one that crashed had no time to remember anything."""
    for each in passes:
        ring, outcome = each.attempt.keyring, each.attempt.outcome
        saved = outcome is not None and (each.attempt.commits or isinstance(outcome, Report))
        if each.who == machine.name and not each.crashed and saved and ring is not None:
            mark = mark_of(ring)
            return replace(machine, mark=mark if machine.mark is None else machine.mark.raised_to(mark))
    return machine


def _unproven(record: object) -> bool:
    stamps = {
        "pre-activation": "published",
        "deactivated": "stopped",
        "compromised": "revoked",
        "destroyed": "removed",
    }
    stamp = stamps.get(record.state.value)  # type: ignore[attr-defined]
    return stamp is not None and getattr(record, stamp) is None

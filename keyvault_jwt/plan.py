"""plan(keyring, now) -> Plan: what is due, every inequality that gates it, and when the next thing is.

Rules are evaluated as if the steps before them were already made, and clocks start at the
last observed fact, never at an earlier plan.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from . import invariants
from .check import Check, Invariant
from .clock import Instant, Milliseconds
from .duration import milliseconds
from .key_factory import FreshKey
from .keyring import Keyring
from .keys import KeyRecord, KeyState
from .store import UNDECLARED_LIMITS, Limits

KEPT_TOMBSTONES: Final = 32
"""How many tombstones stay in `authority` before the older half moves to an archive."""
KEPT_ENTRIES: Final = 256
"""How many ledger entries stay in `authority` before the older half moves to an archive."""
_FEWEST_TOMBSTONES, _FEWEST_ENTRIES = 2, 48
_BYTES_PER_ENTRY: Final = 1024
"""A document's bytes for each entry that stays: about five times what it takes."""
_TOMBSTONES_SHARE: Final = 8
"""What tombstones may fill of a document: one part in so many."""
_BYTES_BESIDE_PUBLIC: Final = 384
"""What a tombstone has beside the public half."""


class Action(StrEnum):
    """What one step does."""

    ADD = "add-standby"
    PROMOTE = "promote"
    DROP_PRIVATE = "drop-private-half"
    DESTROY = "destroy"
    ARCHIVE = "archive"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do now, and why."""

    action: Action
    kid: str = ""
    algorithm: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What `reconcile` would do at the instant `at`; `next_due` is when to look again (None: never)."""

    ring: str
    revision: int
    at: Instant
    steps: tuple[Step, ...]
    checks: tuple[Check, ...]
    next_due: Instant | None
    rotation_due: Instant | None = None

    @property
    def broken(self) -> tuple[Check, ...]:
        """The checks that no waiting mends: a rule of the policy itself."""
        return tuple(c for c in self.checks if not c.holds and c.invariant is Invariant.CAPACITY)


@dataclass(frozen=True, slots=True)
class KeptHistory:
    """How many tombstones and entries stay in `authority`: fewer where a document holds little."""

    tombstones: int
    entries: int

    @classmethod
    def of(cls, keyring: Keyring, limits: Limits) -> KeptHistory:
        """Return what the store's documents have room for, beside keys as large as this keyring's."""
        largest = max((sum(map(len, (r.public or {}).values())) for r in keyring.records), default=0)
        tombstones = limits.document_bytes // _TOMBSTONES_SHARE // (largest + _BYTES_BESIDE_PUBLIC)
        entries = limits.document_bytes // _BYTES_PER_ENTRY
        return cls(
            min(KEPT_TOMBSTONES, max(_FEWEST_TOMBSTONES, tombstones)),
            min(KEPT_ENTRIES, max(_FEWEST_ENTRIES, entries)),
        )


@dataclass(frozen=True, slots=True)
class _View:
    """What the rules look at: a keyring at an instant, in a store with its S and caps."""

    keyring: Keyring
    now: Instant
    staleness: Milliseconds
    moved: frozenset[str]


def plan(
    keyring: Keyring,
    now: Instant,
    *,
    staleness: Milliseconds = 0,
    limits: Limits = UNDECLARED_LIMITS,
    moved: frozenset[str] = frozenset(),
) -> Plan:
    """Return what is due at `now`, in milliseconds since the Unix epoch.

    `staleness` is the store's S in milliseconds; `moved` are the kids that already made a
    gated transition in this pass and rest until the next one (I7).
    """
    view = _View(keyring, now, staleness, moved)
    checks: list[Check] = list(invariants.capacity(keyring.policy, staleness, limits))
    if keyring.frozen_to is not None:
        return Plan(keyring.ring, keyring.revision, now, (), tuple(checks), None)
    due, promotion = _promotion(view, checks)
    steps = [] if promotion is None else [promotion]
    promoted = frozenset() if promotion is None else frozenset({promotion.kid})
    steps += _additions(view, promotion)
    steps += _discards(view, promoted, promotion)
    steps += _endings(view, checks)
    if _wants_archive(keyring, KeptHistory.of(keyring, limits)):
        steps.append(Step(Action.ARCHIVE, reason="authority holds enough history"))
    checks += _standing(view, tuple(steps))
    waits = [c.earliest for c in checks if c.earliest is not None and c.earliest > now]
    waits += [due] if due is not None and due > now else []
    waits += [now] if any(step.action is Action.ADD for step in steps) else []
    return Plan(
        ring=keyring.ring,
        revision=keyring.revision,
        at=now,
        steps=tuple(steps),
        checks=tuple(checks),
        next_due=now if steps else min(waits, default=None),
        rotation_due=due,
    )


def ready_standby(
    keyring: Keyring, now: Instant, staleness: Milliseconds, *, algorithm: str | None = None
) -> KeyRecord | None:
    """Return the standby that has been published longest and satisfies I1, if there is one."""
    for record in keyring.standbys(algorithm or keyring.algorithm):
        if record.can_sign and invariants.lead(keyring, record, now, staleness).holds:
            return record
    return None


def rotation_due(keyring: Keyring) -> Instant | None:
    """Return when the active key has signed for R; None without one."""
    active = keyring.active
    if active is None or active.activated is None:
        return None
    return active.activated + keyring.policy.timing(0).rotate_every


def apply_steps(
    keyring: Keyring, steps: tuple[Step, ...], fresh: Mapping[str, tuple[FreshKey, ...]], now: Instant
) -> Keyring:
    """Return the keyring after the steps, taking new keys from `fresh` by algorithm.

    Archiving is not done here: it needs another document written first.
    """
    unused = {algorithm: list(keys) for algorithm, keys in fresh.items()}
    for step in steps:
        if step.action is Action.PROMOTE:
            keyring = keyring.promoted(step.kid, now, reason=step.reason)
        elif step.action is Action.ADD:
            keyring = keyring.added(unused[step.algorithm].pop(0), now)
        elif step.action is Action.DROP_PRIVATE:
            keyring = keyring.private_dropped(step.kid, now)
        elif step.action is Action.DESTROY:
            keyring = keyring.destroyed(step.kid, now)
    return keyring


def resting(before: Keyring, after: Keyring) -> frozenset[str]:
    """Return the kids whose state the transition changed: they rest until the next pass (I7).

    A compromised key does not rest: an operator's word is no gated transition.
    """
    was = {record.kid: record.state for record in before.records}
    return frozenset(
        record.kid
        for record in after.records
        if was.get(record.kid, record.state) is not record.state and record.state is not KeyState.COMPROMISED
    )


# --- rules ---------------------------------------------------------------------------------


def _promotion(view: _View, checks: list[Check]) -> tuple[Instant | None, Step | None]:
    """Decide whether a standby takes over now; appends I1 and I5 of the candidates."""
    keyring, now = view.keyring, view.now
    active, migration = keyring.active, keyring.migration
    migrating = migration is not None and migration.confirmed
    algorithm = migration.to if migration is not None and migrating else keyring.algorithm
    standbys = [r for r in keyring.standbys(algorithm) if r.can_sign and r.kid not in view.moved]
    leads = [invariants.lead(keyring, r, now, view.staleness) for r in standbys]
    checks.extend(leads)
    due = rotation_due(keyring)
    ready = [r for r, check in zip(standbys, leads, strict=True) if check.holds]
    if active is None:
        # Nothing signs: the first ready key does, and I5 waits for better days.
        step = Step(Action.PROMOTE, ready[0].kid, algorithm, "no key was signing") if ready else None
        return due, step
    if standbys:
        candidate = ready[0] if ready else standbys[0]
        checks.append(invariants.standby(keyring, candidate, now, view.staleness))
    if active.kid in view.moved or not (migrating or (due is not None and now >= due)):
        return due, None
    if not ready or not invariants.standby(keyring, ready[0], now, view.staleness).holds:
        return due, None
    reason = f"migration to {algorithm}" if migrating else "rotation due"
    return due, Step(Action.PROMOTE, ready[0].kid, algorithm, reason)


def _additions(view: _View, promotion: Step | None) -> Iterator[Step]:
    """Keep `standbys` keys ready of what signs after the promotion, and of a migration's target."""
    keyring = view.keyring
    signing = promotion.algorithm if promotion is not None else keyring.algorithm
    targets = [signing]
    if keyring.migration is not None and keyring.migration.to != signing:
        targets.append(keyring.migration.to)
    for algorithm in targets:
        have = sum(record.can_sign for record in keyring.standbys(algorithm))
        taken = promotion is not None and promotion.algorithm == algorithm
        for _ in range(keyring.policy.standbys - have + taken):
            yield Step(Action.ADD, algorithm=algorithm, reason="too few standbys")


def _discards(view: _View, promoted: frozenset[str], promotion: Step | None) -> Iterator[Step]:
    """End standbys that nothing will promote: of an algorithm left behind, too many, or unable to sign.

    A key that somebody imported is never one too many: it waits for its turn.
    """
    keyring = view.keyring
    signing = promotion.algorithm if promotion is not None else keyring.algorithm
    wanted = {signing} | ({keyring.migration.to} if keyring.migration is not None else set())
    for algorithm in dict.fromkeys(r.algorithm for r in keyring.records):
        able = [r for r in keyring.standbys(algorithm) if r.can_sign and r.kid not in promoted]
        unable = [r for r in keyring.standbys(algorithm) if not r.can_sign]
        made = [r for r in able if not r.imported]
        # Where nothing signs, the next to be ready will: until then it is no standby too many.
        first = keyring.active is None and promotion is None and algorithm == signing
        surplus = made[keyring.policy.standbys + first :] if algorithm in wanted else able
        for record in (*surplus, *unable):
            if record.kid not in view.moved:
                yield Step(Action.DESTROY, record.kid, algorithm, "standby no longer wanted")


def _endings(view: _View, checks: list[Check]) -> Iterator[Step]:
    """Drop private halves and end keys whose time has come; appends I2 and I4."""
    for record in view.keyring.records:
        if record.kid in view.moved:
            continue
        if record.state is KeyState.DEACTIVATED:
            yield from _retirement(view, record, checks)
        elif record.state is KeyState.COMPROMISED:
            check = invariants.revocation(view.keyring, record, view.now, view.staleness)
            checks.append(check)
            if check.holds:
                yield Step(Action.DESTROY, record.kid, record.algorithm, "revocation bound passed")


def _retirement(view: _View, record: KeyRecord, checks: list[Check]) -> Iterator[Step]:
    args = (view.keyring, record, view.now, view.staleness)
    gone = invariants.retire(*args)
    checks.append(gone)
    if gone.holds:
        yield Step(Action.DESTROY, record.kid, record.algorithm, "no token of it can be valid")
    elif record.can_sign and not record.symmetric:
        unused = invariants.private_half(*args)
        checks.append(unused)
        if unused.holds:
            yield Step(Action.DROP_PRIVATE, record.kid, record.algorithm, "no rollback or lease needs it")


def _standing(view: _View, steps: tuple[Step, ...]) -> Iterator[Check]:
    """Yield I3 and I8 as they stand, and I7, I9 and I10 of what the steps would do."""
    keyring = view.keyring
    polls = 2 * milliseconds(keyring.policy.signer_poll)
    yield invariants.lease(polls, keyring.policy.timing(0).signer_lease)
    for old in invariants.in_force(keyring, view.now, view.staleness):
        yield invariants.superseded(old, view.now, view.staleness)
    known = tuple(step for step in steps if step.action is not Action.ADD)
    after = apply_steps(keyring, known, {}, view.now)
    yield invariants.catch_up(keyring, after)
    yield invariants.identity(keyring, after)
    yield invariants.order(keyring, after)


def _wants_archive(keyring: Keyring, kept: KeptHistory) -> bool:
    tombstones = sum(record.is_tombstone for record in keyring.records)
    return tombstones > kept.tombstones or len(keyring.ledger.entries) > kept.entries

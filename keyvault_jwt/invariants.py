"""I1–I10, one function each: what must hold before a transition may be written.

A `Check` has a left and a right side and holds while left ≥ right.  Instants are milliseconds
since the Unix epoch, durations milliseconds; a right side of None is a fact not yet observed,
which no waiting alone will mend.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from .check import Check, Invariant, Unit
from .clock import Instant, Milliseconds
from .keyring import Keyring, Superseded
from .keys import KeyRecord, KeyState
from .policy import RotationPolicy
from .store import Limits

WRITES_PER_ROTATION: Final = 5
"""How often one document is written in a rotation's whole course, from due to the old key's end."""

# --- what is in force ----------------------------------------------------------------------


def in_force(keyring: Keyring, now: Instant, staleness: Milliseconds) -> tuple[Superseded, ...]:
    """Return the older policies whose cache values a verifier may still obey (I8)."""
    return tuple(
        old
        for old in keyring.superseded
        if old.changed is None or now < old.changed + old.policy.timing(staleness).exposure
    )


def exposure(keyring: Keyring, now: Instant, staleness: Milliseconds) -> Milliseconds:
    """Return the longest D + S + C + G + ε of the present policy and those still in force."""
    policies = (keyring.policy, *(old.policy for old in in_force(keyring, now, staleness)))
    return max(policy.timing(staleness).exposure for policy in policies)


def _retirement(keyring: Keyring, record: KeyRecord, now: Instant, staleness: Milliseconds) -> Milliseconds:
    policies = (keyring.policy, *(old.policy for old in in_force(keyring, now, staleness)))
    return max(
        policy.timing(staleness).retirement(token_ttl_max=record.token_ttl_max, lease_max=record.lease_max)
        for policy in policies
    )


# --- the ten -------------------------------------------------------------------------------


def lead(keyring: Keyring, record: KeyRecord, now: Instant, staleness: Milliseconds) -> Check:
    """I1: t_sign ≥ t_published + D + S + C + G + ε; keys of the first public document are exempt."""
    wait = 0 if record.founding else exposure(keyring, now, staleness)
    right = None if record.published is None else record.published + wait
    formula = "t_sign ≥ t_published" + ("" if record.founding else " + D + S + C + G + ε")
    return Check(Invariant.LEAD, "lead", now, right, Unit.INSTANT, record.kid, right, formula)


def retire(keyring: Keyring, record: KeyRecord, now: Instant, staleness: Milliseconds) -> Check:
    """I2: t_drop ≥ max(t_stopped + P + S + L_max + W + 2ε, t_stopped + rollback_window + ε)."""
    if record.activated is None:
        right: Instant | None = record.created
    elif record.stopped is None:
        right = None
    else:
        right = record.stopped + _retirement(keyring, record, now, staleness)
    formula = "t_drop ≥ t_stopped + max(P + S + L_max + W + 2ε, rollback_window + ε)"
    return Check(Invariant.RETIRE, "retire", now, right, Unit.INSTANT, record.kid, right, formula)


def private_half(keyring: Keyring, record: KeyRecord, now: Instant, staleness: Milliseconds) -> Check:
    """I2 for the private half: neither a rollback nor a lease can need it any longer."""
    timing = keyring.policy.timing(staleness)
    lease_end = record.lease_max + staleness + 2 * timing.clock_skew
    wait = max(lease_end, timing.rollback_window + timing.clock_skew)
    right = None if record.stopped is None else record.stopped + wait
    formula = "t_private ≥ t_stopped + max(P + S + 2ε, rollback_window + ε)"
    return Check(Invariant.RETIRE, "private half", now, right, Unit.INSTANT, record.kid, right, formula)


def lease(elapsed: Milliseconds, granted: Milliseconds) -> Check:
    """I3: sign only while elapsed ≤ P since the last confirmed read was sent.

    A plan shows it for two polls, of which one may fail; a signer's `Lease` holds it to the rule
    at each token.
    """
    return Check(
        Invariant.LEASE,
        "lease",
        granted,
        elapsed,
        Unit.DURATION,
        formula="P ≥ elapsed since the last confirmed read, at most two polls",
    )


def revocation(keyring: Keyring, record: KeyRecord, now: Instant, staleness: Milliseconds) -> Check:
    """I4: the last acceptance is at t_revoked + D + S + C + G + ε; nothing is forgotten before."""
    right = None if record.revoked is None else record.revoked + exposure(keyring, now, staleness)
    formula = "t ≥ t_revoked + D + S + C + G + ε"
    return Check(Invariant.REVOCATION, "revocation", now, right, Unit.INSTANT, record.kid, right, formula)


def standby(keyring: Keyring, record: KeyRecord, now: Instant, staleness: Milliseconds) -> Check:
    """I5: a scheduled promotion of `record` needs another standby that satisfies I1."""
    others = [
        lead(keyring, other, now, staleness)
        for other in keyring.standbys(record.algorithm)
        if other.kid != record.kid and other.can_sign
    ]
    ready = sum(check.holds for check in others)
    waiting = [check.earliest for check in others if check.earliest is not None]
    return Check(
        Invariant.STANDBY,
        "standby",
        ready,
        1,
        Unit.COUNT,
        record.kid,
        min(waiting, default=None),
        "ready standbys besides the promoted one ≥ 1",
    )


def capacity(policy: RotationPolicy, staleness: Milliseconds, limits: Limits) -> tuple[Check, ...]:
    """I6: R ≥ lead + P + S + 2ε; published keys and writes stay under the caps of verifiers and store."""
    timing = policy.timing(staleness)
    retirement = timing.retirement(token_ttl_max=timing.token_ttl, lease_max=timing.signer_lease)
    # One signing, standbys of two algorithms while migrating, and every key still retiring.
    keys = 1 + 2 * policy.standbys + -(-retirement // timing.rotate_every) + 1
    period = timing.exposure + timing.handover
    checks = [
        Check(
            Invariant.CAPACITY,
            "capacity",
            timing.rotate_every,
            period,
            Unit.DURATION,
            formula="rotate_every ≥ D + S + C + G + ε + P + S + 2ε",
        ),
        Check(
            Invariant.CAPACITY,
            "published keys",
            limits.published_keys,
            keys,
            Unit.COUNT,
            formula="the most keys a published set may hold ≥ 1 + 2 standbys + retiring keys",
        ),
    ]
    if limits.write_interval:
        sustained = WRITES_PER_ROTATION * limits.write_interval
        formula = f"rotate_every ≥ {WRITES_PER_ROTATION} writes of a document as the store sustains them"
        every = timing.rotate_every
        checks.append(Check(Invariant.CAPACITY, "writes", every, sustained, Unit.DURATION, formula=formula))
    return tuple(checks)


def catch_up(before: Keyring, after: Keyring) -> Check:
    """I7: at most one gated transition (promotion or destruction) of a key at once."""
    most = max((_gated_steps(*pair) for pair in _pairs(before, after)), default=0)
    return Check(
        Invariant.CATCH_UP, "catch-up", 1, most, Unit.COUNT, formula="1 ≥ gated transitions of a key"
    )


def policy_change(before: Keyring, after: Keyring, now: Instant, staleness: Milliseconds) -> Check:
    """I8: under a new policy nothing becomes safe earlier than under the old one."""
    # The same record under both policies: a stamp that this write sets or withdraws is no matter here.
    moved = [
        (rule(after, record, now, staleness).right or 0) - (rule(before, record, now, staleness).right or 0)
        for record in after.records
        for rule in (lead, retire)
    ]
    return Check(
        Invariant.POLICY_CHANGE,
        "policy change",
        min(moved, default=0),
        0,
        Unit.DURATION,
        formula="new earliest time - old earliest time ≥ 0",
    )


def superseded(old: Superseded, now: Instant, staleness: Milliseconds) -> Check:
    """I8: an older policy's cache values count until t_change + old(D + S + C + G) + ε."""
    right = None if old.changed is None else old.changed + old.policy.timing(staleness).exposure
    formula = "t ≥ t_change + old(D + S + C + G) + ε"
    return Check(
        Invariant.POLICY_CHANGE,
        "older policy in force",
        now,
        right,
        Unit.INSTANT,
        earliest=right,
        formula=formula,
    )


def identity(before: Keyring, after: Keyring) -> Check:
    """I9: kid and key bytes stay bound one to one, and no state is ever walked back but by rollback."""
    kept = {record.kid: record for record in after.records}
    faults = len(after.records) - len({record.fingerprint for record in after.records})
    faults += len(after.records) - len(kept)
    for old in before.records:
        new = kept.get(old.kid)
        if new is None:
            faults += not old.is_tombstone
        else:
            faults += new.fingerprint != old.fingerprint or _walked_back(old, new)
    return Check(
        Invariant.IDENTITY, "identity", 0, faults, Unit.COUNT, formula="0 ≥ rebound, lost or revived kids"
    )


def order(before: Keyring, after: Keyring) -> Check:
    """I10: a key signs only once observed as published; a private half goes only once observed as unused."""
    faults = max(0, sum(record.state is KeyState.ACTIVE for record in after.records) - 1)
    for old, new in _pairs(before, after):
        if old.state is KeyState.PRE_ACTIVATION and new.state is KeyState.ACTIVE:
            faults += new.published is None
        if old.can_sign and not new.can_sign:
            faults += not _unused(new)
    return Check(Invariant.ORDER, "order", 0, faults, Unit.COUNT, formula="0 ≥ steps out of order")


# --- all of them on one transition ----------------------------------------------------------


def judge(
    before: Keyring,
    after: Keyring,
    now: Instant,
    staleness: Milliseconds,
    *,
    waived: frozenset[Invariant] = frozenset(),
) -> None:
    """Raise the first invariant's error that writing `after` over `before` would break.

    `waived` holds those that the operator gave up in words (`--accept-refusals`).
    """
    checks = [catch_up(before, after), identity(before, after), order(before, after)]
    for old, new in _pairs(before, after):
        checks.extend(_gates(after, old, new, now, staleness))
    if before.policy != after.policy:
        checks.append(policy_change(before, after, now, staleness))
    for check in checks:
        if check.invariant not in waived:
            check.require()


def _gates(
    after: Keyring, old: KeyRecord, new: KeyRecord, now: Instant, staleness: Milliseconds
) -> Iterator[Check]:
    if old.state is KeyState.PRE_ACTIVATION and new.state is KeyState.ACTIVE:
        yield lead(after, new, now, staleness)
    if old.state is KeyState.DEACTIVATED and new.state is KeyState.DESTROYED:
        yield retire(after, old, now, staleness)
    if old.state is KeyState.COMPROMISED and new.state is KeyState.DESTROYED:
        yield revocation(after, old, now, staleness)
    if new.state is KeyState.DEACTIVATED and old.can_sign and not new.can_sign:
        yield private_half(after, new, now, staleness)


def _pairs(before: Keyring, after: Keyring) -> Iterator[tuple[KeyRecord, KeyRecord]]:
    kept = {record.kid: record for record in after.records}
    return ((old, kept[old.kid]) for old in before.records if old.kid in kept)


def _gated_steps(old: KeyRecord, new: KeyRecord) -> int:
    activated = new.activated is not None and new.activated != old.activated
    ended = old.destroyed is None and new.destroyed is not None
    stopped_signing = old.deactivated is None and new.deactivated is not None
    return activated + ended + (stopped_signing and ended)


def _walked_back(old: KeyRecord, new: KeyRecord) -> bool:
    rollback = (old.state, new.state) == (KeyState.DEACTIVATED, KeyState.ACTIVE) and not old.barred
    return new.state.retirement < old.state.retirement and not rollback


def _unused(record: KeyRecord) -> bool:
    """Whether the observed facts allow this key's private half to be gone."""
    if record.state is KeyState.COMPROMISED:
        return record.revoked is not None
    if record.state is KeyState.DESTROYED:
        return record.removed is not None
    return record.state is KeyState.DEACTIVATED and record.stopped is not None and not record.symmetric

"""What the steps of a search put to the test, by name: what was never tested is not shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from keyvault_jwt.keyring import Keyring
from keyvault_jwt.keys import KeyRecord, KeyState
from tests.model.fleet import OPERATOR, Fleet
from tests.model.world import FAULTS

_EVENTS: Final = (
    *((re.compile(rf": {fault}$"), f"event: {fault}") for fault in FAULTS if fault != "stale"),
    (re.compile("it is stale$"), "event: a stale read"),
    (re.compile("^a delayed write of"), "event: a write lands after its time-out"),
    (re.compile("^the clock of .* steps"), "event: a clock steps within ε"),
    (re.compile("without its mark$"), "event: a restart loses its high-water mark"),
    (re.compile("^every document is restored"), "event: the whole store is restored"),
    (re.compile("is restored to an old copy$"), "event: a document is restored"),
    (re.compile("^operator: .*"), "actor: an operator at work"),
    (re.compile("^scheduler 2: .*"), "actor: a second scheduler at work"),
    (re.compile("^scheduler 3: .*"), "actor: a third scheduler at work"),
    (re.compile("has waited$"), "event: a pass waits before it believes"),
)
EVENTS: Final = frozenset(name for _, name in _EVENTS) | {
    "event: time passes within a pass",
    "event: a publisher is cut off past its lease",
    "event: a pass fails with an error",
    "event: two passes at once",
}
TRANSITIONS: Final = frozenset(
    f"transition: {old} → {new}"
    for old, new in (
        ("nothing", "pre-activation"),
        ("pre-activation", "active"),
        ("pre-activation", "compromised"),
        ("pre-activation", "destroyed"),
        ("active", "deactivated"),
        ("active", "compromised"),
        ("deactivated", "active"),
        ("deactivated", "compromised"),
        ("deactivated", "destroyed"),
        ("compromised", "destroyed"),
    )
)
STAMPS: Final = frozenset(f"stamp: {name}" for name in ("published", "stopped", "revoked", "removed"))
ENTRIES: Final = frozenset(
    f"ledger: {action}"
    for action in (
        "added",
        "imported",
        "promoted",
        "deactivated",
        "rolled-back",
        "revoked",
        "private-half-dropped",
        "destroyed",
        "policy-changed",
        "migration-started",
        "migration-confirmed",
        "migration-cancelled",
        "recovered",
        "frozen",
    )
)
PROMISES: Final = frozenset(
    {
        "I1: a key waited out its lead and signed",
        "I2: a key went when no token of it could be valid",
        "I3: a signer's lease on an older key ran out",
        "I4: a revoked key's bound passed while verifiers held keys",
        "I5: a scheduled promotion left a ready standby",
        "I6: a store too full for routine writes took a revocation",
        "I7: a key rested after its transition",
        "I8: a key signed while an older policy's caches counted",
        "I9: a tombstone stood while keys were added",
        "I10: a private half was dropped",
        "accepted: a token of a key that no longer signs",
        "accepted: a token while two verifiers held different sets",
        "one active key: none signs, and then one does",
        "liveness: a future without faults",
    }
)
EXPECTED: Final = EVENTS | TRANSITIONS | STAMPS | ENTRIES | PROMISES


def happened(before: Fleet, after: Fleet, told: str) -> Iterator[str]:
    """Yield the name of everything that a step did."""
    yield from (name for pattern, name in _EVENTS if pattern.search(told))
    if len(after.world.passes) > 1:
        yield "event: two passes at once"
    if after.world.now > before.world.now:
        yield from _passed(before, after)
    elif len(after.world.passes) < len(before.world.passes) and told.endswith(": unavailable"):
        yield "event: a pass fails with an error"
    was, now = before.keyring, after.keyring
    if was is None or now is None or was.revision == now.revision or "restored to an old copy" in told:
        return
    if was.epoch != now.epoch:
        yield "ledger: recovered"
    else:
        yield from _committed(was, now, after)


def _passed(before: Fleet, after: Fleet) -> Iterator[str]:
    if after.world.passes:
        yield "event: time passes within a pass"
    held = {reader.held.digest for reader in after.crowd.signers}
    if any(reader.held.digest not in held for reader in before.crowd.signers):
        yield "I3: a signer's lease on an older key ran out"
    held = {reader.held.digest for reader in after.crowd.publishers}
    if any(reader.held.digest not in held for reader in before.crowd.publishers):
        yield "event: a publisher is cut off past its lease"
    ring, crowd = after.keyring, after.crowd
    if ring is None:
        return
    revoked = {r.kid for r in ring.records if r.compromised is not None}
    if crowd.copies and any(kid in revoked and after.world.now >= at for kid, at in after.bounds):
        yield "I4: a revoked key's bound passed while verifiers held keys"
    signing = None if ring.active is None else ring.active.kid
    if any(kid != signing for kid, _ in crowd.tokens):
        yield "accepted: a token of a key that no longer signs"
    if crowd.tokens and len(crowd.copies) > 1:
        yield "accepted: a token while two verifiers held different sets"


def _committed(was: Keyring, now: Keyring, after: Fleet) -> Iterator[str]:
    old = {record.kid: record for record in was.records}
    for record in now.records:
        before = old.get(record.kid)
        if before is None or before.state is not record.state:
            yield f"transition: {'nothing' if before is None else before.state} → {record.state}"
        if before is not None:
            yield from _amended(before, record, after)
    for entry in now.ledger.entries:
        if entry.seq >= was.ledger.next_seq:
            yield f"ledger: {entry.action}"
            if entry.action == "added" and any(r.is_tombstone for r in now.records):
                yield "I9: a tombstone stood while keys were added"
            if entry.action == "revoked" and _full(after):
                yield "I6: a store too full for routine writes took a revocation"
            if entry.action == "promoted" and entry.detail == "no key was signing":
                yield "one active key: none signs, and then one does"


def _amended(before: KeyRecord, record: KeyRecord, after: Fleet) -> Iterator[str]:
    for stamp in ("published", "stopped", "revoked", "removed"):
        if getattr(before, stamp) is None and getattr(record, stamp) is not None:
            yield f"stamp: {stamp}"
    if before.can_sign and not record.can_sign:
        yield "I10: a private half was dropped"
    move = (before.state, record.state)
    if move == (KeyState.PRE_ACTIVATION, KeyState.ACTIVE) and not record.founding:
        yield "I1: a key waited out its lead and signed"
        yield "I5: a scheduled promotion left a ready standby"
        if len(after.world.witness.policies) > 1:
            yield "I8: a key signed while an older policy's caches counted"
    if move == (KeyState.DEACTIVATED, KeyState.DESTROYED):
        yield "I2: a key went when no token of it could be valid"
    if move == (KeyState.ACTIVE, KeyState.DEACTIVATED):
        yield "I7: a key rested after its transition"


def _full(fleet: Fleet) -> bool:
    return any(
        each.who == OPERATOR and each.attempt.limits.document_bytes < 1 << 16 for each in fleet.world.passes
    )

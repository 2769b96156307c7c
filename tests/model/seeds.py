"""Small faults to put into the real code, one at a time: the search must find each of them.

Each is an edit of one place (two, where a second line of defence would hide the first), and
names the course in which it comes to light.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import keyvault_jwt


@dataclass(frozen=True, slots=True)
class Edit:
    """One place in one file; `was` must stand there exactly once."""

    file: str
    was: str
    now: str

    def applied(self, package: Path) -> None:
        """Make the edit in a copy of the package; fails if the place is not there any more."""
        path = package / self.file
        source = path.read_text("utf-8")
        assert source.count(self.was) == 1, f"{self.file} holds {source.count(self.was)} times: {self.was!r}"
        path.write_text(source.replace(self.was, self.now), "utf-8")


@dataclass(frozen=True, slots=True)
class Seed:
    """One fault, in words and as edits, and the course that finds it."""

    name: str
    course: str
    edits: tuple[Edit, ...]


def _seed(name: str, course: str, file: str, was: str, now: str, *more: Edit) -> Seed:
    return Seed(name, course, (Edit(file, was, now), *more))


LIFE: Final = "a key's whole life, delayed"
FAULT: Final = "a key's whole life, with a fault"
SECRET: Final = "a secret's whole life, delayed"

_EXPOSURE = (
    "return self.publisher_lease + self.staleness + self.jwks_max_age + self.max_stale + self.clock_skew"
)
_LAST_TOKEN = (
    "last_token = lease_max + self.staleness + token_ttl_max + self.leeway + 2 * self.clock_skew"
)
_POLICIES = "policies = (keyring.policy, *(old.policy for old in in_force(keyring, now, staleness)))\n    return max(policy.timing(staleness).exposure"

_TIMING: Final = (
    _seed(
        "the lead is dropped",
        "revoked until nothing signs",
        "invariants.py",
        "wait = 0 if record.founding else exposure(keyring, now, staleness)",
        "wait = 0",
    ),
    _seed(
        "the lead counts from the key's creation, not from its observed publication",
        "revoked until nothing signs",
        "invariants.py",
        "right = None if record.published is None else record.published + wait",
        "right = None if record.published is None else record.created + wait",
    ),
    _seed(
        "the publisher's lease is forgotten in the lead",
        "revoked until nothing signs",
        "policy.py",
        _EXPOSURE,
        _EXPOSURE.replace("self.publisher_lease + ", ""),
    ),
    _seed(
        "the max-age is forgotten in the lead",
        "revoked until nothing signs",
        "policy.py",
        _EXPOSURE,
        _EXPOSURE.replace("self.jwks_max_age + ", ""),
    ),
    _seed(
        "the stale-if-error time is forgotten in the lead",
        "revoked until nothing signs",
        "policy.py",
        _EXPOSURE,
        _EXPOSURE.replace("self.max_stale + ", ""),
    ),
    _seed(
        "the clock skew is forgotten in the lead",
        "clocks apart",
        "policy.py",
        _EXPOSURE,
        _EXPOSURE.replace(" + self.clock_skew", ""),
    ),
    _seed(
        "the store's staleness is forgotten in the lead",
        "stale reads",
        "policy.py",
        _EXPOSURE,
        _EXPOSURE.replace("self.staleness + ", ""),
    ),
    _seed(
        "the signer's lease is forgotten in the retirement",
        LIFE,
        "policy.py",
        _LAST_TOKEN,
        _LAST_TOKEN.replace("lease_max + ", "", 1),
    ),
    _seed(
        "the token's life is forgotten in the retirement",
        LIFE,
        "policy.py",
        _LAST_TOKEN,
        _LAST_TOKEN.replace("token_ttl_max + ", ""),
    ),
    _seed(
        "the leeway is forgotten in the retirement",
        "clocks apart",
        "policy.py",
        _LAST_TOKEN,
        _LAST_TOKEN.replace("self.leeway + ", ""),
    ),
    _seed(
        "the skew counts once, not twice, in the retirement",
        "clocks apart",
        "policy.py",
        _LAST_TOKEN,
        _LAST_TOKEN.replace("2 * ", ""),
    ),
    _seed(
        "the store's staleness is forgotten in the retirement",
        "stale reads",
        "policy.py",
        _LAST_TOKEN,
        _LAST_TOKEN.replace("self.staleness + ", ""),
    ),
    _seed(
        "the retirement counts from the decision, not from what was observed",
        LIFE,
        "invariants.py",
        "right = record.stopped + _retirement(",
        "right = (record.deactivated or 0) + _retirement(",
    ),
    _seed(
        "the longest token is not remembered when a policy allows longer ones",
        "policies up and down",
        "keyring.py",
        "ring = ring.amended(active, **_raised(active, policy))",
        "pass",
    ),
    _seed(
        "a private half goes while a rollback may need it",
        LIFE,
        "invariants.py",
        "wait = max(lease_end, timing.rollback_window + timing.clock_skew)\n    right = None if record.stopped is None else record.stopped + wait",
        "wait = max(lease_end, timing.rollback_window + timing.clock_skew)\n    right = None if record.stopped is None else record.stopped + wait - wait",
    ),
    _seed(
        "a revoked key is forgotten at once",
        "revoked until nothing signs",
        "invariants.py",
        "right = None if record.revoked is None else record.revoked + exposure(keyring, now, staleness)",
        "right = None if record.revoked is None else record.revoked",
    ),
    _seed(
        "the revocation's bound counts from the decision",
        "revoked until nothing signs",
        "invariants.py",
        "right = None if record.revoked is None else record.revoked + exposure(keyring, now, staleness)",
        "right = None if record.revoked is None else (record.compromised or 0) - 1000 + exposure(keyring, now, staleness)",
    ),
    _seed(
        "old cache values are forgotten after a policy change",
        "policies up and down",
        "invariants.py",
        _POLICIES,
        _POLICIES.replace(", *(old.policy for old in in_force(keyring, now, staleness))", ","),
    ),
    _seed(
        "older policies are dropped by the next pass",
        "policies up and down",
        "decision.py",
        "kept = invariants.in_force(after, view.now, view.staleness)",
        "kept = ()",
    ),
    _seed(
        "a policy change counts from its decision",
        "policies up and down",
        "keyring.py",
        "superseded=(*self.superseded, Superseded(self.policy)))",
        "superseded=(*self.superseded, Superseded(self.policy, now - 1000)))",
    ),
    _seed(
        "comparison the wrong way round",
        LIFE,
        "check.py",
        "return self.right is not None and self.left >= self.right",
        "return self.right is not None and self.left <= self.right",
    ),
)

_STANDBYS: Final = (
    _seed(
        "the standby is skipped",
        LIFE,
        "plan.py",
        "for _ in range(keyring.policy.standbys - have + taken):",
        "for _ in range(0):",
    ),
    _seed(
        "a promotion counts the promoted key as the standby it leaves",
        FAULT,
        "invariants.py",
        "        if other.kid != record.kid and other.can_sign\n",
        "        if other.can_sign\n",
    ),
    _seed(
        "a rotation never comes due",
        LIFE,
        "plan.py",
        "return active.activated + keyring.policy.timing(0).rotate_every",
        "return active.activated + 100 * keyring.policy.timing(0).rotate_every",
    ),
    _seed(
        "the replaced key goes on as active",
        LIFE,
        "keyring.py",
        "ring = _activate(_deactivate_active(self, now, reason), record, now)",
        "ring = _activate(self, record, now)",
        Edit("invariants.py", "sum(record.state is KeyState.ACTIVE for record in after.records) - 1)", "0)"),
    ),
    _seed(
        "a migration signs before anybody said that verifiers know the algorithm",
        "a migration",
        "plan.py",
        "migrating = migration is not None and migration.confirmed",
        "migrating = migration is not None",
    ),
)

_STAMPS: Final = (
    _seed(
        "the stamp of publication is taken from the plan",
        LIFE,
        "keys.py",
        "        created=now,\n",
        "        created=now,\n        published=now,\n",
    ),
    _seed(
        "a lagging document proves what it happens to say",
        "two at a rotation, two faults",
        "observation.py",
        "proves = document.says_the_same(there, document.derive(kind, keyring))",
        "proves = True",
    ),
    _seed(
        "a state that came back passes for the same",
        "an operator",
        "document.py",
        "return msgspec.structs.replace(document, epoch=0, revision=0, write_id=UUID(int=0), lineage=())",
        'gone = {"ledger_head": ""} if hasattr(document, "ledger_head") else {"events": (), "events_base": ""}\n'
        "    return msgspec.structs.replace(document, epoch=0, revision=0, write_id=UUID(int=0), lineage=(), **gone)",
    ),
    _seed(
        "a stamp stays when a document denies it",
        "a restored store",
        "observation.py",
        "observed = _noted(observed, record, stamp, now if holds else None, proves=proves)",
        "observed = _noted(observed, record, stamp, now if holds else getattr(record, stamp), proves=proves)",
    ),
    _seed(
        "a document written is taken for one read back, whatever became of the write",
        "three at a rotation",
        "attempt.py",
        "            return raced._ask(Stage.READ_BACK, Read(self._name(kind)))\n        wanted",
        "            return replace(self, seen={**self.seen, kind: Seen(Version('?'), document.derive(kind, self._known()), observed=True)}, news=True)._repair(now, write_id)\n        wanted",
    ),
    _seed(
        "the private half of a withdrawn key stays",
        LIFE,
        "observation.py",
        "return noted.private_dropped(record.kid, at)  # with the same write (I10)",
        "return noted",
    ),
)

_DOCUMENTS: Final = (
    _seed(
        "a derived document is written without the guard",
        "three at a rotation",
        "seen.py",
        "return have.revision < wanted.revision and not document.says_the_same(have, wanted)",
        "return not document.says_the_same(have, wanted)",
        Edit("history.py", "    return (head.epoch, head.revision) < (seen.epoch, seen.revision)", "    return False"),
    ),
    _seed(
        "a replaced key leaves the key set at once",
        LIFE,
        "keys.py",
        "_PUBLISHED = frozenset({KeyState.PRE_ACTIVATION, KeyState.ACTIVE, KeyState.DEACTIVATED})",
        "_PUBLISHED = frozenset({KeyState.PRE_ACTIVATION, KeyState.ACTIVE})",
    ),
    _seed(
        "a revoked key stays in the key set",
        "revoked until nothing signs",
        "keys.py",
        "_PUBLISHED = frozenset({KeyState.PRE_ACTIVATION, KeyState.ACTIVE, KeyState.DEACTIVATED})",
        "_PUBLISHED = frozenset(KeyState) - {KeyState.DESTROYED}",
        Edit("observation.py", 'yield "revoked", record.kid not in there.kids', 'yield "revoked", True'),
    ),
    _seed(
        "a standby is published only when it signs",
        LIFE,
        "keys.py",
        "_PUBLISHED = frozenset({KeyState.PRE_ACTIVATION, KeyState.ACTIVE, KeyState.DEACTIVATED})",
        "_PUBLISHED = frozenset({KeyState.ACTIVE, KeyState.DEACTIVATED})",
    ),
    _seed(
        "signers are told before verifiers",
        LIFE,
        "document.py",
        "    return (DocumentKind.PUBLIC, DocumentKind.SIGNING)",
        "    return (DocumentKind.SIGNING, DocumentKind.PUBLIC)",
        Edit("invariants.py", "faults += new.published is None", "faults += 0"),
        Edit(
            "invariants.py",
            "right = None if record.published is None else record.published + wait",
            "right = record.created",
        ),
    ),
    _seed(
        "a tombstone is dropped",
        LIFE,
        "keyring.py",
        "        revision = self.revision + 1\n",
        "        revision, self = self.revision + 1, self.replaced(records=tuple(r for r in self.records if not r.is_tombstone))\n",
    ),
    _seed(
        "an order of removal is swapped: the private half goes before its withdrawal was seen",
        "revoked until nothing signs",
        "keyring.py",
        "ring = self.amended(record, state=state, compromised=now, reason=reason)",
        "ring = self.amended(record, state=state, compromised=now, reason=reason, private=None)",
        Edit("invariants.py", "faults += not _unused(new)", "faults += 0"),
    ),
)

_WRITES: Final = (
    _seed(
        "compare-and-swap is ignored: what is there is written over",
        "three at a rotation",
        "commitment.py",
        "            return replace(self, outcome=Lost())",
        "            return replace(self, call=replace(self.write, expected=None if found is None else found.version))",
    ),
    _seed(
        "a conflict passes for a success",
        "three at a rotation",
        "commitment.py",
        "return replace(self, call=Read(self.write.name), settled=self.staleness == 0)",
        'return replace(self, outcome=Won(self.write.expected or Version("1")))',
    ),
    _seed(
        "a write that timed out passes for one that never lands",
        "two at a rotation, two faults",
        "commitment.py",
        "        return replace(self, call=self.write, sent=self.sent + 1)",
        "        return replace(self, outcome=Won(self.write.expected or Version('1')))",
    ),
)

_READERS: Final = (
    _seed(
        "a signer's lease never ends",
        LIFE,
        "lease.py",
        "return self.age.elapsed() <= self.length",
        "return True",
    ),
    _seed(
        "a lease lasts twice as long",
        LIFE,
        "lease.py",
        "return self.age.elapsed() <= self.length",
        "return self.age.elapsed() <= 2 * self.length",
    ),
    _seed(
        "a lease is renewed by a stale read",
        "a restored store",
        "watermark.py",
        "            require_continuation(head, seen)\n",
        "",
        Edit("watermark.py", "if seen is not None and not seen.revoked.isdisjoint(kids):", "if False:"),
    ),
)

_RECOVERY: Final = (
    _seed(
        "recover believes the restored authority alone",
        "a restored store",
        "recovery.py",
        "    if shown.state.retirement <= mine.state.retirement:\n        return mine",
        "    return mine",
        Edit("watermark.py", "if seen is not None and not seen.revoked.isdisjoint(kids):", "if False:"),
        Edit("recovery.py", "    for kid in mark.revoked if mark is not None else ():", "    for kid in ():"),
    ),
    _seed(
        "recover does not begin a new epoch",
        "a restored store",
        "recovery.py",
        "epoch = max(now, 1 + max(point[0] for point in points))",
        "epoch = base.epoch",
    ),
    _seed(
        "the operator's mark is forgotten by recover",
        "a restored store",
        "recovery.py",
        "    for kid in mark.revoked if mark is not None else ():",
        "    for kid in ():",
        Edit("watermark.py", "if seen is not None and not seen.revoked.isdisjoint(kids):", "if False:"),
    ),
    _seed(
        "a compromised key is rolled back to",
        "revoked until nothing signs",
        "keyring.py",
        "            signed = [r for r in signed if r.state is KeyState.DEACTIVATED]",
        "            pass",
        Edit("keyring.py", "    if record.state is KeyState.COMPROMISED:\n        return", "    if False:\n        return"),
        Edit("invariants.py", "return new.state.retirement < old.state.retirement and not rollback", "return False"),
    ),
)

SEEDS: Final = (*_TIMING, *_STANDBYS, *_STAMPS, *_DOCUMENTS, *_WRITES, *_READERS, *_RECOVERY)

PACKAGE: Final = Path(keyvault_jwt.__file__).parent

"""A store that was restored to an old copy: what is promised meanwhile, and a witness for afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from keyvault_jwt import document
from keyvault_jwt.clock import Instant, Milliseconds
from keyvault_jwt.document import SigningDocument
from keyvault_jwt.keyring import Keyring
from keyvault_jwt.keys import KeyRecord, KeyState
from keyvault_jwt.store import DocumentKind, DocumentName, Draft
from tests.model.shown import Shown, Signed, derived_of
from tests.simulation.skewed_witness import SkewedWitness

Copy = dict[DocumentName, Draft]
"""A keyring's documents as they once were."""


@dataclass(slots=True)
class Tampering:
    """From a restore on: which keys every copy knew, and until when no promise holds for others."""

    since: Instant
    known: frozenset[str]
    before: Keyring
    whole_history: bool
    over: Instant | None = None

    def covers(self, kid: str, issued: Instant, now: Instant) -> bool:
        """Whether a good token may rightly be refused, since the store forgot its key for a while."""
        if self.over is not None and issued > self.over:
            return False
        during = self.over is None or now <= self.over
        return issued >= self.since or (kid not in self.known and (during or issued < self.since))


def require_nothing_revived(
    tampering: Tampering, recovery: Keyring, after: Keyring, revoked: frozenset[str]
) -> str:
    """Return which key came back from retirement although something that was left told of it, or "".

    `recovery` is what the recovery committed first.  Since the restore, and until the recovery's
    pass was over, an operator may have rolled back to a key, but never to one that it barred.
    """
    latest = {record.kid: record for record in after.records}
    for kid in sorted(revoked & latest.keys()):
        if latest[kid].state.published:
            return f"{kid} was revoked, and is {latest[kid].state} after the recovery"
    for record in recovery.records:
        if record.barred and record.kid in latest and latest[record.kid].state is KeyState.ACTIVE:
            return f"{record.kid} was barred by the recovery, and is active after it"
    if tampering.whole_history:
        return ""
    earlier = {entry.hash for entry in tampering.before.ledger.entries}
    news = [entry for entry in after.ledger.entries if entry.hash not in earlier]
    rolled_back_to = {entry.kid for entry in news if entry.action == "rolled-back"}
    for record in tampering.before.records:
        now = latest.get(record.kid)
        if now is None or now.kid in rolled_back_to:
            continue
        if now.state.retirement < record.state.retirement:
            return f"{record.kid} was {record.state}, and is {now.state} after the recovery"
    return ""


def resumed(
    was: SkewedWitness, ring: Keyring, copy: Copy, policies: tuple[Shown, ...], now: Instant
) -> SkewedWitness:
    """Return a witness that takes the keyring as it is now for granted, and watches it from here on.

    `policies` are those that verifiers were shown, as far as anything that is left tells of them.
    """
    derived = {name.kind: derived_of(name, draft.data) for name, draft in copy.items() if _derived(name)}
    shown = derived[DocumentKind.VERIFICATION if ring.symmetric else DocumentKind.PUBLIC]
    assert not isinstance(shown, SigningDocument)
    known = {record.kid: record for record in ring.records}
    signing = derived[DocumentKind.SIGNING]
    assert isinstance(signing, SigningDocument)
    active = None if signing.key is None else signing.key.kid
    return SkewedWitness(
        was.staleness,
        apart=was.apart,
        commits=MappingProxyType({(ring.epoch, ring.revision): ring}),
        latest=ring,
        heads=MappingProxyType({kind: (d.epoch, d.revision) for kind, d in derived.items()}),
        published=MappingProxyType({kid: _published(known.get(kid), now) - was.apart for kid in shown.kids}),
        withdrawn=MappingProxyType({kid: 0 for kid in known if kid not in shown.kids}),
        signed=MappingProxyType(
            {r.kid: _signed(r, active, now, was.apart) for r in ring.records if r.activated is not None}
        ),
        policies=policies,
        exempt=frozenset(record.kid for record in ring.records if record.founding),
        prints=MappingProxyType({record.kid: record.fingerprint for record in ring.records}),
        archives=was.archives,
    )


def _derived(name: DocumentName) -> bool:
    return name.kind not in {DocumentKind.AUTHORITY, DocumentKind.ARCHIVE}


def _published(record: KeyRecord | None, now: Instant) -> Instant:
    if record is None or record.state is not KeyState.PRE_ACTIVATION:
        return 0
    return now if record.published is None else record.published


def _signed(record: KeyRecord, active: str | None, now: Instant, apart: Milliseconds) -> Signed:
    stopped = None if record.kid == active else (record.stopped or now) - apart
    return Signed(record.token_ttl_max, record.lease_max, stopped)


def settled_copy(ring: Keyring, copy: Copy) -> bool:
    """Whether every derived document says what the keyring says."""
    for kind in document.derived_kinds(ring):
        found = copy.get(DocumentName(ring.ring, kind))
        if found is None:
            return False
        there = derived_of(DocumentName(ring.ring, kind), found.data)
        if not document.says_the_same(there, document.derive(kind, ring)):
            return False
    return True

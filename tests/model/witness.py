"""A witness of the store: what really happened, and whether the ten rules held.

It sees each write as it lands, never what a pass believes.  Its arithmetic is its own: the
rules are recomputed from the policies' fields and from the instants at which documents really
changed, so that a wrong line in `invariants` can't excuse itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType

from keyvault_jwt import document
from keyvault_jwt.clock import Instant, Milliseconds
from keyvault_jwt.keyring import Keyring
from keyvault_jwt.keys import KeyRecord, KeyState
from keyvault_jwt.policy import RotationPolicy
from keyvault_jwt.store import DocumentKind, DocumentName, Draft
from tests.model.shown import Shown, Signed, authority_of, derived_of, held_for, ms

_NONE: Mapping[object, object] = MappingProxyType({})
_MOVES = frozenset(
    {
        (KeyState.PRE_ACTIVATION, KeyState.ACTIVE),
        (KeyState.PRE_ACTIVATION, KeyState.COMPROMISED),
        (KeyState.PRE_ACTIVATION, KeyState.DESTROYED),
        (KeyState.ACTIVE, KeyState.DEACTIVATED),
        (KeyState.ACTIVE, KeyState.COMPROMISED),
        (KeyState.DEACTIVATED, KeyState.ACTIVE),
        (KeyState.DEACTIVATED, KeyState.COMPROMISED),
        (KeyState.DEACTIVATED, KeyState.DESTROYED),
        (KeyState.COMPROMISED, KeyState.DESTROYED),
    }
)
_SCHEDULED = ("rotation due", "rotated by hand", "migration to")


@dataclass(frozen=True)
class Witness:
    """What was seen until now; `landed` returns the witness of one write more, or fails.

    `skew` is how far apart the clocks of those who write may be: by so much a wait may be short
    in true time, since every wait is written with ε in it.
    """

    staleness: Milliseconds
    waived: bool = False
    skew: Milliseconds = 0
    commits: Mapping[tuple[int, int], Keyring] = field(default_factory=lambda: MappingProxyType({}))
    latest: Keyring | None = None
    heads: Mapping[DocumentKind, tuple[int, int]] = field(default_factory=lambda: MappingProxyType({}))
    published: Mapping[str, Instant] = field(default_factory=lambda: MappingProxyType({}))
    withdrawn: Mapping[str, Instant] = field(default_factory=lambda: MappingProxyType({}))
    signed: Mapping[str, Signed] = field(default_factory=lambda: MappingProxyType({}))
    policies: tuple[Shown, ...] = ()
    exempt: frozenset[str] | None = None
    prints: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    archives: Mapping[DocumentName, document.Archive] = field(default_factory=lambda: MappingProxyType({}))

    @cached_property
    def mark(self) -> int:
        """The hash of its key, worked out once."""
        return hash(self.key)

    @property
    def key(self) -> tuple[object, ...]:
        """What of it decides about the future."""
        return (
            tuple(sorted(self.published.items())),
            tuple(sorted(self.withdrawn.items())),
            tuple((kid, s.token_ttl, s.lease, s.out_since) for kid, s in sorted(self.signed.items())),
            tuple((held_for(s.policy, 0), s.since, s.until) for s in self.policies),
        )

    def landed(self, name: DocumentName, draft: Draft, now: Instant) -> Witness:
        """Return the witness after a write landed; fails where a rule is broken."""
        if name.kind is DocumentKind.AUTHORITY:
            return self._committed(authority_of(draft.data, name.ring), now)
        if name.kind is DocumentKind.ARCHIVE:
            archive = document.decode_archive(name.ring, draft.data)
            # A store may take a write that is repeated byte for byte for the one before.
            assert self.archives.get(name, archive) == archive, f"{name} was written with other bytes"
            return replace(self, archives=MappingProxyType({**self.archives, name: archive}))
        derived = derived_of(name, draft.data)
        head = (derived.epoch, derived.revision)
        assert head in self.commits, f"{name.kind} was written at {head}, which nobody committed"
        expected = document.derived_draft(name.kind, document.derive(name.kind, self.commits[head]))
        assert draft.data == expected.data, f"{name.kind} at {head} is not what its revision derives"
        assert head > self.heads.get(name.kind, (0, 0)), (
            f"{name.kind} went from {self.heads[name.kind]} back to {head}"
        )
        seen = replace(self, heads=MappingProxyType({**self.heads, name.kind: head}))
        if isinstance(derived, document.SigningDocument):
            return seen._signing(derived, now)
        assert self.latest is not None
        verifiable = DocumentKind.VERIFICATION if self.latest.symmetric else DocumentKind.PUBLIC
        # A policy begins with the write that shows it: what leaves with it left under those before.
        seen = seen._published(derived.kids, now) if name.kind is verifiable else seen
        return seen._policy(derived.policy, now) if isinstance(derived, document.PublicDocument) else seen

    def undone(self, name: DocumentName, draft: Draft | None, now: Instant) -> Witness:
        """Return the witness after a derived document was put back to an older state."""
        older = None if draft is None else derived_of(name, draft.data)
        heads = {**self.heads, name.kind: (0, 0) if older is None else (older.epoch, older.revision)}
        seen = replace(self, heads=MappingProxyType(heads))
        if name.kind is DocumentKind.SIGNING:
            return seen._signed_again(older, now)
        assert self.latest is not None
        if name.kind is not (DocumentKind.VERIFICATION if self.latest.symmetric else DocumentKind.PUBLIC):
            return seen
        kids = frozenset() if older is None else older.kids  # type: ignore[union-attr]
        withdrawn = {**self.withdrawn, **dict.fromkeys(self.published.keys() - kids, now)}
        published = {kid: self.published.get(kid, now) for kid in kids}
        left = {kid: at for kid, at in withdrawn.items() if kid not in kids}
        return replace(seen, published=MappingProxyType(published), withdrawn=MappingProxyType(left))

    def _signed_again(self, older: document.Derived | None, now: Instant) -> Witness:
        signing = older if isinstance(older, document.SigningDocument) else None
        kid = None if signing is None or signing.key is None else signing.key.kid
        signed = {
            old: replace(terms, out_since=now if terms.out_since is None else terms.out_since)
            for old, terms in self.signed.items()
        }
        if signing is not None and kid is not None:
            was = signed.get(kid, Signed(0, 0))
            signed[kid] = Signed(max(was.token_ttl, signing.token_ttl), max(was.lease, signing.lease))
        return replace(self, signed=MappingProxyType(signed))

    # --- what may be committed -----------------------------------------------------------------

    def _committed(self, after: Keyring, now: Instant) -> Witness:
        before = self.latest
        active = [r.kid for r in after.records if r.state is KeyState.ACTIVE]
        assert len(active) <= 1, f"two keys sign: {active}"
        if before is not None:
            self._follows(before, after)
            for old, new in _pairs(before, after):
                self._moved(before, after, old, new, now)
        for record in after.records:
            self._stamps(record, after)
        prints = self._identity(after)
        founders = frozenset(
            r.kid for r in after.records if r.imported or not any(other.imported for other in after.records)
        )
        return replace(
            self,
            latest=after,
            commits=MappingProxyType({**self.commits, (after.epoch, after.revision): after}),
            exempt=founders if self.exempt is None else self.exempt,
            prints=prints,
        )

    def _follows(self, before: Keyring, after: Keyring) -> None:
        assert before.frozen_to is None, "a frozen keyring took a change"
        assert after.epoch == before.epoch, "the epoch changed without a recovery"
        assert after.revision == before.revision + 1, "a revision was skipped or written twice"
        assert before.lineage[-1] in after.lineage, "a commit is not built on its parent"
        chain = [after.ledger.base, *(entry.hash for entry in after.ledger.entries)]
        assert before.ledger.head in chain, "the ledger lost its past"
        left = {r.kid for r in before.records} - {r.kid for r in after.records}
        kept = {r.kid for archive in self.archives.values() for r in archive.records}
        assert left <= kept, f"I9: {left - kept} are forgotten, and no archive keeps their tombstones"

    def _identity(self, after: Keyring) -> Mapping[str, str]:
        prints = dict(self.prints)
        for record in after.records:
            assert prints.setdefault(record.kid, record.fingerprint) == record.fingerprint, (
                f"I9: {record.kid} names other bytes"
            )
        assert len(set(prints.values())) == len(prints), "I9: one key has two kids"
        return MappingProxyType(prints)

    def _moved(self, before: Keyring, after: Keyring, old: KeyRecord, new: KeyRecord, now: Instant) -> None:
        kid, move = new.kid, (old.state, new.state)
        assert old.state is new.state or move in _MOVES, (
            f"I7: {kid} went from {old.state} to {new.state} at once"
        )
        if KeyState.COMPROMISED in move and old.state is not new.state:
            assert move[0] is not KeyState.COMPROMISED or move[1] is KeyState.DESTROYED, f"{kid} came back"
        assert old.state is not KeyState.DESTROYED or new.state is KeyState.DESTROYED, f"{kid} came back"
        if move == (KeyState.PRE_ACTIVATION, KeyState.ACTIVE):
            self._may_sign(kid, now)
            self._may_migrate(before, after, kid, new.algorithm)
            self._leaves_a_standby(after, kid, now)
        if move == (KeyState.DEACTIVATED, KeyState.DESTROYED):
            self._may_leave(kid, now, before.policy)
        if move == (KeyState.COMPROMISED, KeyState.DESTROYED):
            bound = self.withdrawn.get(kid, 0) + self.longest_held(now)
            assert kid not in self.published, f"I4: {kid} is forgotten while it is still published"
            assert now + self.skew >= bound, f"I4: {kid} is forgotten {bound - now} ms early"
        if old.can_sign and not new.can_sign:
            self._may_lose_private(after, new, now)

    def _may_sign(self, kid: str, now: Instant) -> None:
        assert kid in self.published, f"I10: {kid} signs and is not published"
        if self.waived or kid in (self.exempt or ()):
            return
        early = self.published[kid] + self.longest_held(now) - now - self.skew
        assert early <= 0, f"I1: {kid} signs {early} ms early"

    def _known_everywhere(self, kid: str, now: Instant) -> None:
        """Every set without the key has run out: only those policies count that such a set came with."""
        if self.waived or kid in (self.exempt or ()):
            return
        since = self.published[kid]
        bounds = [
            min(since, since if s.until is None else s.until) + held_for(s.policy, self.staleness)
            for s in self.policies
            if s.since <= since
        ]
        early = max(bounds) - now - self.skew
        assert early <= 0, f"I1: {kid} signs {early} ms early"

    @staticmethod
    def _may_migrate(before: Keyring, after: Keyring, kid: str, algorithm: str) -> None:
        if algorithm == before.algorithm:
            return
        asked, news = before.migration, after.ledger.entries
        said = asked is not None and asked.confirmed and asked.to == algorithm
        said = said or any(
            entry.action == "migration-confirmed" and entry.detail == algorithm
            for entry in news
            if entry.seq >= before.ledger.next_seq
        )
        assert said, f"{kid} signs with {algorithm}, and nobody said that verifiers know it"

    def _leaves_a_standby(self, after: Keyring, kid: str, now: Instant) -> None:
        told = [e for e in after.ledger.entries if e.action == "promoted" and e.kid == kid]
        if self.waived or not told[-1].detail.startswith(_SCHEDULED):
            return
        algorithm = after.record(kid).algorithm
        ready = [
            r.kid
            for r in after.records
            if r.state is KeyState.PRE_ACTIVATION
            and r.algorithm == algorithm
            and r.can_sign
            and r.kid in self.published
            and (
                r.kid in (self.exempt or ())
                or now + self.skew >= self.published[r.kid] + self.longest_held(now)
            )
        ]
        assert ready, f"I5: {kid} was promoted by schedule and no ready standby stayed"

    def _may_leave(self, kid: str, now: Instant, *committed: RotationPolicy) -> None:
        signed = self.signed.get(kid)
        if signed is None:
            return
        assert signed.out_since is not None, f"I2: {kid} goes while the signing document holds it"
        longest = max(
            max(
                signed.lease + self.staleness + signed.token_ttl + ms(p.leeway) + 2 * ms(p.clock_skew),
                ms(p.rollback_window) + ms(p.clock_skew),
            )
            for p in (*self._in_force(now), *committed)
        )
        early = signed.out_since + longest - now - self.skew
        assert early <= 0, f"I2: {kid} goes {early} ms early"

    def _may_lose_private(self, after: Keyring, new: KeyRecord, now: Instant) -> None:
        kid = new.kid
        if new.state in {KeyState.COMPROMISED, KeyState.DESTROYED}:
            assert kid not in self.published, f"I10: {kid} loses its private half while published"
            return
        assert new.state is KeyState.DEACTIVATED, f"I10: {kid} loses its private half as {new.state}"
        signed = self.signed.get(kid)
        if signed is None:
            return
        assert signed.out_since is not None, f"I10: {kid} loses its private half while it signs"
        p = after.policy
        wait = max(signed.lease + self.staleness + 2 * ms(p.clock_skew), ms(p.rollback_window + p.clock_skew))
        early = signed.out_since + wait - now - self.skew
        assert early <= 0, f"I2: {kid} loses its private half {early} ms early"

    def _stamps(self, record: KeyRecord, after: Keyring) -> None:
        """A stamp is never earlier than the fact, and stands only while the fact does."""
        kid, real = record.kid, self.published.get(record.kid)
        if record.state is KeyState.PRE_ACTIVATION and record.published is not None:
            assert real is not None, f"{kid} is stamped as published and is not"
            assert record.published + self.skew >= real, f"{kid} is stamped as published before it was"
        if record.state is KeyState.DEACTIVATED and record.stopped is not None:
            self._no_longer_signs(record, record.stopped)
        gone = {KeyState.COMPROMISED: record.revoked, KeyState.DESTROYED: record.removed}.get(record.state)
        if gone is not None:
            assert real is None, f"{kid} is stamped as withdrawn and is published"
            assert not record.can_sign, (
                f"I10: the private half of {kid} stayed after its withdrawal was proven"
            )
            assert gone + self.skew >= self.withdrawn.get(kid, 0), (
                f"{kid} is stamped as withdrawn before it was"
            )

    def _no_longer_signs(self, record: KeyRecord, stopped: Instant) -> None:
        signed = self.signed.get(record.kid)
        if signed is not None:
            assert signed.out_since is not None, f"{record.kid} is stamped as stopped and signs"
            assert stopped + self.skew >= signed.out_since, (
                f"{record.kid} is stamped as stopped before it was"
            )

    # --- what the derived documents may show ------------------------------------------------------

    def _signing(self, derived: document.SigningDocument, now: Instant) -> Witness:
        assert self.latest is not None
        kid, signed = (None if derived.key is None else derived.key.kid), dict(self.signed)
        for old, terms in self.signed.items():
            if old != kid and terms.out_since is None:
                signed[old] = replace(terms, out_since=now)
        if kid is not None:
            if kid in self.published and kid not in self.signed:
                self._known_everywhere(kid, now)
            record = next((r for r in self.latest.records if r.kid == kid), None)
            # A revoked key is withdrawn from verifiers first, and from signers only then.
            ended = record is None or record.stopped or record.destroyed
            assert not ended, f"{kid} signs again after it was seen to have stopped"
            was = signed.get(kid, Signed(0, 0))
            signed[kid] = Signed(max(was.token_ttl, derived.token_ttl), max(was.lease, derived.lease))
        return replace(self, signed=MappingProxyType(signed))

    def _published(self, kids: frozenset[str], now: Instant) -> Witness:
        assert self.latest is not None
        known = {r.kid: r for r in self.latest.records}
        published, withdrawn = dict(self.published), dict(self.withdrawn)
        for kid in self.published.keys() - kids:
            del published[kid]
            withdrawn[kid] = now
            record = known.get(kid)
            if record is not None and record.compromised is None:
                self._may_leave(kid, now)
        for kid in kids - self.published.keys():
            published[kid] = now
            withdrawn.pop(kid, None)
            record = known.get(kid)
            ended = record is None or record.revoked or record.removed
            assert not ended, f"{kid} is published again after it was seen to be withdrawn"
        return replace(self, published=MappingProxyType(published), withdrawn=MappingProxyType(withdrawn))

    def _policy(self, policy: RotationPolicy, now: Instant) -> Witness:
        if self.policies and self.policies[-1].policy == policy:
            return self
        ended = tuple(replace(s, until=now) if s.until is None else s for s in self.policies)
        return replace(self, policies=(*ended, Shown(policy, now)))

    # --- what verifiers may still obey ------------------------------------------------------------

    def _in_force(self, now: Instant) -> Iterator[RotationPolicy]:
        for shown in self.policies:
            if shown.until is None or now < shown.until + held_for(shown.policy, self.staleness):
                yield shown.policy

    def longest_held(self, now: Instant) -> Milliseconds:
        """Return the longest D + S + C + G + ε of the policies that a verifier may still obey."""
        return max(held_for(policy, self.staleness) for policy in self._in_force(now))


def _pairs(before: Keyring, after: Keyring) -> Iterator[tuple[KeyRecord, KeyRecord]]:
    kept = {record.kid: record for record in after.records}
    return ((old, kept[old.kid]) for old in before.records if old.kid in kept)

"""One keyring as the simulation, which sees everything, knows it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from keyvault_jwt.clock import Instant, Milliseconds
from keyvault_jwt.document import SigningDocument
from keyvault_jwt.keyring import Keyring
from keyvault_jwt.keys import KeyState
from keyvault_jwt.policy import RotationPolicy
from keyvault_jwt.store import DocumentKind, DocumentName, Draft
from tests.model.shown import Shown, authority_of, derived_of, held_for
from tests.simulation.drawn_policy import AMPLE, Terms
from tests.simulation.exercised import entry_names
from tests.simulation.faults import Faults
from tests.simulation.restored import Copy, Tampering, resumed
from tests.simulation.skewed_witness import SkewedWitness
from tests.simulation.story import Violation


class Ring:
    """What truly happened to a keyring."""

    def __init__(
        self, name: str, terms: Terms, policy: RotationPolicy, faults: Faults, happened: Counter[str]
    ) -> None:
        self.name, self.issuer, self.terms = name, f"https://{name}.example", terms
        self.first_policy = policy
        self.symmetric = policy.algorithm.startswith("HS")
        self.faults, self.limits = faults, AMPLE
        self.quiet = self.over = False
        self.under_way = 0
        self.repaired: Instant = 0
        self.witness = SkewedWitness(terms.staleness, apart=terms.skew, policies=(Shown(policy, 0),))
        self.privates: dict[str, tuple[str, bytes]] = {}
        self.compromised: set[str] = set()
        self.withdrawn: dict[str, Instant] = {}
        self.bounds: dict[str, Instant] = {}
        self.promotions = 0
        self.signing: str | None = None
        self._happened, self._entries = happened, 0
        self._shown: frozenset[str] = frozenset()
        self._policies = [Shown(policy, 0)]
        self._lost: list[Shown] = []
        self.tampering: Tampering | None = None
        self._earlier: list[Tampering] = []
        self.unwatched: Keyring | None = None
        self.recovery: Keyring | None = None

    @property
    def keyring(self) -> Keyring | None:
        """The keyring as last committed; None before it was made."""
        return self.witness.latest if self.unwatched is None else self.unwatched

    @property
    def policy(self) -> RotationPolicy:
        """The policy as last committed."""
        return self.first_policy if self.keyring is None else self.keyring.policy

    @property
    def scale(self) -> Milliseconds:
        """The length of which everything here is a fraction: D + S + C + G + ε."""
        return max(1, held_for(self.policy, self.terms.staleness))

    @property
    def shown_in(self) -> DocumentKind:
        """Where verifiers, at last, have their keys from."""
        return DocumentKind.VERIFICATION if self.symmetric else DocumentKind.PUBLIC

    def landed(self, name: DocumentName, draft: Draft, now: Instant) -> None:
        """Take note of a write that took effect; raises `Violation` where it breaks a rule."""
        if self.tampering is None or self.tampering.over is not None:
            self._witnessed(name, draft, now)
        elif name.kind is DocumentKind.AUTHORITY:
            self.unwatched = authority_of(draft.data, name.ring)
            if self.recovery is None and self.unwatched.epoch > self.tampering.before.epoch:
                self.recovery = self.unwatched
            signing = [record.kid for record in self.unwatched.records if record.state is KeyState.ACTIVE]
            if len(signing) > 1:
                raise Violation(f"{self.name}: two keys sign: {signing}")
        if name.kind is DocumentKind.AUTHORITY and self.keyring is not None:
            self._committed(self.keyring)
        elif name.kind is DocumentKind.SIGNING:
            self._signs(name, draft)
        elif name.kind is self.shown_in:
            self._note_policy(draft, now)
            self._show(name, draft, now)

    def _witnessed(self, name: DocumentName, draft: Draft, now: Instant) -> None:
        try:
            self.witness = self.witness.landed(name, draft, now)
        except AssertionError as broken:
            raise Violation(f"{self.name}: {broken}") from broken

    def restored(self, copy: Copy, now: Instant, *, whole_history: bool) -> None:
        """Take note that documents were put back to an old copy behind everybody's back."""
        before = self.keyring
        assert before is not None
        name = DocumentName(self.name, self.shown_in)
        kids = self._shown
        if name in copy:
            kids = _kids(name, copy[name])
            self._note_policy(copy[name], now)
        if self.tampering is not None:
            self._earlier.append(self.tampering)
        # Tokens may be older than what is known of how long they live.
        known = frozenset() if self._forgets_policies(copy, now) else self._shown & kids
        if whole_history:
            known -= self._first_signed_since(copy)
        self.tampering = Tampering(now, known, before, whole_history)
        self.unwatched, self.recovery = before, None
        for kid in kids:
            self.withdrawn.pop(kid, None)
            self.bounds.pop(kid, None)
        self._shown = kids

    def resumed(self, copy: Copy, now: Instant) -> None:
        """Watch it again, now that it was recovered; caches and leases from before end a while later."""
        assert self.tampering is not None
        assert self.unwatched is not None
        policies = tuple(shown for shown in self._policies if shown not in self._lost)
        self.witness = resumed(self.witness, self.unwatched, copy, policies, now)
        lease = max(record.lease_max for record in self.unwatched.records)
        self.tampering.over = now + lease + self.longest_held(now) + self.terms.staleness
        self.unwatched, self.repaired = None, now

    def forgives(self, kid: str, issued: Instant, now: Instant) -> bool:
        """Whether a good token may be refused, since the store was restored."""
        restores = (self.tampering, *self._earlier)
        return any(restore is not None and restore.covers(kid, issued, now) for restore in restores)

    def _committed(self, ring: Keyring) -> None:
        news = (entry for entry in ring.ledger.entries if entry.seq >= self._entries)
        self._happened.update(entry_names(news))
        self._entries = ring.ledger.next_seq
        if self.promotions and ring.active is None:
            self._happened["world: a keyring without a key that signs"] += 1
        for record in ring.records:
            if record.private is not None:
                self.privates.setdefault(record.kid, (record.algorithm, record.private))
            if record.compromised is not None:
                self.compromised.add(record.kid)

    def _signs(self, name: DocumentName, draft: Draft) -> None:
        derived = derived_of(name, draft.data)
        assert isinstance(derived, SigningDocument)
        kid = None if derived.key is None else derived.key.kid
        self.promotions += kid is not None and kid != self.signing
        self.signing = kid

    def _show(self, name: DocumentName, draft: Draft, now: Instant) -> None:
        kids = _kids(name, draft)
        for kid in self._shown - kids:
            self.withdrawn[kid] = now
            self.bounds[kid] = now + self.longest_held(now)
        for kid in kids - self._shown:
            self.withdrawn.pop(kid, None)
            self.bounds.pop(kid, None)
        self._shown = kids

    def _note_policy(self, draft: Draft, now: Instant) -> None:
        """Note which policy verifiers are shown, as by the slowest clock."""
        policy = _policy(DocumentName(self.name, self.shown_in), draft)
        last, since = self._policies[-1], now - self.terms.skew // 2
        if policy != last.policy:
            self._policies[-1] = replace(last, until=since)
            self._policies.append(Shown(policy, since))

    def _forgets_policies(self, copy: Copy, now: Instant) -> bool:
        """Note policies no document tells of any more, whose waits nobody can know; whether any matters."""
        there = copy.get(DocumentName(self.name, DocumentKind.AUTHORITY))
        if there is None:
            return False
        restored = authority_of(there.data, self.name)
        told = [restored.policy, *(old.policy for old in restored.superseded), self._policies[-1].policy]
        lost = [shown for shown in self._policies if shown.policy not in told]
        self._lost += lost
        return any(shown.until is None or now < shown.until + self._trace_of(shown) for shown in lost)

    def _first_signed_since(self, copy: Copy) -> frozenset[str]:
        """Return which keys nothing tells of any more that they ever signed."""
        there = authority_of(copy[DocumentName(self.name, DocumentKind.AUTHORITY)].data, self.name)
        return frozenset(record.kid for record in there.records if record.activated is None)

    def _trace_of(self, shown: Shown) -> Milliseconds:
        """Return how long after its end a policy's sets, leases and tokens may still be in use."""
        timing = shown.policy.timing(self.terms.staleness)
        return timing.exposure + timing.handover + timing.token_ttl + timing.leeway + timing.rollback_window

    def longest_held(self, now: Instant) -> Milliseconds:
        """Return the longest D + S + C + G + ε that any verifier may obey now."""
        lengths = [held_for(self.policy, self.terms.staleness)]
        for shown in self._policies:
            held = held_for(shown.policy, self.terms.staleness)
            if shown.until is None or now <= shown.until + held + self.terms.skew:
                lengths.append(held)
        return max(lengths)


def _policy(name: DocumentName, draft: Draft) -> RotationPolicy:
    derived = derived_of(name, draft.data)
    assert not isinstance(derived, SigningDocument)
    return derived.policy


def _kids(name: DocumentName, draft: Draft) -> frozenset[str]:
    derived = derived_of(name, draft.data)
    assert not isinstance(derived, SigningDocument)
    return derived.kids

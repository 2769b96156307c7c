"""One keyring as the simulation, which sees everything, knows it."""

from __future__ import annotations

from keyvault_jwt.clock import Instant, Milliseconds
from keyvault_jwt.document import SigningDocument
from keyvault_jwt.keyring import Keyring
from keyvault_jwt.policy import RotationPolicy
from keyvault_jwt.store import DocumentKind, DocumentName, Draft, Limits
from tests.model.witness import derived_of, held_for
from tests.simulation.drawn_policy import Terms
from tests.simulation.faults import Faults
from tests.simulation.skewed_witness import SkewedWitness
from tests.simulation.story import Violation

AMPLE = Limits(document_bytes=1 << 20)


class Ring:
    """What truly happened to a keyring."""

    def __init__(self, name: str, terms: Terms, policy: RotationPolicy, faults: Faults) -> None:
        self.name, self.issuer, self.terms = name, f"https://{name}.example", terms
        self.first_policy = policy
        self.symmetric = policy.algorithm.startswith("HS")
        self.faults, self.limits = faults, AMPLE
        self.quiet = self.over = False
        self.under_way = 0
        self.witness = SkewedWitness(terms.staleness, skew=terms.skew)
        self.privates: dict[str, tuple[str, bytes]] = {}
        self.compromised: set[str] = set()
        self.withdrawn: dict[str, Instant] = {}
        self.bounds: dict[str, Instant] = {}
        self.promotions = 0
        self.signing: str | None = None
        self._shown: frozenset[str] = frozenset()

    @property
    def keyring(self) -> Keyring | None:
        """The keyring as last committed; None before it was made."""
        return self.witness.latest

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
        try:
            self.witness = self.witness.landed(name, draft, now)
        except AssertionError as broken:
            raise Violation(f"{self.name}: {broken}") from broken
        if name.kind is DocumentKind.AUTHORITY and self.keyring is not None:
            self._committed(self.keyring)
        elif name.kind is DocumentKind.SIGNING:
            self._signs(name, draft)
        elif name.kind is self.shown_in:
            self._show(name, draft, now)

    def _committed(self, ring: Keyring) -> None:
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
        derived = derived_of(name, draft.data)
        assert not isinstance(derived, SigningDocument)
        for kid in self._shown - derived.kids:
            self.withdrawn[kid] = now
            self.bounds[kid] = now + self.longest_held(now)
        for kid in derived.kids - self._shown:
            self.withdrawn.pop(kid, None)
            self.bounds.pop(kid, None)
        self._shown = derived.kids

    def longest_held(self, now: Instant) -> Milliseconds:
        """Return the longest D + S + C + G + ε that any verifier may obey now."""
        lengths = [held_for(self.policy, self.terms.staleness)]
        for shown in self.witness.policies:
            held = held_for(shown.policy, self.terms.staleness)
            if shown.until is None or now <= shown.until + held + self.terms.skew:
                lengths.append(held)
        return max(lengths)

"""The model's witness, for writers whose clocks are apart: it knows the true time, and they don't."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from keyvault_jwt.clock import Instant, Milliseconds
from keyvault_jwt.keyring import Keyring
from keyvault_jwt.policy import RotationPolicy
from keyvault_jwt.store import DocumentKind, DocumentName, Draft
from tests.model.witness import Witness

_KEPT_COMMITS = 256


@dataclass(frozen=True)
class SkewedWitness(Witness):
    """Facts are dated as by the slowest clock and judged as by the fastest: ε covers the difference."""

    apart: Milliseconds = 0
    committing: bool = False

    def landed(self, name: DocumentName, draft: Draft, now: Instant) -> SkewedWitness:
        """Return the witness after a write landed; fails where a rule is broken."""
        commits = name.kind is DocumentKind.AUTHORITY
        looking = replace(self, committing=commits, commits=self._recent())
        seen = Witness.landed(
            looking, name, draft, now + (self.apart // 2 if commits else -(self.apart // 2))
        )
        assert isinstance(seen, SkewedWitness), "a witness keeps its class"
        return seen

    def _recent(self) -> Mapping[tuple[int, int], Keyring]:
        """Forget old commits: a derived document that comes so late is a violation anyway."""
        if len(self.commits) <= 2 * _KEPT_COMMITS:
            return self.commits
        return MappingProxyType(dict(sorted(self.commits.items())[-_KEPT_COMMITS:]))

    def _known_everywhere(self, kid: str, now: Instant) -> None:
        since = self.published[kid]
        if any(shown.since <= since for shown in self.policies):
            super()._known_everywhere(kid, now + self.apart)

    def _may_leave(self, kid: str, now: Instant, *committed: RotationPolicy) -> None:
        super()._may_leave(kid, now if self.committing else now + self.apart, *committed)

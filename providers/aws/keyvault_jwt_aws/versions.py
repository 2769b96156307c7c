"""Versions: what versions a secret has, which staging labels they bear, and how many are of this day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from keyvault_jwt.store import Version

CURRENT: Final = "AWSCURRENT"
PREVIOUS: Final = "AWSPREVIOUS"
PENDING: Final = "AWSPENDING"
CANDIDATE: Final = "keyvault-jwt-candidate"
"""The label of a version that may become current: one for all writers, since a secret has at most 20."""

_STAYS: Final = timedelta(days=1)
"""How long the service keeps a version however many there are."""


@dataclass(frozen=True, slots=True)
class Versions:
    """The labels of a secret's versions, and when each was made."""

    labels: Mapping[Version, frozenset[str]]
    made: Mapping[Version, datetime]

    @classmethod
    def of(cls, told: Iterable[Mapping[str, Any]]) -> Versions:
        """Return what the members `Versions` of ListSecretVersionIds' answers tell."""
        every = list(told)
        return cls(
            {Version(one["VersionId"]): frozenset(one.get("VersionStages") or ()) for one in every},
            {Version(one["VersionId"]): one["CreatedDate"] for one in every if "CreatedDate" in one},
        )

    def holders(self, label: str) -> tuple[Version, ...]:
        """Return the versions that bear the label: one, unless something is badly wrong."""
        return tuple(sorted(version for version, labels in self.labels.items() if label in labels))

    def of_this_day(self, now: datetime) -> int:
        """Return how many versions can't make room yet."""
        return sum(1 for made in self.made.values() if now - made < _STAYS)

"""VersionLabels: which version of a secret bears which staging labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from keyvault_jwt.store import Version

CURRENT: Final = "AWSCURRENT"
PREVIOUS: Final = "AWSPREVIOUS"
PENDING: Final = "AWSPENDING"
CANDIDATE: Final = "keyvault-jwt-candidate"
"""The label of a version that may become current: one for all writers, since a secret has at most 20."""


@dataclass(frozen=True, slots=True)
class VersionLabels:
    """The labels of a secret, by version; versions without any are not told of."""

    by_version: Mapping[Version, frozenset[str]]

    @classmethod
    def of(cls, description: Mapping[str, Any]) -> VersionLabels:
        """Return the labels that an answer to DescribeSecret tells of."""
        told = description.get("VersionIdsToStages") or {}
        return cls({Version(version): frozenset(labels) for version, labels in told.items()})

    def holders(self, label: str) -> tuple[Version, ...]:
        """Return the versions that bear the label: one, unless something is badly wrong."""
        return tuple(version for version, labels in self.by_version.items() if label in labels)

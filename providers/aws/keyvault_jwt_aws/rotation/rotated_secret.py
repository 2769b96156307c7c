"""RotatedSecret: a keyring's authority as Secrets Manager sees its rotation: AWSPENDING and AWSCURRENT."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from keyvault_jwt.document import decode_authority
from keyvault_jwt.errors import CorruptDocument
from keyvault_jwt.keyring import Keyring
from keyvault_jwt.store import Version

from ..kept_form import parent_of
from ..secret_name import secret_name
from ..secrets_store import AwsStore
from ..versions import CURRENT, PENDING
from .asked import Asked

_MISSING: Final = frozenset({"ResourceNotFoundException"})
_MISMATCH: Final = frozenset({"ResourceNotFoundException", "InvalidParameterException"})


@dataclass(frozen=True, slots=True)
class Labels:
    """Which versions bear labels, and whether rotation is on."""

    by_version: Mapping[Version, frozenset[str]]
    arn: str
    rotates: bool

    def of(self, version: Version) -> frozenset[str]:
        """Return a version's labels."""
        return self.by_version.get(version, frozenset())

    def holder(self, label: str) -> Version | None:
        """Return the version that bears the label."""
        return next((version for version, labels in self.by_version.items() if label in labels), None)


@dataclass(frozen=True, slots=True)
class Candidate:
    """The version that a rotation is to make current, and the one that it was decided from."""

    keyring: Keyring
    parent: Version

    def is_stale(self, labels: Labels) -> bool:
        """Whether another version is current than the one it was decided from."""
        return labels.holder(CURRENT) != self.parent


class RotatedSecret:
    """The authority's secret; its `AWSPENDING` is the rotation's, never a writer's."""

    def __init__(self, store: AwsStore, asked: Asked) -> None:
        self._store, self._service, self._asked = store, store.service, asked
        self._name = secret_name(store.service.address.prefix, asked.name)

    def labels(self) -> Labels:
        """Return what DescribeSecret tells."""
        told = self._service.request("describe_secret", {"SecretId": self._name}).body
        by_version: Mapping[str, list[str]] = told.get("VersionIdsToStages") or {}
        return Labels(
            {Version(version): frozenset(labels) for version, labels in by_version.items()},
            str(told.get("ARN", "")),
            told.get("RotationEnabled") is True,
        )

    def candidate(self, version: Version) -> Candidate | None:
        """Return a pending version; None for the empty one with which Secrets Manager begins.

        Raises `DocumentError`s for what keyvault-jwt did not write.
        """
        asked: dict[str, Any] = {"SecretId": self._name, "VersionId": version, "VersionStage": PENDING}
        answer = self._service.request("get_secret_value", asked, expecting=_MISSING)
        if answer.code:
            return None
        draft = self._store.opened(self._asked.name, answer.body, version)
        keyring, parent = decode_authority(self._asked.name.ring, draft.data), parent_of(answer.body)
        if parent is None or keyring.write_id != draft.write_id:
            raise CorruptDocument(
                f"the pending version of {self._asked.name} is no candidate of a rotation",
                why="it replaces no version, or its first line is another document's",
                fix="find out who wrote it; the next rotation puts its own in its place",
            )
        return Candidate(keyring, parent)

    def release(self, version: Version) -> None:
        """Take AWSPENDING off a version; nothing is done if it does not bear it."""
        asked = {"SecretId": self._name, "VersionStage": PENDING, "RemoveFromVersionId": version}
        self._service.request("update_secret_version_stage", asked, expecting=_MISMATCH)

"""One secret as Secrets Manager documents it: versions, and labels of which each is on one version at most.

Source of every rule: docs.aws.amazon.com, Secrets Manager API reference and quotas.
"""

from __future__ import annotations

from dataclasses import dataclass, field

CURRENT, PREVIOUS, PENDING = "AWSCURRENT", "AWSPREVIOUS", "AWSPENDING"
MOST_LABELS = 20
MOST_BYTES = 65_536
KEPT_VERSIONS = 100
"""Unlabelled versions are removed when there are more, but none that is younger than a day."""


class Refused(Exception):
    """What the service is documented to answer instead of doing as it is asked."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


@dataclass
class DocumentedVersion:
    """A version: what it holds, when it was made (in hours), and its labels.

    `value` is None in the empty version with which a rotation begins.
    """

    value: str | None
    made: float
    labels: set[str] = field(default_factory=set)


@dataclass
class DocumentedSecret:
    """A secret's versions by id; `quota` is how many it may have, None for a server that counts none.

    `rotates` says that rotation is on, and `rotator` which function is invoked for it.
    """

    quota: int | None = None
    deleted: bool = False
    rotates: bool = False
    rotator: str = ""
    versions: dict[str, DocumentedVersion] = field(default_factory=dict)

    def labels(self) -> dict[str, list[str]]:
        """Return the labels by version, as DescribeSecret tells them: versions without any are left out."""
        return {name: sorted(version.labels) for name, version in self.versions.items() if version.labels}

    def with_values(self) -> dict[str, list[str]]:
        """Return the labels of the versions that hold something: moto knows no others."""
        return {name: it for name, it in self.labels().items() if self.versions[name].value is not None}

    def begin_rotation(self, token: str, now: float) -> None:
        """Put AWSPENDING on an empty version of the rotation's own, unless a rotation is unfinished."""
        self.require_live()
        holder = self.holder(PENDING)
        if holder not in {None, self.holder(CURRENT)}:
            raise Refused(
                "InvalidRequestException",
                "A previous rotation isn't complete. That rotation will be reattempted.",
            )
        if token not in self.versions:
            self.versions[token] = DocumentedVersion(None, now)
        self.attach(PENDING, token)

    def drop_empty(self, label: str, take_from: str | None, to: str | None) -> bool:
        """Take a label off an empty version, which is gone with it; whether that is what was asked."""
        empty = take_from is not None and to is None and take_from in self.versions
        if not (empty and self.versions[take_from or ""].value is None):
            return False
        self.move(label, take_from, to)
        if not self.versions[take_from or ""].labels:
            del self.versions[take_from or ""]
        return True

    def holder(self, label: str) -> str | None:
        """Return the version that bears the label."""
        found = [name for name, version in self.versions.items() if label in version.labels]
        assert len(found) <= 1, f"the model put {label} on {found}"
        return found[0] if found else None

    def require_live(self) -> None:
        """Refuse whatever a secret that is scheduled for deletion does not do."""
        if self.deleted:
            raise Refused(
                "InvalidRequestException",
                "You can't perform this operation on the secret because it was marked for deletion.",
            )

    def require_room(self, now: float) -> None:
        """Refuse a version more than the quota; make room by removing what may be removed."""
        self.prune(now)
        if self.quota is not None and len(self.versions) >= self.quota:
            raise Refused("LimitExceededException", "You've reached the quota for versions of this secret.")

    def prune(self, now: float) -> None:
        """Remove the oldest unlabelled versions of more than a day while there are more than are kept."""
        old = [name for name, it in self.versions.items() if not it.labels and now - it.made >= 24]
        for name in old[: max(0, len(self.versions) - KEPT_VERSIONS + 1)]:
            del self.versions[name]

    def put(self, token: str, value: str, labels: list[str] | None, now: float) -> bool:
        """Add a version and return whether anything was done: the same token and value do nothing."""
        self.require_live()
        known = self.versions.get(token)
        if known is not None and known.value is None:
            del self.versions[token]
            return self._add(token, value, labels, now)
        if known is not None and known.value != value:
            raise Refused(
                "ResourceExistsException",
                "A resource with the ID you requested already exists: a version can't be modified.",
            )
        return known is None and self._add(token, value, labels, now)

    def _add(self, token: str, value: str, labels: list[str] | None, now: float) -> bool:
        if labels is not None and not 1 <= len(labels) <= MOST_LABELS:
            raise Refused("InvalidParameterException", "A version has from 1 to 20 staging labels.")
        if (
            len({label for it in self.versions.values() for label in it.labels} | {*(labels or ())})
            > MOST_LABELS
        ):
            raise Refused("LimitExceededException", "A secret has at most 20 staging labels.")
        self.require_room(now)
        first = not self.versions
        self.versions[token] = DocumentedVersion(value, now)
        for label in labels if labels is not None else [CURRENT]:
            self.attach(label, token)
        if first:
            self.attach(CURRENT, token)
        return True

    def attach(self, label: str, to: str) -> None:
        """Put the label on one version, taking it off another; AWSPREVIOUS follows AWSCURRENT."""
        before = self.holder(label)
        if before == to:
            return
        if before is not None:
            self.versions[before].labels.discard(label)
        self.versions[to].labels.add(label)
        if label == CURRENT and before is not None:
            self.versions[to].labels.discard(PREVIOUS)
            self.attach(PREVIOUS, before)

    def move(self, label: str, take_from: str | None, to: str | None) -> None:
        """Move or take off a label, only if `take_from` bears it when any version does."""
        self.require_live()
        holder = self.holder(label)
        for version in (take_from, to):
            if version is not None and version not in self.versions:
                raise Refused(
                    "ResourceNotFoundException", "Secrets Manager can't find the specified version."
                )
        if take_from is not None and take_from != holder:
            raise Refused(
                "InvalidParameterException",
                f"The staging label {label} is not attached to the version in RemoveFromVersionId.",
            )
        if to is None and (take_from is None or label == CURRENT):
            raise Refused("InvalidParameterException", f"{label} can't be taken off like that.")
        if to is None:
            self.versions[holder or ""].labels.discard(label)
            return
        if holder is not None and holder != to and take_from is None:
            raise Refused(
                "InvalidParameterException",
                f"The parameter RemoveFromVersionId can't be empty. Staging label {label} is currently "
                f"attached to version {holder}.",
            )
        self.attach(label, to)

    def asked_for(self, version: str | None, label: str | None) -> str:
        """Return the version that a Get is answered with; without version or label, the current one."""
        self.require_live()
        if version is None or label is not None:
            holder = self.holder(label or CURRENT)
            if holder is None or version not in {None, holder} or self.versions[holder].value is None:
                raise Refused(
                    "ResourceNotFoundException",
                    f"Secrets Manager can't find the specified secret value for staging label: {label}",
                )
            return holder
        if version not in self.versions or self.versions[version].value is None:
            raise Refused(
                "ResourceNotFoundException",
                f"Secrets Manager can't find the specified secret value for VersionId: {version}",
            )
        return version

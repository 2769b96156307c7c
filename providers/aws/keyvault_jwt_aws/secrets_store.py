"""`awssm://REGION/PREFIX`: documents in AWS Secrets Manager, each a secret of its own.

    PREFIX/RING/authority      PREFIX/RING/public
    PREFIX/RING/signing        PREFIX/RING/verification
    PREFIX/RING/archive-N

A policy grants each role its own secrets.  The service has one compare-and-swap: a staging label
moves only if the version that it is taken from bears it.  So a write puts a version that nobody
reads, and then moves AWSCURRENT from the version that was read to that one.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from types import TracebackType
from typing import Any, Final, Self
from uuid import UUID

from keyvault_jwt.clock import Milliseconds
from keyvault_jwt.errors import Conflict, DocumentTooLarge, StoreError
from keyvault_jwt.store import DocumentKind, DocumentName, Draft, Limits, Version, Versioned

from .errors import ServiceFailed, TwoCurrentVersions
from .kept_form import HEAD_BYTES, MOST_BYTES, draft_of, kept_form
from .nearest import Nearest, current
from .secret_name import document_name, secret_name
from .service import Answer, Service
from .versions import CANDIDATE, CURRENT, PREVIOUS, Versions
from .write_quota import INTERVAL, require_reserve

LIMITS: Final = Limits(document_bytes=MOST_BYTES - HEAD_BYTES)
"""Caps: what one version holds, less the line about the write."""

_JITTER: Final = 0.5
"""The longest pause, in seconds, before a pass's first write: of those that wake at once one goes first."""
_MISSING: Final = frozenset({"ResourceNotFoundException"})
_EXISTS: Final = frozenset({"ResourceExistsException"})
_MISMATCH: Final = frozenset({"ResourceNotFoundException", "InvalidParameterException"})


class AwsStore:
    """Documents by moving AWSCURRENT; thread-safe and fork-safe."""

    def __init__(
        self,
        service: Service,
        *,
        replica: Service | None = None,
        limits: Limits = LIMITS,
        wait: Callable[[float], object] | None = None,
    ) -> None:
        self._service = service
        self._nearest = Nearest(service, replica)
        self._address = service.address
        self._limits = replace(limits, write_interval=INTERVAL) if self._address.sparing else limits
        self._wait = threading.Event().wait if wait is None else wait
        self._read_anew: set[DocumentName] = set()

    def __repr__(self) -> str:
        return f"AwsStore({self._address.region!r}, {self._address.prefix!r})"

    @property
    def staleness(self) -> Milliseconds:
        """S, as the store URL declares it."""
        return self._address.staleness

    @property
    def limits(self) -> Limits:
        """The store's caps."""
        return self._limits

    @property
    def service(self) -> Service:
        """The service where everything is written."""
        return self._service

    def read(self, name: DocumentName) -> Versioned | None:
        """Return the document; None if there is no such secret, or none with a value.

        Raises `StoreError`s, and `DocumentError`s that carry the version.
        """
        if name.kind is DocumentKind.AUTHORITY:
            self._read_anew.add(name)
        answer = self._nearest.get(self._secret(name), name.kind)
        if answer.code:
            return None
        version = _version(name, answer)
        return Versioned(self.opened(name, answer.body, version), version)

    def opened(self, name: DocumentName, body: Mapping[str, Any], version: Version) -> Draft:
        """Return the draft that a version holds; `body` is GetSecretValue's answer."""
        return draft_of(name, body, version)

    def replace(self, name: DocumentName, draft: Draft, *, expected: Version | None) -> Version:
        """Put `draft` in place of the version `expected` (None: only if there is no such secret).

        Raises `Conflict`; `StoreDenied`, `StoreUnavailable` and `DocumentTooLarge` with nothing
        replaced; `StoreTimeout` when that is not known.
        """
        self._require_room(name, draft)
        version = _version_of(draft, expected)
        if expected is None:
            return self._create(name, self._form(name, draft, None, version), version)
        if not 32 <= len(expected) <= 64:
            raise _conflict(name)
        if name in self._read_anew:  # of several writes in one pass, the first: each pass reads once
            self._look_first(name, draft, expected)
        self._read_anew.discard(name)
        self._put(name, self._form(name, draft, expected, version), version)
        self.promote(name, expected, version)
        return version

    def stage(
        self, name: DocumentName, draft: Draft, *, parent: Version, version: Version, label: str
    ) -> None:
        """Put `draft` beside the current version `parent` as `version`, which bears `label` alone.

        Raises as `replace`, and `ServiceFailed` if that version holds something else already.
        """
        self._require_room(name, draft)
        self._look_first(name, draft, parent)
        self._put(name, self._form(name, draft, parent, version), version, label)

    def promote(self, name: DocumentName, parent: Version, version: Version) -> None:
        """Make a version that was put current in place of `parent`; raises as `replace`."""
        self._move(name, parent, version)
        if name.kind.is_private:
            self._let_go(name, parent)

    def names(self) -> list[DocumentName]:
        """Return the name of every document; a new one may be missing for five minutes."""
        prefix = self._address.prefix
        asked = {"Filters": [{"Key": "name", "Values": [f"{prefix}/"]}]} if prefix else {}
        found = (str(secret.get("Name", "")) for secret in self._paged("list_secrets", asked, "SecretList"))
        names = (document_name(prefix, secret) for secret in found)
        return sorted(name for name in names if name is not None)

    def close(self) -> None:
        """Close the connections."""
        self._nearest.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _paged(self, operation: str, asked: Mapping[str, Any], member: str) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        token: str | None = ""
        while token is not None:
            page = {"MaxResults": 100} | ({"NextToken": token} if token else {})
            body = self._service.request(operation, {**asked, **page}, expecting=_MISSING).body
            found += body.get(member, [])
            token = body.get("NextToken") or None
        return found

    def _form(
        self,
        name: DocumentName,  # noqa: ARG002  (what seals a version binds it to its name and id)
        draft: Draft,
        parent: Version | None,
        version: Version,  # noqa: ARG002
    ) -> dict[str, str | bytes]:
        """Return the field of a request that holds the document as `version`."""
        return kept_form(draft, parent)

    @property
    def _given(self) -> dict[str, Any]:
        """What a secret is given as it is made, besides its value."""
        address = self._address
        given: dict[str, Any] = {"KmsKeyId": address.kms_key} if address.kms_key else {}
        if address.tags:
            given["Tags"] = [{"Key": key, "Value": value} for key, value in address.tags.items()]
        if address.replicas:
            given["AddReplicaRegions"] = [{"Region": region} for region in address.replicas]
        return given

    def _get(self, name: DocumentName) -> Answer:
        return current(self._service, self._secret(name))

    def _create(self, name: DocumentName, form: dict[str, str | bytes], version: Version) -> Version:
        asked = {
            "Name": self._secret(name),
            "ClientRequestToken": version,
            "Description": "A document of keyvault-jwt; change it with keyvault-jwt only.",
            **form,
            **self._given,
        }
        answer = self._service.request("create_secret", asked, safe=False, expecting=_EXISTS)
        if not answer.code:
            return version
        there = self._get(name)
        if there.code:
            # Somebody made the secret for us, without a value: the first put becomes current.
            self._put(name, form, version, first=True)
            there = self._get(name)
            if there.body.get("VersionId") == version:
                return version
        elif answer.repeated and there.body.get("VersionId") == version:
            return version
        raise _conflict(name)

    def _look_first(self, name: DocumentName, draft: Draft, expected: Version) -> None:
        """Raise `Conflict` before a version is spent on a race that is lost already.

        Raises `TwoCurrentVersions`, too, and `VersionsSpent` for what can wait when few are left.
        """
        if self._address.sparing:
            self._wait(random.SystemRandom().uniform(0, _JITTER))
        versions = self._versions(name)
        holders = versions.holders(CURRENT)
        if len(holders) > 1:
            raise TwoCurrentVersions(
                f"{len(holders)} versions of {name} are current at once",
                why=f"AWSCURRENT is on {' and '.join(holders)}, which the service itself never does",
                fix="find out who moved it; take it off the wrong one with `aws secretsmanager "
                f"update-secret-version-stage --secret-id {self._secret(name)}`; nothing was changed",
            )
        if holders != (expected,):
            raise _conflict(name)
        if self._address.sparing:
            require_reserve(name, draft, versions.of_this_day(datetime.now(UTC)))

    def _versions(self, name: DocumentName) -> Versions:
        asked = {"SecretId": self._secret(name), "IncludeDeprecated": True}
        return Versions.of(self._paged("list_secret_version_ids", asked, "Versions"))

    def _put(
        self,
        name: DocumentName,
        form: dict[str, str | bytes],
        version: Version,
        label: str = CANDIDATE,
        *,
        first: bool = False,
    ) -> None:
        asked = {
            "SecretId": self._secret(name),
            "ClientRequestToken": version,
            "VersionStages": [label],
            **form,
        }
        answer = self._service.request(
            "put_secret_value", asked, safe=not first, expecting=_MISSING | _EXISTS
        )
        if answer.code in _EXISTS:
            raise ServiceFailed(
                f"version {version} of {name} holds something else",
                why=answer.message,
                fix="find out who writes with version ids that are not its own; nothing was changed",
            )
        if answer.code:
            raise _conflict(name)

    def _move(self, name: DocumentName, expected: Version, version: Version) -> None:
        asked = {
            "SecretId": self._secret(name),
            "VersionStage": CURRENT,
            "RemoveFromVersionId": expected,
            "MoveToVersionId": version,
        }
        answer = self._service.request("update_secret_version_stage", asked, safe=False, expecting=_MISMATCH)
        if answer.code and not (answer.repeated and self._is_current(name, version)):
            raise _conflict(name)

    def _let_go(self, name: DocumentName, version: Version) -> None:
        """Take AWSPREVIOUS off a version that nobody needs, so that the service may delete it.

        It is clean-up: if it fails, the next write moves the label on.
        """
        asked = {
            "SecretId": self._secret(name),
            "VersionStage": PREVIOUS,
            "RemoveFromVersionId": version,
        }
        try:
            self._service.request("update_secret_version_stage", asked, expecting=_MISMATCH)
        except StoreError:
            return

    def _is_current(self, name: DocumentName, version: Version) -> bool:
        return self._get(name).body.get("VersionId") == version

    def _secret(self, name: DocumentName) -> str:
        return secret_name(self._address.prefix, name)

    def _require_room(self, name: DocumentName, draft: Draft) -> None:
        if not 0 <= draft.revision < 2**63:
            raise ValueError("a revision is a number from 0 to 2^63 - 1")
        if len(draft.data) > self._limits.document_bytes:
            raise DocumentTooLarge(
                f"{name} has {len(draft.data)} bytes",
                why=f"a secret holds {MOST_BYTES} and {HEAD_BYTES} are for its first line; nothing was sent",
                fix="let `reconcile` archive old keys and events, publish fewer keys, or use a store that "
                "holds more, such as vault://",
            )


def _version_of(draft: Draft, parent: Version | None) -> Version:
    """Return the id for a version: the same for the same write, so that repeating it makes no second one."""
    told = b"\n".join((draft.write_id.bytes, (parent or "").encode(), draft.data))
    return Version(str(UUID(bytes=sha256(told).digest()[:16], version=5)))


def _version(name: DocumentName, answer: Answer) -> Version:
    version, labels = answer.body.get("VersionId"), answer.body.get("VersionStages") or ()
    if not isinstance(version, str) or CURRENT not in labels:
        raise ServiceFailed(
            f"Secrets Manager tells no current version of {name}",
            why="its answer lacks VersionId, or AWSCURRENT in VersionStages",
            fix="check the endpoint_url in the store URL",
        )
    return Version(version)


def _conflict(name: DocumentName) -> Conflict:
    return Conflict(
        f"{name} is not as it was read",
        why="another writer was first, or it is gone",
        fix="read it again and decide again",
    )

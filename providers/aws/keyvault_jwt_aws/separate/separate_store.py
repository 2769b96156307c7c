"""`awssm://…?private_halves=separate`: private documents sealed under keys that are deleted with them.

A write makes a key, puts the document sealed under it, moves AWSCURRENT, and deletes the keys of
the versions that can't become current any more.  What they held is gone then, though Secrets
Manager keeps the versions.

Only who has moved AWSCURRENT deletes keys, and only of versions that it saw before: those were put
by writers that had read what was current before, and whose own move is refused from then on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from keyvault_jwt import events
from keyvault_jwt.errors import CorruptDocument
from keyvault_jwt.events import Event, Listener
from keyvault_jwt.store import DocumentKind, DocumentName, Draft, Limits, Version, Versioned

from ..errors import KeyOfVersionGone
from ..kept_form import kept, kept_form
from ..secrets_store import LIMITS, AwsStore
from ..service import Service
from ..versions import PREVIOUS, Versions
from .key_secrets import KeySecrets
from .version_key import VersionKey

SEPARATED: Final = frozenset({DocumentKind.AUTHORITY, DocumentKind.SIGNING, DocumentKind.VERIFICATION})
"""The documents that hold private halves: archives hold tombstones alone."""

_LATE: Final = timedelta(minutes=10)
"""Lists may be late by five minutes: docs.aws.amazon.com, API reference, ListSecrets."""
_NOBODY: Final = Version(str(UUID(int=0)))


class SeparateStore(AwsStore):
    """An `AwsStore` in which a private half that was dropped is nowhere; thread-safe and fork-safe."""

    def __init__(
        self,
        service: Service,
        *,
        replica: Service | None = None,
        limits: Limits = LIMITS,
        wait: Callable[[float], object] | None = None,
        listener: Listener = events.log,
    ) -> None:
        super().__init__(service, replica=replica, limits=limits, wait=wait)
        self._listener = listener
        self._secrets = KeySecrets(service, self._given)
        self._known: dict[DocumentName, VersionKey] = {}

    def __repr__(self) -> str:
        return f"SeparateStore({self._address.region!r}, {self._address.prefix!r})"

    def read(self, name: DocumentName) -> Versioned | None:
        """Return the document, or None, as `AwsStore` does; raises `KeyOfVersionGone`, too.

        A version that is replaced while it is read has lost its key: then the next one is read.
        """
        try:
            return super().read(name)
        except KeyOfVersionGone:
            return super().read(name)

    def opened(self, name: DocumentName, body: Mapping[str, Any], version: Version) -> Draft:
        """Return the draft that a version holds, unsealed."""
        found = kept(name, body, version)
        if not found.sealed:
            return found.draft
        data = self._key(name, version).open(found.draft.data)
        if data is None:
            corrupt = CorruptDocument(
                f"the secret of {name} is damaged",
                why="it does not open under its version's key",
                fix="find out who wrote it; move the secret of `authority` away and run `recover`",
            )
            corrupt.version = version
            raise corrupt
        return Draft(data, found.draft.revision, found.draft.write_id)

    def promote(self, name: DocumentName, parent: Version, version: Version) -> None:
        """Make a version that was put current in place of `parent`, and delete the keys of others."""
        if name.kind not in SEPARATED:
            super().promote(name, parent, version)
            return
        versions = self._versions(name)
        self._move(name, parent, version)
        given_up = [one for one in _given_up(versions, parent) if one != version]
        left, code = self._secrets.left_of(name, given_up)
        if not left:
            self._let_go(name, parent)
            return
        # AWSPREVIOUS stays on: by it the next write knows.
        facts: dict[str, str | int] = {"document": str(name), "keys": len(left), "code": code}
        self._listener(Event("aws.keys-not-deleted", name.ring, facts, alarm=True))

    def _form(
        self, name: DocumentName, draft: Draft, parent: Version | None, version: Version
    ) -> dict[str, str | bytes]:
        if name.kind not in SEPARATED:
            return super()._form(name, draft, parent, version)
        if parent is None:
            # Better no keyring than one whose keys can't be deleted.
            self._secrets.destroy(name, _NOBODY)
        key = VersionKey.of(name, version, draft.data)
        # The key is first: whoever finds a version finds all that is to be deleted.
        self._secrets.keep(key)
        self._known[name] = key
        return kept_form(draft, parent, sealed=key.seal(draft.data))

    def _key(self, name: DocumentName, version: Version) -> VersionKey:
        known = self._known.get(name)
        if known is None or known.version != version:
            known = self._secrets.find(name, version)
        if known is None:
            raise KeyOfVersionGone(
                f"the key of version {version} of {name} is gone",
                why="the version was replaced since it was current, or somebody deleted its key",
                fix="try again; if it stays so, move the secret of `authority` away and run `recover`",
            )
        self._known[name] = known
        return known


def _given_up(versions: Versions, parent: Version) -> list[Version]:
    """Return the versions whose keys may be there, and are needed no more once `parent` is replaced.

    The last clean-up deleted those of all that it saw; if AWSPREVIOUS is on it has not ended.
    """
    made = versions.made.get(parent)
    if versions.holders(PREVIOUS) or made is None:
        return list(versions.labels)
    return [one for one in versions.labels if one not in versions.made or versions.made[one] >= made - _LATE]

"""A keyring in a store as a source of keys: its `public` document, or `verification` if symmetric."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import msgspec

from .. import document, jwks
from ..algorithms import algorithm_named
from ..clock import Clock
from ..document import PublicDocument, VerificationDocument
from ..errors import KeyringNotFound
from ..history import require_continuation
from ..jwks import JWKSet, Origin
from ..store import DocumentKind, DocumentName, DocumentStore, check_ring_name
from .freshness import Lifetime
from .quarantine import require_begun
from .source import Loaded

_MAX_BYTES: Final = 16 * jwks.MAX_BYTES


class StoreSource:
    """Reads the keyring's document, which carries its own C and G: those of the policy."""

    def __init__(self, store: DocumentStore, ring: str, clock: Clock) -> None:
        self._store, self._ring, self._clock = store, check_ring_name(ring), clock
        self._kind = DocumentKind.PUBLIC
        self._seen: PublicDocument | VerificationDocument | None = None

    @property
    def name(self) -> str:
        """The keyring's name."""
        return f"keyring {self._ring}"

    @property
    def identity(self) -> str:
        """The store, as it shows itself, and the keyring."""
        return f"{self._store!r} {self._ring}"

    def load(self, tag: str | None, previous: Lifetime | None) -> Loaded:
        """Read the set.

        Raises `KeyringNotFound`, `RolledBack` for a history that does not continue what was
        read before, `FutureDocument` for one that has not begun, and whatever the store and the
        document raise.
        """
        found = self._store.read(DocumentName(self._ring, self._kind))
        if found is None:
            raise KeyringNotFound(
                f"there is no keyring {self._ring} in the store", why=f"it has no {self._kind} document"
            )
        if found.version == tag and previous is not None:
            return Loaded(None, previous, tag)
        read = self._decode(found.draft.data)
        if self._kind is DocumentKind.PUBLIC and algorithm_named(read.policy.algorithm).symmetric:
            # No keyring ever changes between the two, so this is found out once.
            self._kind = DocumentKind.VERIFICATION
            return self.load(None, None)
        origin = Origin(read.ring, read.epoch, read.revision)
        require_begun(origin, self._clock.wall())
        require_continuation(read, self._seen)
        self._seen = read
        timing = read.policy.timing(0)
        lifetime = Lifetime(timing.jwks_max_age, timing.max_stale)
        return Loaded(replace(_keys(read), origin=origin), lifetime, found.version, _revoked(read))

    def _decode(self, data: bytes) -> PublicDocument | VerificationDocument:
        if self._kind is DocumentKind.PUBLIC:
            return document.decode_public(self._ring, data)
        return document.decode_verification(self._ring, data)


def _keys(read: PublicDocument | VerificationDocument) -> JWKSet:
    secret = isinstance(read, VerificationDocument)
    return jwks.parse(msgspec.json.encode({"keys": read.keys}), allow_symmetric=secret, max_bytes=_MAX_BYTES)


def _revoked(read: PublicDocument | VerificationDocument) -> frozenset[str]:
    """Return the kids, and thumbprints if they have any, of the revoked keys the document tells of.

    A store that was restored and recovered without marks has a new epoch above all that was seen,
    and may publish them again; only the keys themselves can then be remembered.
    """
    if isinstance(read, VerificationDocument):
        return frozenset(read.revoked)
    revoked = [record for record in read.records if record.compromised is not None]
    return frozenset(name for record in revoked for name in (record.kid, record.fingerprint))

"""`vault://MOUNT/PREFIX?transit=TRANSIT`: documents in KV version 2, private halves in Transit."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter
from types import TracebackType
from typing import Self

from keyvault_jwt.clock import Milliseconds
from keyvault_jwt.remote_signer import RemoteKey
from keyvault_jwt.store import DocumentName, Draft, Limits, Version, Versioned

from ..kv_store import VaultStore
from ..session import Session
from .key_maker import TransitKeyMaker
from .mount import TransitMount
from .transit_signer import TransitSigner
from .versions import TransitVersions


class TransitStore:
    """A `VaultStore` whose keyrings sign in Transit; thread-safe and fork-safe.

    It also is a `RemoteSigner`, makes keys (`MakesKeys`) and lets them go (`RetiresKeys`).
    Documents name each key by `MOUNT/NAME#VERSION`.
    """

    def __init__(self, session: Session, transit: str) -> None:
        self._documents = VaultStore(session)
        self._address = session.address
        self._mount = TransitMount(self._documents, transit)
        self._signer = TransitSigner(self._mount, self._address)

    def __repr__(self) -> str:
        return f"TransitStore({self._mount.name!r}, {self._documents!r})"

    # --- keys ------------------------------------------------------------------------------

    def require(self, ring: str, reference: str, algorithm: str) -> None:
        """Raise `BadReference` unless the reference names a key of this keyring and algorithm."""
        self._signer.require(ring, reference, algorithm)

    def sign(self, reference: str, algorithm: str, data: bytes) -> bytes:
        """Return the JWS signature of `data`; raises `StoreError`s."""
        return self._signer.sign(reference, algorithm, data)

    def key_factory(self, ring: str) -> TransitKeyMaker:
        """Return what makes the keyring's keys."""
        return TransitKeyMaker(self._mount, self._address, ring)

    def keep(self, ring: str, keys: Iterable[RemoteKey]) -> None:
        """Destroy what no key of the keyring refers to any more; raises `StoreError`s."""
        versions, algorithm_of = TransitVersions(self._mount, self._address, ring), attrgetter("algorithm")
        for algorithm, group in groupby(sorted(keys, key=algorithm_of), key=algorithm_of):
            versions.keep(algorithm, group)

    # --- documents -------------------------------------------------------------------------

    @property
    def staleness(self) -> Milliseconds:
        """S, as the store URL declares it; 0 if the active node is asked."""
        return self._documents.staleness

    @property
    def limits(self) -> Limits:
        """The store's caps."""
        return self._documents.limits

    def read(self, name: DocumentName) -> Versioned | None:
        """Return the document, or None, as `VaultStore` does."""
        return self._documents.read(name)

    def replace(self, name: DocumentName, draft: Draft, *, expected: Version | None) -> Version:
        """Put `draft` in place of the version `expected`, as `VaultStore` does."""
        return self._documents.replace(name, draft, expected=expected)

    def names(self) -> list[DocumentName]:
        """Return the name of every document that this token may see."""
        return self._documents.names()

    def purge(self, name: DocumentName, *, before: Version) -> None:
        """Destroy every version of a document older than `before`."""
        self._documents.purge(name, before=before)

    def close(self) -> None:
        """Revoke what was logged in for and close the connections; the store answers no more."""
        self._documents.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

"""Retirement: tells whoever keeps private halves which ones no document refers to any more."""

from __future__ import annotations

from .errors import KeyvaultJWTError
from .keyring import Keyring
from .remote_signer import RemoteKey, RetiresKeys
from .store import DocumentStore


class Retirement:
    """Remembers what a store was told of each keyring.

    It is told once per process, since a crash may have come between a commit and the telling,
    and after every drop of a reference: an idle pass asks nothing of the store.
    """

    def __init__(self, store: DocumentStore) -> None:
        self._keeper = store if isinstance(store, RetiresKeys) else None
        self._told: dict[str, frozenset[str]] = {}

    def tell(self, keyring: Keyring) -> tuple[str, ...]:
        """Tell what a committed keyring still refers to, if need be; return the alarm if that failed."""
        if self._keeper is None:
            return ()
        held = frozenset(r.reference for r in keyring.records if r.reference is not None)
        told = self._told.pop(keyring.ring, None)
        if told is None or told - held:
            try:
                self._keeper.keep(keyring.ring, _remote_keys(keyring))
            except KeyvaultJWTError as error:
                return (f"retired private halves are not gone yet ({error.code}): {error}",)
        self._told[keyring.ring] = held
        return ()


def _remote_keys(keyring: Keyring) -> tuple[RemoteKey, ...]:
    return tuple(
        RemoteKey(record.algorithm, record.fingerprint, record.reference)
        for record in keyring.records
        if not record.symmetric
    )

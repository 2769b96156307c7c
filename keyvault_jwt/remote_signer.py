"""RemoteSigner: a store, or a service beside it, that signs with keys it never gives away."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@runtime_checkable
class RemoteSigner(Protocol):
    """Signs for keys whose private half is known here by `reference` alone."""

    def require(self, ring: str, reference: str, algorithm: str) -> None:
        """Raise `StoreError` unless the reference names a key of this keyring and algorithm.

        Who may write one keyring's documents could name another's key there.  Of the service, at most
        one answer is needed for each key, and kept: a signer asks this with every document that it reads.
        """
        ...

    def sign(self, reference: str, algorithm: str, data: bytes) -> bytes:
        """Return the JWS signature of `data` under the exact `alg` name (RFC 7518 section 3).

        For ECDSA that is R and S side by side, not DER.  Raises `StoreError` when the signer
        can't be reached or refuses.
        """
        ...


@dataclass(frozen=True, slots=True)
class RemoteKey:
    """A key as the service that may hold its private half is told of it.

    `fingerprint` is the RFC 7638 thumbprint of the public half; `reference` is None once no
    document names the key to the service any more, or if it never did.
    """

    algorithm: str
    fingerprint: str
    reference: str | None


@runtime_checkable
class RetiresKeys(Protocol):
    """Holds private halves, and lets them go when no document refers to them any more."""

    def keep(self, ring: str, keys: Iterable[RemoteKey]) -> None:
        """Destroy the private halves of the keyring that none of its keys refers to.

        `keys` are all of a committed authority.  What is newer than any of them stays: it may be
        a fresh key of another rotator.  Repeating it, with older keys too, does no harm.
        Raises `StoreError`.
        """
        ...

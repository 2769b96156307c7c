"""RemoteSigner: a store, or a service beside it, that signs with keys it never gives away."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class RemoteSigner(Protocol):
    """Signs for keys whose private half is known here by `reference` alone."""

    def sign(self, reference: str, algorithm: str, data: bytes) -> bytes:
        """Return the JWS signature of `data` under the exact `alg` name (RFC 7518 section 3).

        For ECDSA that is R and S side by side, not DER.  Raises `StoreError` when the signer
        can't be reached or refuses.
        """
        ...

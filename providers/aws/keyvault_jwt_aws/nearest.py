"""Nearest: reads from a replica nearby, and from the primary region when that one can't answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from keyvault_jwt.errors import StoreUnavailable
from keyvault_jwt.store import DocumentKind

from .service import Answer, Service
from .versions import CURRENT

_MISSING: Final = frozenset({"ResourceNotFoundException"})
_DECIDED_ON: Final = frozenset({DocumentKind.AUTHORITY, DocumentKind.ARCHIVE})
"""What rotation is decided from: it is read where it is written, or a replica's lag would cost races."""


@dataclass(frozen=True, slots=True)
class Nearest:
    """Where documents are read; `replica` is None where there is no other region than the primary."""

    primary: Service
    replica: Service | None = None

    def get(self, secret: str, kind: DocumentKind) -> Answer:
        """Return the current version of a secret, or the refusal of one that is not there.

        A secret that has not reached the replica is asked for in the primary region, too.
        """
        if self.replica is not None and kind not in _DECIDED_ON:
            try:
                answer = current(self.replica, secret)
            except StoreUnavailable:
                return current(self.primary, secret)
            if not answer.code:
                return answer
        return current(self.primary, secret)

    def close(self) -> None:
        """Close the connections."""
        self.primary.close()
        if self.replica is not None:
            self.replica.close()


def current(service: Service, secret: str) -> Answer:
    """Return the current version of a secret in one region, or the refusal of one that is not there."""
    asked = {"SecretId": secret, "VersionStage": CURRENT}
    return service.request("get_secret_value", asked, expecting=_MISSING)

"""How often the service lets a secret be written, and what is held back.

A version stays for a day even when nobody needs it, and a secret has about 100, so that it is
not to be written more than once in ten minutes for long:
https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
"""

from __future__ import annotations

from typing import Final

from keyvault_jwt.clock import Milliseconds
from keyvault_jwt.document import decode_authority
from keyvault_jwt.errors import DocumentError
from keyvault_jwt.keyring import Keyring
from keyvault_jwt.store import DocumentName, Draft

from .errors import VersionsSpent

INTERVAL: Final[Milliseconds] = 600_000
"""The time between two writes of a secret that the service sustains."""
MOST_VERSIONS: Final = 100
RESERVE: Final = 20
"""Versions of a day that only what can't wait may use: a revocation and what follows takes about four."""

_CANNOT_WAIT: Final = frozenset({"revoked", "rolled-back", "recovered"})


def require_reserve(name: DocumentName, draft: Draft, of_this_day: int) -> None:
    """Raise `VersionsSpent` for an authority that can wait, if the secret's last versions are near."""
    if of_this_day < MOST_VERSIONS - RESERVE or _cannot_wait(name, draft):
        return
    raise VersionsSpent(
        f"{name} has had {of_this_day} versions within a day",
        why=f"it may have about {MOST_VERSIONS}, and the last {RESERVE} are kept for a revocation",
        fix="find out who writes so often; versions make room a day after they were made",
    )


def _cannot_wait(name: DocumentName, draft: Draft) -> bool:
    keyring = _keyring(name, draft)
    if keyring is None or not keyring.ledger.entries:
        return False
    entries = keyring.ledger.entries
    return any(entry.action in _CANNOT_WAIT for entry in entries if entry.at == entries[-1].at)


def _keyring(name: DocumentName, draft: Draft) -> Keyring | None:
    try:
        return decode_authority(name.ring, draft.data)
    except DocumentError:
        return None  # what is no authority has no policy

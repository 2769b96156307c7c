"""What must have happened in many worlds, by name: what never happened is not shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from keyvault_jwt import command
from keyvault_jwt.decision import Command
from keyvault_jwt.ledger import Entry

ENOUGH: Final = 2_000
"""In so many worlds everything must have happened."""

_FAULTS: Final = (
    "a process crashes before a write",
    "a process crashes after a write",
    "a process is suspended",
    "the store can't be reached",
    "a write is lost",
    "a write lands after its time-out",
    "an answer is lost",
    "a write is sent twice",
    "another writer is faster",
    "a read is stale",
    "an outage",
    "a store nearly full",
    "routine refused by a full store",
    "a service restarts",
    "a service restarts and has forgotten everything",
    "one document restored",
    "every document restored",
    "a repair",
)
_COMMANDS: Final = (
    "Create",
    "Reconcile",
    "Rotate",
    "Rotate in an emergency",
    "Revoke",
    "Revoke the active key",
    "Rollback",
    "ChangePolicy",
    "Migrate",
    "Import",
    "Recover",
)
_LEDGER: Final = (
    "added",
    "imported",
    "promoted: no key was signing",
    "promoted: rotation due",
    "promoted: rotated by hand",
    "promoted: emergency",
    "promoted: emergency: the active key was revoked",
    "promoted: migration",
    "deactivated",
    "rolled-back",
    "revoked",
    "private-half-dropped",
    "destroyed",
    "policy-changed",
    "migration-started",
    "migration-confirmed",
    "recovered",
)
_TOKENS: Final = (
    "accepted",
    "refused after its end",
    "stolen: accepted before the bound",
    "stolen: refused after the bound",
)
EXERCISED: Final = frozenset(
    f"{group}: {name}"
    for group, names in (
        ("fault", _FAULTS),
        ("command", _COMMANDS),
        ("ledger", _LEDGER),
        ("token", _TOKENS),
        ("world", ("hundreds of keyrings", "a keyring without a key that signs")),
    )
    for name in names
)


def command_name(asked: Command, active: str | None = None) -> str:
    """Return what was done when a command ended well; `active` is the key that signed when it was asked."""
    name = type(asked).__name__
    if isinstance(asked, command.Rotate) and asked.emergency:
        name += " in an emergency"
    elif isinstance(asked, command.Revoke) and asked.kid == active:
        name += " the active key"
    return f"command: {name}"


def entry_names(entries: Iterable[Entry]) -> Iterator[str]:
    """Yield what a ledger's new entries tell of."""
    for entry in entries:
        if entry.action == "promoted":
            reason = "migration" if entry.detail.startswith("migration to") else entry.detail
            yield f"ledger: promoted: {reason}"
        else:
            yield f"ledger: {entry.action}"

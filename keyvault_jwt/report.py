"""Report: what one pass over a keyring did, and what comes next."""

from __future__ import annotations

from dataclasses import dataclass

from .keyring import Keyring
from .keys import KeyState
from .ledger import Entry
from .marks import Mark
from .plan import Plan


@dataclass(frozen=True, slots=True)
class Report:
    """The keyring a pass left, the ledger entries it wrote, the plan from here, and its alarms."""

    keyring: Keyring
    entries: tuple[Entry, ...]
    plan: Plan
    commits: int
    alarms: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether the pass committed anything."""
        return self.commits > 0

    @property
    def has_active_key(self) -> bool:
        """Whether the keyring can sign."""
        return self.keyring.active is not None


def mark_of(keyring: Keyring) -> Mark:
    """Return what to remember of a keyring outside its store."""
    revoked = frozenset(r.kid for r in keyring.records if r.compromised is not None)
    usable = {KeyState.PRE_ACTIVATION, KeyState.ACTIVE}
    return Mark(
        keyring.epoch,
        keyring.revision,
        keyring.write_id,
        revoked,
        usable=frozenset(r.kid for r in keyring.records if r.state in usable),
        verifying=frozenset(r.kid for r in keyring.records if r.state is KeyState.DEACTIVATED),
    )

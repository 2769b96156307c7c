"""Snapshot: a keyring and its plan, of one read and one instant."""

from __future__ import annotations

from typing import NamedTuple

from ..clock import Milliseconds
from ..key_manager import KeyManager
from ..keyring import Keyring
from ..plan import Plan, plan
from ..store import limits_of, staleness_of
from .session import now


class Snapshot(NamedTuple):
    """A keyring as it was read, what is due then, and the store's S."""

    keyring: Keyring
    plan: Plan
    staleness: Milliseconds


def snapshot(manager: KeyManager, ring: str) -> Snapshot:
    """Read the keyring once and plan it; raises as `KeyManager.keyring` does."""
    keyring, staleness = manager.keyring(ring), staleness_of(manager.store)
    due = plan(keyring, now(), staleness=staleness, limits=limits_of(manager.store))
    return Snapshot(keyring, due, staleness)

"""Snapshot: a keyring and its plan, of one read and one instant."""

from __future__ import annotations

from typing import NamedTuple

from ..clock import Milliseconds
from ..errors import MasterKeyError, StoreDenied
from ..key_manager import KeyManager
from ..keyring import Keyring
from ..plan import Plan, plan
from ..store import limits_of, staleness_of
from .public_view import PublicView, public_view
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


def look(manager: KeyManager, ring: str) -> Snapshot | PublicView:
    """Return the keyring as a snapshot, or as its public document has it if the authority is closed.

    That it is to a reader without that grant (an auditor), and to one without the master key.
    Raises as `KeyManager.keyring` does, also if the public document is no way in either.
    """
    try:
        return snapshot(manager, ring)
    except (StoreDenied, MasterKeyError) as closed:
        view = public_view(manager.store, ring, now(), closed)
        if view is None:
            raise
        return view

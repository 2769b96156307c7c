"""A scheduler: rotates the keyring when it is due, beside others that do the same."""

from __future__ import annotations

from ..key_manager import KeyManager
from ..scheduler import RotationScheduler
from ..store_url import open_store
from .messages import SCHEDULER_PART, Order, Ready
from .station import Station


def run(station: Station) -> None:
    """Rotate until the pipe closes."""
    part = station.part(SCHEDULER_PART)
    with KeyManager(open_store(part.store)) as manager, RotationScheduler(manager, part.ring):
        station.tell(Ready())
        station.listen(_nothing)


def _nothing(_order: Order) -> None:
    """Take an order that is none of a scheduler's."""

"""A scheduler of every keyring in the store, that reports each write and each win."""

from __future__ import annotations

import sys

from keyvault_jwt import document
from keyvault_jwt.demo.messages import SCHEDULER_PART, Order, Ready
from keyvault_jwt.demo.station import Station
from keyvault_jwt.errors import KeyvaultJWTError
from keyvault_jwt.events import Event
from keyvault_jwt.key_manager import KeyManager
from keyvault_jwt.scheduler import RotationScheduler
from keyvault_jwt.store import DocumentKind, DocumentName, DocumentStore, Draft, Version, Versioned
from keyvault_jwt.store_url import open_store
from tests.chaos.reports import WON, Answered, Claimed, Failed, Sent
from tests.passing_store import PassingStore


class ReportingStore(PassingStore):
    """A store that reports every write before it is sent and after it was answered."""

    def __init__(self, store: DocumentStore, station: Station) -> None:
        super().__init__(store)
        self._station = station
        self._signing: dict[str, str] = {}

    def read(self, name: DocumentName) -> Versioned | None:
        found = super().read(name)
        if found is not None and name.kind is DocumentKind.AUTHORITY:
            self._signing[name.ring] = _signing_in(name.ring, found.draft)
        return found

    def replace(self, name: DocumentName, draft: Draft, *, expected: Version | None) -> Version:
        write = name.ring, name.kind.value, draft.revision, draft.write_id
        authority = name.kind is DocumentKind.AUTHORITY
        promotes = authority and _signing_in(name.ring, draft) != self._signing.get(name.ring)
        self._station.tell(Sent(*write, promotes))
        outcome = "unknown"
        try:
            version = super().replace(name, draft, expected=expected)
            outcome = WON
        except KeyvaultJWTError as error:
            outcome = error.code
            raise
        finally:
            self._station.tell(Answered(*write, outcome))
        return version


def _signing_in(ring: str, draft: Draft) -> str:
    active = document.decode_authority(ring, draft.data).active
    return "" if active is None else active.kid


def run(station: Station) -> None:
    """Rotate until the pipe closes."""
    part = station.part(SCHEDULER_PART)

    def tell(event: Event) -> None:
        if "seq" in event.facts:
            action = event.name.removeprefix("keyring.")
            station.tell(Claimed(event.ring, int(event.facts["seq"]), action, str(event.facts["kid"])))
        elif event.name in {"scheduler.keyring-failed", "scheduler.list-failed"}:
            station.tell(Failed(str(event.facts["code"])))

    manager = KeyManager(ReportingStore(open_store(part.store), station), listener=tell)
    with RotationScheduler(manager, part.ring, listener=tell):
        station.tell(Ready())
        station.listen(_nothing)


def _nothing(_order: Order) -> None:
    """Take an order that is none of a scheduler's."""


if __name__ == "__main__":
    run(Station(sys.stdin.buffer, sys.stdout.buffer))

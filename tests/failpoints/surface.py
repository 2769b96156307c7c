"""What is at a site: its documents, what a keyring amounts to, and whether all of it fits together."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import msgspec

from keyvault_jwt import document
from keyvault_jwt.clock import Instant
from keyvault_jwt.keyring import Keyring
from keyvault_jwt.store import DocumentKind, DocumentName, DocumentStore
from tests.failpoints.site import Documents
from tests.model.life import lived_on
from tests.model.model_store import RING, ModelStore
from tests.model.shown import authority_of
from tests.model.witness import Witness
from tests.model.world import World

AUTHORITY = DocumentName(RING, DocumentKind.AUTHORITY)


def documents_in(place: str, store: DocumentStore) -> Documents:
    """Return every document of a store; a path that was only prepared for one holds none."""
    seen = {name: store.read(name) for name in store.names()}
    return {(place, name): found.draft for name, found in seen.items() if found is not None}


def keyring_in(documents: Documents, place: str) -> Keyring | None:
    """Return the keyring that a store's authority holds."""
    draft = documents.get((place, AUTHORITY))
    return None if draft is None else authority_of(draft.data, RING)


@dataclass(frozen=True)
class Shape:
    """What a keyring amounts to, whichever kids and write ids it was given."""

    issuer: str
    policy: object
    records: tuple[str, ...]
    waits: object
    ledger: tuple[tuple[str, int], ...]
    frozen: bool


def shape_of(keyring: Keyring | None, *, history: bool = True) -> Shape | None:
    """Return a keyring's shape; without `history`, only its living keys and their stamps count."""
    if keyring is None:
        return None
    records = []
    for record in keyring.records:
        facts = msgspec.structs.asdict(record)
        facts |= {"public": record.public is not None, "private": record.private is not None}
        facts |= {"kid": "", "fingerprint": "", "founding": history and record.founding}
        if history or not record.is_tombstone:
            records.append(repr(facts))
    actions = Counter(entry.action for entry in keyring.ledger.entries)
    return Shape(
        issuer=keyring.issuer,
        policy=keyring.policy,
        records=tuple(sorted(records)),
        waits=(keyring.migration, keyring.superseded, [ref.number for ref in keyring.archives]),
        ledger=tuple(sorted(actions.items())) if history else (),
        frozen=keyring.frozen_to is not None,
    )


def check_derived(documents: Documents, place: str) -> None:
    """Every derived document says what the committed keyring says."""
    keyring = keyring_in(documents, place)
    if keyring is None:
        return
    for kind in document.derived_kinds(keyring):
        name = DocumentName(RING, kind)
        assert (place, name) in documents, f"there is no {kind} in {place}"
        there = document.decode_derived(name, documents[place, name].data)
        wanted = document.derive(kind, keyring)
        assert document.says_the_same(there, wanted), f"{kind} in {place} is not what the keyring derives"


def live_on(documents: Documents, place: str, witness: Witness, now: Instant) -> None:
    """Let the keyring on, in memory, under a scheduler's care: everything due must be done."""
    store = ModelStore()
    for (where, name), draft in sorted(documents.items()):
        if where == place:
            store = store.put(name, draft, now)
    lived_on(World(store, witness, now, started=100))

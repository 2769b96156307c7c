"""Keys in memory: whatever holds a private half neither shows it nor lets it be pickled."""

from __future__ import annotations

import pickle

import pytest

from keyvault_jwt import KeyManager, RotationPolicy, document
from keyvault_jwt.document import ActiveHalf, SigningDocument, VerificationDocument
from keyvault_jwt.key_factory import FreshKey, LocalKeyFactory
from keyvault_jwt.keyring import Keyring
from keyvault_jwt.keys import KeyRecord, new_record
from keyvault_jwt.store import DocumentName
from keyvault_jwt.stores.memory import MemoryStore

from ..canary import spellings

Holder = FreshKey | KeyRecord | ActiveHalf | SigningDocument | VerificationDocument | Keyring


def holders(algorithm: str) -> tuple[set[str], list[Holder]]:
    """Return a key's spellings, and one of everything in memory that holds its private half."""
    fresh = LocalKeyFactory().make(algorithm)
    assert fresh.private is not None
    store = MemoryStore()
    manager = KeyManager(store, listener=lambda _: None)
    manager.import_key("ring", fresh, issuer="https://id.example", policy=RotationPolicy(algorithm=algorithm))
    found: list[Holder] = [fresh, new_record(fresh, 0), manager.keyring("ring")]
    for kind in document.derived_kinds(manager.keyring("ring")):
        name = DocumentName("ring", kind)
        read = store.read(name)
        assert read is not None
        derived = document.decode_derived(name, read.draft.data)
        if isinstance(derived, SigningDocument):
            assert derived.key is not None
            found += [derived, derived.key]
        elif isinstance(derived, VerificationDocument):
            found.append(derived)
    return spellings(algorithm, fresh.private), found


def shown_by_rich(value: object) -> str:
    """Return what rich shows of a value: it asks for `__rich_repr__`, which msgspec has for every struct."""
    members = getattr(value, "__rich_repr__", None)
    if members is None:
        return repr(value)
    return " ".join(shown_by_rich(part) for member in members() for part in member)


@pytest.mark.parametrize("algorithm", ["ES256", "HS256"])
def test_nothing_that_holds_a_private_half_shows_it(algorithm: str) -> None:
    """Neither a repr nor a traceback that lists local variables spells a private half."""
    secret, found = holders(algorithm)
    for holder in found:
        text = f"{holder!r} {holder} {shown_by_rich(holder)}"
        assert not any(spelling in text for spelling in secret), type(holder)


@pytest.mark.parametrize("algorithm", ["ES256", "HS256"])
def test_no_private_half_is_pickled(algorithm: str) -> None:
    """A pickle goes to queues and caches unsealed, so a holder of a private half refuses to be one."""
    for holder in holders(algorithm)[1]:
        with pytest.raises(TypeError, match="is not pickled"):
            pickle.dumps(holder)


def test_record_without_private_half_is_pickled() -> None:
    """What anyone may read of a key can be handed to another process."""
    record = new_record(LocalKeyFactory().make("ES256"), 0).redacted()
    assert pickle.loads(pickle.dumps(record)) == record

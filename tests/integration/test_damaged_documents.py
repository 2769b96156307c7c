"""What a damaged file costs: derived documents are written anew, the authority is never touched."""

from __future__ import annotations

import traceback
from pathlib import Path

import msgspec
import pytest

from keyvault_jwt.errors import CorruptDocument, ForeignDocument, MasterKeyError
from keyvault_jwt.jwk import Secret
from keyvault_jwt.key_manager import KeyManager
from keyvault_jwt.policy import RotationPolicy
from keyvault_jwt.store import DocumentKind, DocumentName, Draft
from keyvault_jwt.stores.file import FileStore
from keyvault_jwt.stores.master_key import key_file

KEY = Secret(bytes(range(32)))
DAMAGES = {
    "truncated": lambda data: data[: len(data) // 2],
    "emptied": lambda _: b"",
    "one bit": lambda data: data[:-9] + bytes([data[-9] ^ 1]) + data[-8:],
    "foreign": lambda _: b'{"format": "something else"}',
}


@pytest.fixture
def manager(tmp_path: Path) -> KeyManager:
    """A manager of one keyring on disk."""
    manager = KeyManager(FileStore(tmp_path / "keys", master_key=KEY))
    manager.create("pay", RotationPolicy(), issuer="https://id.example")
    return manager


def told_with_locals(error: BaseException) -> str:
    """Return what a reporter prints of the error: every frame below the test's own, with its variables."""
    assert error.__traceback__ is not None
    below = error.__traceback__.tb_next
    return "".join(traceback.TracebackException(type(error), error, below, capture_locals=True).format())


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("document", ["public.json", "signing.sealed"])
def test_a_damaged_derived_document_neither_stops_a_revocation_nor_stays(
    manager: KeyManager, tmp_path: Path, document: str, damage: str
) -> None:
    """`revoke` commits, repairs the damaged file, reads the removal back and raises an alarm."""
    path = tmp_path / "keys" / "pay" / document
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    active = manager.keyring("pay").active
    assert active is not None

    report = manager.revoke("pay", active.kid, reason="leaked")

    assert any(path.name.partition(".")[0] in alarm for alarm in report.alarms)
    assert report.keyring.record(active.kid).revoked is not None
    assert active.kid.encode() not in manager.jwks("pay")
    assert not manager.reconcile("pay").alarms


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_authority_is_refused_and_left_as_it_is(
    manager: KeyManager, tmp_path: Path, damage: str
) -> None:
    """The only source of truth is never written over; putting the old bytes back mends everything."""
    path = tmp_path / "keys" / "pay" / "authority.sealed"
    whole = path.read_bytes()
    damaged = DAMAGES[damage](whole)
    path.write_bytes(damaged)
    with pytest.raises((CorruptDocument, ForeignDocument)):
        manager.reconcile("pay")
    with pytest.raises((CorruptDocument, ForeignDocument)):
        manager.recover("pay")
    assert path.read_bytes() == damaged
    path.write_bytes(whole)
    assert not manager.reconcile("pay").changed


def test_no_frame_of_an_error_holds_a_documents_bytes(manager: KeyManager, tmp_path: Path) -> None:
    """Error reporters that print local variables find no private half behind a damaged authority."""
    store, name = manager.store, DocumentName("pay", DocumentKind.AUTHORITY)
    found = store.read(name)
    assert found is not None
    digit = found.draft.data[-3:-2]
    other = b"1" if digit == b"0" else b"0"
    damaged = Draft(found.draft.data[:-3] + other + b'"}', found.draft.revision, found.draft.write_id)
    private = msgspec.json.decode(found.draft.data)["records"][0]["private"]
    store.replace(name, damaged, expected=found.version)
    for command in (manager.keyring, manager.reconcile, manager.recover):
        with pytest.raises(CorruptDocument) as caught:
            command("pay")
        assert private not in told_with_locals(caught.value)


def test_no_frame_of_an_error_holds_a_mistyped_master_key(tmp_path: Path) -> None:
    """A key file with a typing error is refused without showing the rest of the key."""
    path = tmp_path / "key"
    path.write_text("c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldC1z!!")
    path.chmod(0o600)
    with pytest.raises(MasterKeyError) as caught:
        key_file(path)
    assert "c2VjcmV0" not in told_with_locals(caught.value)

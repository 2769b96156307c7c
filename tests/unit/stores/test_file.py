"""What the file store does beyond the contract: places, modes, and damage to its files."""

from __future__ import annotations

import itertools
import json
import os
import stat
import threading
from pathlib import Path
from uuid import uuid4

import pytest

from keyvault_jwt.errors import (
    Conflict,
    CorruptDocument,
    DocumentError,
    ForeignDocument,
    StoreDenied,
    StoreUnavailable,
    WrongMasterKey,
)
from keyvault_jwt.jwk import Secret
from keyvault_jwt.store import DocumentKind, DocumentName, Draft, Version, limits_of, staleness_of
from keyvault_jwt.stores.file import FileStore

AUTHORITY = DocumentName("payments", DocumentKind.AUTHORITY)
PUBLIC = DocumentName("payments", DocumentKind.PUBLIC)


def draft(data: bytes = b"canary-private-half", revision: int = 1) -> Draft:
    """A draft of a write of its own."""
    return Draft(data, revision, uuid4())


def own_json(revision: int = 1) -> Draft:
    """A public document as `document.py` writes it: JSON that states its revision and write."""
    write = uuid4()
    return Draft(
        json.dumps({"revision": revision, "write_id": str(write), "jwks": {}}).encode(), revision, write
    )


@pytest.fixture
def kept(store: FileStore) -> Version:
    """The version of a private document that is there."""
    return store.replace(AUTHORITY, draft(), expected=None)


def test_declares_what_it_promises(store: FileStore) -> None:
    """Its reads are linearizable and its documents may be large, which plans count on."""
    assert staleness_of(store) == 0
    assert limits_of(store).document_bytes == 64 * 1024 * 1024


def test_public_file_is_the_document(store: FileStore) -> None:
    """The file of a public document is the JSON that was given, byte for byte."""
    given = own_json()
    store.replace(PUBLIC, given, expected=None)
    assert (store.path / "payments" / "public.json").read_bytes() == given.data


@pytest.mark.parametrize("kind", [kind for kind in DocumentKind if kind.is_private])
def test_private_file_is_sealed(store: FileStore, kind: DocumentKind) -> None:
    """No private document's bytes are anywhere in the directory."""
    store.replace(DocumentName("payments", kind), draft(), expected=None)
    for path in store.path.rglob("*"):
        assert path.is_dir() or b"canary" not in path.read_bytes()


MODES = {
    DocumentKind.AUTHORITY: 0o600,
    DocumentKind.ARCHIVE: 0o600,
    DocumentKind.SIGNING: 0o640,
    DocumentKind.VERIFICATION: 0o640,
    DocumentKind.PUBLIC: 0o644,
}


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077], ids=oct)
@pytest.mark.parametrize(("kind", "mode"), MODES.items())
def test_mode_is_the_role(store: FileStore, kind: DocumentKind, mode: int, umask: int) -> None:
    """Each document's file has the mode of its role under any umask, also when it is replaced."""
    before = os.umask(umask)
    try:
        name = DocumentName("payments", kind)
        version = store.replace(name, draft(), expected=None)
        store.replace(name, draft(revision=2), expected=version)
    finally:
        os.umask(before)
    (file,) = (path for path in (store.path / "payments").iterdir() if path.name != ".lock")
    assert stat.S_IMODE(file.stat().st_mode) == mode
    assert not stat.S_IMODE(store.path.stat().st_mode) & 0o022


@pytest.mark.parametrize("kind", [DocumentKind.AUTHORITY, DocumentKind.PUBLIC])
def test_damaged_file_is_an_error_and_stays(store: FileStore, kind: DocumentKind) -> None:
    """Truncated, foreign and empty files are errors of their own; none is changed, nor is it replaced."""
    name = DocumentName("payments", kind)
    store.replace(name, own_json(), expected=None)
    (file,) = (path for path in (store.path / "payments").iterdir() if path.name != ".lock")
    whole = file.read_bytes()
    for data, error in (
        (b"", CorruptDocument),
        (whole[: len(whole) // 2], CorruptDocument),
        (b"[1, 2]", ForeignDocument),
    ):
        file.write_bytes(data)
        with pytest.raises(error):
            store.read(name)
        with pytest.raises(Conflict):
            store.replace(name, draft(revision=2), expected=None)
        assert file.read_bytes() == data


def test_every_byte_of_a_private_file_counts(store: FileStore, kept: Version) -> None:
    """A private file with any one byte changed is never read as a document."""
    file = store.path / "payments" / "authority.sealed"
    whole = file.read_bytes()
    for place in range(len(whole)):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(DocumentError):
            store.read(AUTHORITY)


def test_wrong_key(store: FileStore, kept: Version) -> None:
    """Another master key is told as such, and the document stays for the right one."""
    with pytest.raises(WrongMasterKey):
        FileStore(store.path, master_key=Secret(os.urandom(32))).read(AUTHORITY)
    assert store.read(AUTHORITY) is not None


def test_file_put_in_anothers_place(store: FileStore, kept: Version) -> None:
    """A sealed file copied over another document's, or another keyring's, is told as foreign."""
    sealed = (store.path / "payments" / "authority.sealed").read_bytes()
    (store.path / "billing").mkdir()
    for place in ("payments/signing.sealed", "payments/archive-1.sealed", "billing/authority.sealed"):
        (store.path / place).write_bytes(sealed)
    for name in store.names():
        if name != AUTHORITY:
            with pytest.raises(ForeignDocument, match="payments/authority"):
                store.read(name)


def test_link_in_a_documents_place(store: FileStore, kept: Version, tmp_path: Path) -> None:
    """A document's file or directory that is a link is neither read nor written through."""
    (tmp_path / "elsewhere").mkdir()
    (store.path / "linked").symlink_to(tmp_path / "elsewhere")
    (store.path / "payments" / "public.json").symlink_to(tmp_path / "elsewhere" / "file")
    for name in (DocumentName("linked", DocumentKind.PUBLIC), PUBLIC):
        with pytest.raises(ForeignDocument):
            store.read(name)
        with pytest.raises(ForeignDocument):
            store.replace(name, draft(), expected=None)
    assert not list((tmp_path / "elsewhere").iterdir())


def test_directory_that_anyone_may_write_to(store: FileStore, kept: Version) -> None:
    """A store, or a keyring, that any user may write to is neither read nor written."""
    for path in (store.path, store.path / "payments"):
        path.chmod(0o777)
        for use in (lambda: store.read(AUTHORITY), lambda: store.replace(PUBLIC, draft(), expected=None)):
            with pytest.raises(StoreDenied, match="chmod o-w"):
                use()
        path.chmod(0o755)
    assert store.read(AUTHORITY) is not None


def test_leftovers_of_a_dead_writer_are_swept(store: FileStore, kept: Version) -> None:
    """What a killed writer left aside goes with the next write, and is no document meanwhile."""
    leftover = store.path / "payments" / ".authority.sealed.tmp"
    leftover.write_bytes(b"half")
    assert store.names() == [AUTHORITY]
    store.replace(PUBLIC, draft(), expected=None)
    assert not leftover.exists()
    store.replace(AUTHORITY, draft(revision=2), expected=kept)
    assert sorted(path.name for path in (store.path / "payments").iterdir()) == [
        ".lock",
        "authority.sealed",
        "public.json",
    ]


def test_restored_copy_with_another_date_is_another_version(store: FileStore) -> None:
    """A file put back by hand is a new version, so that no decision on the old read passes."""
    version = store.replace(PUBLIC, own_json(), expected=None)
    file = store.path / "payments" / "public.json"
    os.utime(file)
    with pytest.raises(Conflict):
        store.replace(PUBLIC, draft(revision=2), expected=version)


def test_dates_rise_past_a_clock_set_back(store: FileStore) -> None:
    """A document dated in the future is replaced by one dated later still: no version can come back."""
    store.replace(PUBLIC, own_json(), expected=None)
    file = store.path / "payments" / "public.json"
    os.utime(file, ns=(4 * 10**18, 4 * 10**18))
    seen = store.read(PUBLIC)
    assert seen is not None
    store.replace(PUBLIC, own_json(2), expected=seen.version)
    assert file.stat().st_mtime_ns > 4 * 10**18


def test_file_as_the_store(tmp_path: Path) -> None:
    """A file where the directory should be is an error, not an empty store."""
    (tmp_path / "keys").touch()
    store = FileStore(tmp_path / "keys", master_key=Secret(os.urandom(32)))
    for use in (
        lambda: store.read(AUTHORITY),
        store.names,
        lambda: store.replace(PUBLIC, draft(), expected=None),
    ):
        with pytest.raises(ForeignDocument):
            use()


def test_missing_directory_is_an_empty_store(store: FileStore) -> None:
    """Reading makes nothing: a store that is not there has no documents."""
    assert store.read(AUTHORITY) is None
    assert store.names() == []
    assert not store.path.exists()


def test_rings_do_not_wait_for_each_other(store: FileStore, kept: Version) -> None:
    """A writer of one keyring holds up no writer of another, and no reader at all."""
    from keyvault_jwt.stores.directory import open_directory
    from keyvault_jwt.stores.filesystem import SystemFilesystem
    from keyvault_jwt.stores.lock import DirectoryLock

    with (
        open_directory(SystemFilesystem(), store.path / "payments") as ring,
        DirectoryLock().hold(ring),
    ):
        store.replace(DocumentName("billing", DocumentKind.AUTHORITY), draft(), expected=None)
        assert store.read(AUTHORITY) is not None


def test_closed_store_answers_no_more(store: FileStore, kept: Version) -> None:
    """A closed store has forgotten its key and says that it is closed."""
    with store as opened:
        assert opened is store
    assert store._seal is None
    for use in (
        lambda: store.read(AUTHORITY),
        store.names,
        lambda: store.replace(PUBLIC, draft(), expected=None),
    ):
        with pytest.raises(StoreUnavailable, match="closed"):
            use()


@pytest.mark.parametrize("revision", [-1, 2**63])
def test_revision_out_of_range(store: FileStore, revision: int) -> None:
    """A revision that no header can state is refused before anything is written."""
    with pytest.raises(ValueError, match="revision"):
        store.replace(AUTHORITY, draft(revision=revision), expected=None)
    assert not store.path.exists()


def test_repr_shows_no_key(tmp_path: Path) -> None:
    """The store's repr names its directory and nothing else."""
    key = os.urandom(32)
    assert repr(FileStore(tmp_path, master_key=Secret(key))) == f"FileStore({str(tmp_path)!r})"


def test_readers_see_whole_documents(store: FileStore) -> None:
    """Readers without a lock, during many writes, see one whole document or another."""
    done = threading.Event()
    seen: set[int] = set()
    failures: list[Exception] = []
    version = store.replace(AUTHORITY, draft(b"0" * 50_000, 0), expected=None)

    def read() -> None:
        try:
            while not done.is_set():
                document = store.read(AUTHORITY)
                assert document is not None
                assert set(document.draft.data) == {ord(str(document.draft.revision % 10))}
                seen.add(document.draft.revision)
        except Exception as failure:
            failures.append(failure)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for revision in itertools.count(1):
        version = store.replace(
            AUTHORITY, draft(str(revision % 10).encode() * 50_000, revision), expected=version
        )
        if revision >= 100 and (len(seen) >= 20 or failures or revision > 5_000):
            break
    done.set()
    for reader in readers:
        reader.join()
    assert not failures
    assert len(seen) >= 20

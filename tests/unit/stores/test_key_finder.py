"""A store finds the key it was made with, and never gets another one in its place."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from uuid import uuid4

import pytest

from keyvault_jwt import base64url
from keyvault_jwt.errors import MasterKeyError, WrongMasterKey
from keyvault_jwt.store import DocumentKind, DocumentName, Draft
from keyvault_jwt.stores.file import FileStore
from keyvault_jwt.stores.preparation import Prepares

PRIVATE = DocumentName("payments", DocumentKind.AUTHORITY)
PUBLIC = DocumentName("payments", DocumentKind.PUBLIC)
DRAFT = Draft(b"private", 1, uuid4())


@pytest.fixture
def prepared(tmp_path: Path, bare_environment: Path) -> FileStore:
    """A store that was made with a key file of its own and has a private document."""
    store = FileStore(tmp_path / "keys")
    store.prepare()
    store.replace(PRIVATE, DRAFT, expected=None)
    return store


def test_prepare_makes_what_is_missing_and_says_so(tmp_path: Path, bare_environment: Path) -> None:
    """At first a store, its id and a key outside of it are made, each told once; then nothing more."""
    store = FileStore(tmp_path / "keys")
    assert isinstance(store, Prepares)
    about_store, about_key = store.prepare()
    (key,) = (bare_environment / "master-keys").glob("*.key")
    assert str(tmp_path / "keys") in about_store
    assert str(key) in about_key
    assert "0600" in about_key
    assert store.prepare() == ()
    assert FileStore(tmp_path / "keys").prepare() == ()
    assert base64url.encode(base64url.decode(key.read_text().strip())) not in about_key


@pytest.mark.parametrize("left", ["..store.json.tmp", "..gitignore.tmp"])
def test_a_store_half_made_is_made(tmp_path: Path, bare_environment: Path, left: str) -> None:
    """What a process left aside when it died making the store is swept; anybody else's file stays."""
    store = FileStore(tmp_path / "keys")
    store.path.mkdir()
    (store.path / left).write_bytes(b"half")
    (store.path / ".theirs.tmp").touch()
    store.prepare()
    store.replace(PRIVATE, DRAFT, expected=None)
    assert not (store.path / left).exists()
    assert (store.path / ".theirs.tmp").exists()


def test_a_key_has_one_name(prepared: FileStore, bare_environment: Path) -> None:
    """The second name that a process left when it died right after making the key is removed."""
    (key,) = (bare_environment / "master-keys").glob("*.key")
    (key.parent / f".{key.name}.tmp").hardlink_to(key)
    FileStore(prepared.path).prepare()
    assert sorted(path.name for path in key.parent.iterdir()) == [".lock", key.name]
    assert key.stat().st_nlink == 1


def test_prepared_store_is_ignored_by_git(tmp_path: Path, bare_environment: Path) -> None:
    """A directory that is made here tells git to leave it out; one that was in use is left as it is."""
    FileStore(tmp_path / "new").prepare()
    assert (tmp_path / "new" / ".gitignore").read_text() == "*\n"
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "setup.py").touch()
    FileStore(tmp_path / "project").prepare()
    assert not (tmp_path / "project" / ".gitignore").exists()


def test_key_is_found_again(prepared: FileStore) -> None:
    """Another process's store object opens what this one sealed."""
    seen = FileStore(prepared.path).read(PRIVATE)
    assert seen is not None
    assert seen.draft == DRAFT


def test_moved_store_keeps_its_key(prepared: FileStore, tmp_path: Path) -> None:
    """The key file goes by the store's id, so a store that was moved still opens."""
    shutil.move(prepared.path, tmp_path / "moved")
    seen = FileStore(tmp_path / "moved").read(PRIVATE)
    assert seen is not None
    assert seen.draft == DRAFT


def test_two_stores_have_two_keys(prepared: FileStore, tmp_path: Path, bare_environment: Path) -> None:
    """A second store gets a key of its own, which does not open the first one's documents."""
    second = FileStore(tmp_path / "second")
    second.prepare()
    assert len(list((bare_environment / "master-keys").glob("*.key"))) == 2
    shutil.copytree(prepared.path / "payments", second.path / "payments")
    with pytest.raises(WrongMasterKey):
        second.read(PRIVATE)


def test_environment_goes_first(prepared: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key in the environment is used even where the store has a file of its own."""
    monkeypatch.setenv("KEYVAULT_JWT_MASTER_KEY", base64url.encode(os.urandom(32)))
    with pytest.raises(WrongMasterKey):
        FileStore(prepared.path).read(PRIVATE)


def test_given_key_means_no_key_file(
    tmp_path: Path, bare_environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the environment gives a key none is made."""
    monkeypatch.setenv("KEYVAULT_JWT_MASTER_KEY", base64url.encode(os.urandom(32)))
    made = FileStore(tmp_path / "keys").prepare()
    assert len(made) == 1
    assert not bare_environment.exists()


def test_lost_key_is_not_made_anew(prepared: FileStore, bare_environment: Path) -> None:
    """A store with sealed documents never gets a new key: prepare says that the old one is missing."""
    (key,) = (bare_environment / "master-keys").glob("*.key")
    key.unlink()
    for use in (lambda: FileStore(prepared.path).prepare(), lambda: FileStore(prepared.path).read(PRIVATE)):
        with pytest.raises(MasterKeyError, match=str(key)):
            use()
    assert not key.exists()


def test_nothing_is_made_unasked(tmp_path: Path, bare_environment: Path) -> None:
    """Neither reading nor writing makes a key; the error says what would."""
    store = FileStore(tmp_path / "keys")
    with pytest.raises(MasterKeyError, match="keyvault-jwt up"):
        store.replace(PRIVATE, DRAFT, expected=None)
    assert store.read(PRIVATE) is None
    assert not bare_environment.exists()
    assert not store.path.exists()


def test_publisher_needs_no_key(prepared: FileStore, bare_environment: Path) -> None:
    """Public documents, and the absence of private ones, are read and written without any key."""
    shutil.rmtree(bare_environment)
    store = FileStore(prepared.path)
    version = store.replace(PUBLIC, DRAFT, expected=None)
    seen = store.read(PUBLIC)
    assert seen is not None
    assert (seen.draft, seen.version) == (DRAFT, version)
    assert store.read(DocumentName("payments", DocumentKind.SIGNING)) is None
    with pytest.raises(MasterKeyError):
        store.read(PRIVATE)


def test_key_never_lies_in_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bare_environment: Path
) -> None:
    """State inside the store would put the key there, also through a link, and is refused."""
    (tmp_path / "link").symlink_to(tmp_path / "keys")
    for state in (tmp_path / "keys", tmp_path / "link" / "state"):
        monkeypatch.setenv("KEYVAULT_JWT_STATE", str(state))
        with pytest.raises(MasterKeyError, match="KEYVAULT_JWT_STATE"):
            FileStore(tmp_path / "keys").prepare()
    assert not list((tmp_path / "keys").rglob("*.key"))


def test_spoilt_key_file_is_not_replaced(prepared: FileStore, bare_environment: Path) -> None:
    """A key file that is damaged or open to others is an error and stays as it is."""
    (key,) = (bare_environment / "master-keys").glob("*.key")
    key.chmod(0o644)
    with pytest.raises(MasterKeyError, match="chmod 600"):
        FileStore(prepared.path).prepare()
    key.chmod(0o600)
    key.write_text("spoilt")
    with pytest.raises(MasterKeyError, match="holds no master key"):
        FileStore(prepared.path).prepare()
    assert key.read_text() == "spoilt"

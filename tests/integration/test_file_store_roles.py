"""The file store's modes are roles that the operating system keeps, shown by processes of other users."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from keyvault_jwt import base64url
from keyvault_jwt.errors import KeyvaultJWTError, StoreDenied
from keyvault_jwt.store import DocumentKind, DocumentName, DocumentStore, Draft, Version, Versioned
from keyvault_jwt.stores.file import FileStore
from keyvault_jwt.testing import StoreRolesContract

AS_USER = Path(__file__).parent / "file_store" / "as_user.py"
SIGNERS, NOBODY = 64_001, 64_002
UUID_0 = UUID(int=0)


class StoreAsUser:
    """A file store of which each call is made by a process of another user."""

    def __init__(self, path: Path, uid: int, gid: int) -> None:
        self._command = [sys.executable, str(AS_USER), str(uid), str(gid), str(path)]

    def _call(self, method: str, *arguments: Any, **options: Any) -> Any:
        call = pickle.dumps((method, arguments, options))
        done = subprocess.run(self._command, input=call, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        answer = pickle.loads(done.stdout)
        if isinstance(answer, KeyvaultJWTError):
            raise answer
        return answer

    def read(self, name: DocumentName) -> Versioned | None:
        """Read as the user."""
        seen: Versioned | None = self._call("read", name)
        return seen

    def replace(self, name: DocumentName, draft: Draft, *, expected: Version | None) -> Version:
        """Replace as the user."""
        version: Version = self._call("replace", name, draft, expected=expected)
        return version

    def names(self) -> list[DocumentName]:
        """List as the user."""
        names: list[DocumentName] = self._call("names")
        return names


@pytest.fixture
def path(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A store's directory, granted to the signers' group, where every user can come."""
    if os.geteuid() != 0:
        pytest.skip("only root can start processes of other users")
    monkeypatch.setenv("KEYVAULT_JWT_MASTER_KEY", base64url.encode(os.urandom(32)))
    above = Path(tempfile.mkdtemp(prefix="keyvault-jwt-"))
    above.chmod(0o755)
    (above / "keys").mkdir(mode=0o755)
    os.chown(above / "keys", 0, SIGNERS)
    yield above / "keys"
    shutil.rmtree(above)


class TestFileStoreRoles(StoreRolesContract):
    """Owner, signer and publisher as three users of one machine."""

    @pytest.fixture
    def owner(self, path: Path) -> DocumentStore:
        """The store's owner."""
        return FileStore(path)

    @pytest.fixture
    def signer(self, path: Path) -> DocumentStore:
        """A user of the signers' group, with the master key."""
        return StoreAsUser(path, NOBODY, SIGNERS)

    @pytest.fixture
    def publisher(self, path: Path) -> DocumentStore:
        """Any other user, with the master key all the same: the modes alone must do."""
        return StoreAsUser(path, NOBODY, NOBODY)

    def test_everyone_may_list(self, publisher: DocumentStore, ring: str) -> None:
        """The publisher sees which keyrings there are."""
        assert DocumentName(ring, DocumentKind.PUBLIC) in list(publisher.names())

    def test_denial_names_file_and_capability(self, path: Path, publisher: DocumentStore, ring: str) -> None:
        """A denied read says which file, which capability and which user; so does a denied write."""
        with pytest.raises(StoreDenied) as caught:
            publisher.read(DocumentName(ring, DocumentKind.AUTHORITY))
        assert caught.value.what == f"may not read {path / ring / 'authority.sealed'}"
        assert f"uid {NOBODY}" in caught.value.why
        with pytest.raises(StoreDenied, match=f"may not write.* {path / 'fresh'}"):
            publisher.replace(
                DocumentName("fresh", DocumentKind.PUBLIC), Draft(b"", 1, UUID_0), expected=None
            )

    def test_closed_keyring_is_not_listed(self, path: Path, publisher: DocumentStore, ring: str) -> None:
        """A keyring that an operator closed to others is denied, and not listed to them."""
        (path / ring).chmod(0o700)
        assert list(publisher.names()) == []
        with pytest.raises(StoreDenied, match=str(path / ring)):
            publisher.read(DocumentName(ring, DocumentKind.PUBLIC))


def test_what_root_writes_is_the_owners(path: Path) -> None:
    """After root wrote to another user's store, that user goes on reading and writing."""
    os.chown(path, NOBODY, NOBODY)
    name = DocumentName("payments", DocumentKind.AUTHORITY)
    version = FileStore(path).replace(name, Draft(b"by root", 1, UUID_0), expected=None)
    owner = StoreAsUser(path, NOBODY, NOBODY)
    seen = owner.read(name)
    assert seen is not None
    assert seen.draft.data == b"by root"
    owner.replace(name, Draft(b"by its owner", 2, UUID_0), expected=version)

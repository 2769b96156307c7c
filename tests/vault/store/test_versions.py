"""What the server keeps of a document besides the present version."""

from __future__ import annotations

import urllib.error
from typing import Any
from uuid import uuid4

import pytest

from keyvault_jwt.errors import Conflict
from keyvault_jwt.store import DocumentKind, DocumentName, Draft, PurgesVersions
from keyvault_jwt.testing.bao_server import BaoServer
from keyvault_jwt_vault import VaultStore

PRIVATE = [kind for kind in DocumentKind if kind.is_private]


def draft(revision: int = 1) -> Draft:
    """Return a document of a write of its own."""
    return Draft(b"{}", revision, uuid4())


@pytest.fixture
def prefix(prefix_url: str) -> str:
    """The path of the store in its mount."""
    return prefix_url.rsplit("/", 1)[1]


def metadata(bao: BaoServer, prefix: str, name: DocumentName) -> dict[str, Any]:
    """Return what the server tells of all versions."""
    told: dict[str, Any] = bao.request("GET", f"secret/metadata/{prefix}/{name}")["data"]
    return told


@pytest.mark.parametrize("kind", PRIVATE)
def test_no_history_of_private_documents(
    bao: BaoServer, store: VaultStore, prefix: str, kind: DocumentKind
) -> None:
    """The write that replaces a private document destroys the version before it, in the same request."""
    name = DocumentName("payments", kind)
    version = store.replace(name, draft(), expected=None)
    for revision in range(2, 5):
        version = store.replace(name, draft(revision), expected=version)
    assert list(metadata(bao, prefix, name)["versions"]) == ["4"]
    for old in (1, 2, 3):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            bao.request("GET", f"secret/data/{prefix}/{name}?version={old}")


def test_public_documents_keep_their_history(bao: BaoServer, store: VaultStore, prefix: str) -> None:
    """What was published may be looked up later."""
    name = DocumentName("payments", DocumentKind.PUBLIC)
    version = store.replace(name, draft(), expected=None)
    store.replace(name, draft(2), expected=version)
    assert list(metadata(bao, prefix, name)["versions"]) == ["1", "2"]


@pytest.mark.parametrize("kind", PRIVATE)
def test_private_paths_ask_for_check_and_set(
    bao: BaoServer, store: VaultStore, prefix: str, kind: DocumentKind
) -> None:
    """Nobody writes a private document without saying what it replaces."""
    name = DocumentName("payments", kind)
    version = store.replace(name, draft(), expected=None)
    with pytest.raises(urllib.error.HTTPError, match="400"):
        bao.request("POST", f"secret/data/{prefix}/{name}", {"data": {"by": "hand"}})
    seen = store.read(name)
    assert seen is not None
    assert seen.version == version


@pytest.mark.parametrize("kind", [DocumentKind.AUTHORITY, DocumentKind.PUBLIC])
@pytest.mark.parametrize("how", ["delete", "destroy"])
def test_a_deleted_document_is_absent_and_counts_on(
    bao: BaoServer, store: VaultStore, prefix: str, kind: DocumentKind, how: str
) -> None:
    """A deleted or destroyed last version reads as absent; a new document goes over it, and only once."""
    name = DocumentName("payments", kind)
    first = store.replace(name, draft(), expected=None)
    if how == "delete":
        bao.request("DELETE", f"secret/data/{prefix}/{name}")
    else:
        bao.request("POST", f"secret/destroy/{prefix}/{name}", {"versions": [1]})
    assert store.read(name) is None
    mine = draft(2)
    version = store.replace(name, mine, expected=None)
    seen = store.read(name)
    assert seen is not None
    assert (seen.draft, seen.version) == (mine, version)
    for stale in (None, first):
        with pytest.raises(Conflict):
            store.replace(name, draft(3), expected=stale)


def test_a_path_deleted_whole_begins_again_under_other_versions(
    bao: BaoServer, store: VaultStore, prefix: str
) -> None:
    """Where numbers begin again at 1, versions differ from those of before; the path is guarded anew."""
    name = DocumentName("payments", DocumentKind.AUTHORITY)
    before = store.replace(name, draft(), expected=None)
    bao.request("DELETE", f"secret/metadata/{prefix}/{name}")
    assert store.read(name) is None
    after = store.replace(name, draft(), expected=None)
    assert after != before
    told = metadata(bao, prefix, name)
    assert told["cas_required"]
    assert told["max_versions"] == 1


def test_purge_destroys_what_another_hand_let_be_kept(bao: BaoServer, store: VaultStore, prefix: str) -> None:
    """Older versions of a path that was set to keep a history are destroyed, once and for all."""
    assert isinstance(store, PurgesVersions)
    name = DocumentName("payments", DocumentKind.SIGNING)
    version = store.replace(name, draft(), expected=None)
    bao.request("POST", f"secret/metadata/{prefix}/{name}", {"cas_required": True, "max_versions": 9})
    for revision in range(2, 5):
        version = store.replace(name, draft(revision), expected=version)
    for _ in range(2):
        store.purge(name, before=version)
    told = metadata(bao, prefix, name)
    assert told["max_versions"] == 1
    kept = [number for number, state in told["versions"].items() if not state["destroyed"]]
    assert kept == ["4"]
    assert store.read(name) is not None


def test_strangers_in_the_mount_are_not_listed(bao: BaoServer, store: VaultStore, prefix: str) -> None:
    """Other secrets beside or below the keyrings are none of ours."""
    store.replace(DocumentName("payments", DocumentKind.PUBLIC), draft(), expected=None)
    for path in (
        "loose",
        "payments/other",
        "payments/archive",
        "payments/public-0",
        "UPPER/public",
        "a/b/c",
    ):
        bao.request("POST", f"secret/data/{prefix}/{path}", {"data": {"x": "1"}})
    assert store.names() == [DocumentName("payments", DocumentKind.PUBLIC)]

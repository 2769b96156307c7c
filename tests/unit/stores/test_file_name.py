"""Every document has one file, and the files tell which documents there are."""

from __future__ import annotations

from pathlib import Path

import pytest

from keyvault_jwt.store import DocumentKind, DocumentName
from keyvault_jwt.stores.file_name import documents_in, file_name

FILES = {
    DocumentName("a", DocumentKind.AUTHORITY): "authority.sealed",
    DocumentName("a", DocumentKind.SIGNING): "signing.sealed",
    DocumentName("a", DocumentKind.VERIFICATION): "verification.sealed",
    DocumentName("a", DocumentKind.PUBLIC): "public.json",
    DocumentName("a", DocumentKind.ARCHIVE): "archive-0.sealed",
    DocumentName("a", DocumentKind.ARCHIVE, 12): "archive-12.sealed",
}


@pytest.mark.parametrize(("name", "file"), FILES.items(), ids=FILES.values())
def test_file_of_a_document(tmp_path: Path, name: DocumentName, file: str) -> None:
    """The name of the file is what the store's docstring says, and is read back as the document."""
    assert file_name(name) == file
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / file).touch()
    assert documents_in(tmp_path) == [name]


def test_what_is_no_document_is_left_out(tmp_path: Path) -> None:
    """Locks, leftovers and backups are no documents, and a directory of another name is no keyring."""
    (tmp_path / ".store.json").touch()
    (tmp_path / "notes.txt").touch()
    for ring in ("a", ".git", "Upper", "b"):
        (tmp_path / ring).mkdir()
        for file in (
            ".lock",
            ".public.json.tmp",
            "public.json~",
            "archive-01.sealed",
            "archive-.sealed",
            "authority",
        ):
            (tmp_path / ring / file).touch()
    for ring in (".git", "Upper", "b"):
        (tmp_path / ring / "public.json").touch()
    assert documents_in(tmp_path) == [DocumentName("b", DocumentKind.PUBLIC)]

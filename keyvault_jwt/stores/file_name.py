"""The file of each document, and the documents of a keyring's directory."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from ..errors import BadRingName
from ..store import DocumentKind, DocumentName, check_ring_name

_SINGLE: Final = {
    f"{kind}.{'sealed' if kind.is_private else 'json'}": kind
    for kind in DocumentKind
    if kind is not DocumentKind.ARCHIVE
}
_ARCHIVE: Final = re.compile(r"archive-(0|[1-9][0-9]{0,17})\.sealed", re.ASCII)


def file_name(name: DocumentName) -> str:
    """Return the name of the document's file within its keyring's directory."""
    number = f"-{name.number}" if name.kind is DocumentKind.ARCHIVE else ""
    return f"{name.kind}{number}.{'sealed' if name.kind.is_private else 'json'}"


def documents_in(store: Path) -> list[DocumentName]:
    """Return the documents of every keyring in a store's directory, by keyring.

    Left out is what is no keyring, or closed to this user; raises `OSError` for the store itself.
    Every pass of a scheduler lists all keyrings, hence plain strings rather than paths.
    """
    documents: list[DocumentName] = []
    for ring in sorted(os.listdir(store)):  # noqa: PTH208
        try:
            entries = os.listdir(os.path.join(store, check_ring_name(ring)))  # noqa: PTH118, PTH208
        except (BadRingName, NotADirectoryError, FileNotFoundError, PermissionError):
            continue
        for entry in sorted(entries):
            if kind := _SINGLE.get(entry):
                documents.append(DocumentName(ring, kind))
            elif archive := _ARCHIVE.fullmatch(entry):
                documents.append(DocumentName(ring, DocumentKind.ARCHIVE, int(archive[1])))
    return documents

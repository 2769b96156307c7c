"""The error for a file that can't be read back, with what to do about its kind of document."""

from __future__ import annotations

from ..errors import CorruptDocument
from ..store import DocumentKind, DocumentName


def corrupt(name: DocumentName, why: str) -> CorruptDocument:
    """Return the error for a document whose file is damaged."""
    fix = "restore it from a backup; it was left as it is"
    if name.kind not in {DocumentKind.AUTHORITY, DocumentKind.ARCHIVE}:
        fix = "move its file away, and the next `reconcile` writes it anew; it was left as it is"
    return CorruptDocument(f"{name} is corrupt", why=why, fix=fix)

"""The run's memory outside the store: high-water marks in the state directory."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from ..marks import MarkStore, MemoryMarks
from ..settings import Settings
from ..store import DocumentStore
from ..stores.mark_files import MarkFiles
from ..stores.memory import MemoryStore


def marks_of(store: DocumentStore, note: Callable[[str], None], reader: str = "") -> MarkStore:
    """Return the marks kept for a store, which is told apart by its repr: its kind and place.

    `reader` names who reads a derived document, such as `signer`, whose marks are its own.
    Where no state can be kept, `note` is told, and the marks last for this run: a revocation
    must not fail for want of a home directory.
    """
    if isinstance(store, MemoryStore):
        return MemoryMarks()
    directory = Settings().state_directory
    if not writable(directory):
        note(
            f"{directory} can't be written, so a store restored from a backup would not be noticed;"
            " set KEYVAULT_JWT_STATE to a directory that survives restarts"
        )
        return MemoryMarks()
    return MarkFiles(directory, f"{store!r} {reader}".rstrip())


def writable(directory: Path) -> bool:
    """Whether files can be made in the directory, or the directory in the nearest parent there is."""
    nearest = next(path for path in (directory, *directory.parents) if path.exists())
    return nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)

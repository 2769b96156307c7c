"""`on_small_disk.py DIR`: fill a disk of 64 KiB mounted on DIR, then make it read-only; tell what happened.

Run in a mount namespace of its own.  Prints one JSON object: each step's outcome by name.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

from keyvault_jwt import base64url
from keyvault_jwt.errors import KeyvaultJWTError
from keyvault_jwt.jwk import Secret
from keyvault_jwt.marks import Mark
from keyvault_jwt.store import DocumentKind, DocumentName, Draft, Version
from keyvault_jwt.stores.file import FileStore
from keyvault_jwt.stores.mark_files import MarkFiles

NAME = DocumentName("payments", DocumentKind.AUTHORITY)
FRESH = DocumentName("fresh", DocumentKind.AUTHORITY)


class SmallDisk:
    """A store and marks on the small disk, and what became of each call."""

    def __init__(self, disk: Path) -> None:
        self.disk, self.outcomes = disk, dict[str, object]()
        self.store = FileStore(disk / "keys", master_key=Secret(os.urandom(32)))
        self.marks = MarkFiles(disk / "state", "source")

    def version(self) -> Version | None:
        """The document's version now."""
        seen = self.store.read(NAME)
        return seen.version if seen else None

    def attempt(self, step: str, size: int, *, name: DocumentName = NAME) -> None:
        """Replace the document by one of that size, and note the outcome and what is there then."""
        expected = self.version() if name == NAME else None
        try:
            self.store.replace(name, Draft(b"x" * size, 1, uuid4()), expected=expected)
            outcome = "replaced"
        except KeyvaultJWTError as error:
            outcome = f"{type(error).__name__}: {error}"
        self.outcomes[step] = {"outcome": outcome, **self.found()}

    def found(self) -> dict[str, object]:
        """What is there: the size of the document, and the files that are no document's."""
        seen = self.store.read(NAME)
        aside = [path.name for path in self.disk.rglob("*.tmp")]
        return {"size": len(seen.draft.data) if seen else None, "aside": aside}

    def mark(self, step: str, revision: int) -> None:
        """Raise the mark, and note the outcome and the mark that is there then."""
        try:
            self.marks.save("payments", Mark(1, revision, uuid4(), frozenset({"k" * 5000})))
            outcome = "saved"
        except KeyvaultJWTError as error:
            outcome = f"{type(error).__name__}: {error}"
        kept = self.marks.load("payments")
        self.outcomes[step] = {"outcome": outcome, "revision": kept.revision if kept else None}

    def prepare(self, step: str) -> None:
        """Prepare another store whose key belongs on this disk, and note the outcome and the key files."""
        os.environ["KEYVAULT_JWT_STATE"] = str(self.disk / "state")
        try:
            FileStore(self.disk.parent / "other").prepare()
            outcome = "prepared"
        except KeyvaultJWTError as error:
            outcome = f"{type(error).__name__}: {error}"
        keys = [len(base64url.decode(path.read_text().strip())) for path in self.disk.rglob("*.key")]
        self.outcomes[step] = {"outcome": outcome, "keys": keys}


def main(directory: str) -> None:
    """Go through it."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", directory], check=True)
    disk = SmallDisk(Path(directory))
    disk.attempt("first", 16_000)
    disk.mark("first mark", 1)
    disk.attempt("too large for the room left", 60_000)
    disk.attempt("with room again", 15_000)
    filler = Path(directory) / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 1024)
        except OSError as full:
            disk.outcomes["filled"] = full.errno
    disk.attempt("on a full disk", 14_000)
    disk.attempt("new keyring on a full disk", 14_000, name=FRESH)
    disk.mark("mark on a full disk", 2)
    disk.prepare("key on a full disk")
    filler.unlink()
    disk.attempt("after making room", 13_000)
    disk.mark("mark after making room", 3)
    disk.prepare("key after making room")
    subprocess.run(["mount", "-o", "remount,ro", directory], check=True)
    disk.attempt("read-only", 12_000)
    disk.attempt("new keyring read-only", 12_000, name=FRESH)
    disk.mark("mark read-only", 4)
    disk.outcomes["names"] = sorted(map(str, disk.store.names()))
    sys.stdout.write(json.dumps(disk.outcomes))


if __name__ == "__main__":
    main(sys.argv[1])

"""`file:DIR`: the embedded store, for one machine and any number of its processes.

    DIR/.store.json               the store's id          DIR/RING/.lock    held while writing
    DIR/RING/authority.sealed     0600                    DIR/RING/archive-N.sealed        0600
    DIR/RING/signing.sealed       0640                    DIR/RING/verification.sealed     0640
    DIR/RING/public.json          0644

Modes are the roles: the owner rotates, the group signs (and verifies symmetric tokens),
everyone may read what is public.  Directories are made 0755 under the caller's umask; to let
another user sign, `chgrp signers DIR/RING && chmod g+s DIR/RING`, and give that user the
master key in a file of its own.  What root writes goes to the directory's owner and group.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from ..clock import Milliseconds
from ..errors import (
    BadStoreURL,
    Conflict,
    CorruptDocument,
    DocumentTooLarge,
    ForeignDocument,
    StoreUnavailable,
)
from ..jwk import Secret
from ..store import DocumentKind, DocumentName, Draft, Limits, Version, Versioned
from . import identity, plain
from .directory import Content, Directory, make_path, open_directory
from .file_name import documents_in, file_name
from .filesystem import Filesystem, SystemFilesystem
from .lock import PATIENCE, DirectoryLock
from .os_failure import told
from .seal import OVERHEAD, Seal

LIMITS: Final = Limits(document_bytes=64 * 1024 * 1024)
"""Caps by default: a document is read, sealed and written in memory."""

_MODES: Final = {
    DocumentKind.AUTHORITY: 0o600,
    DocumentKind.ARCHIVE: 0o600,
    DocumentKind.SIGNING: 0o640,
    DocumentKind.VERIFICATION: 0o640,
    DocumentKind.PUBLIC: 0o644,
}


class FileStore:
    """Documents as files, private ones sealed; thread-safe, fork-safe, linearizable.

    The master key is looked for at the first private document and not before, so a publisher
    needs none.  A write fsyncs a new file, renames it over the old one and fsyncs the
    directory: a reader, which takes no lock, sees the old document or the new one.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        *,
        master_key: Secret | None = None,
        patience: timedelta = PATIENCE,
        limits: Limits = LIMITS,
        filesystem: Filesystem | None = None,
    ) -> None:
        self.path = Path(directory).expanduser().absolute()
        self._filesystem: Filesystem = filesystem or SystemFilesystem()
        self._limits = limits
        self._lock = DirectoryLock(patience)
        self._seal = Seal(master_key) if master_key else None
        self._closed = False

    def __repr__(self) -> str:
        return f"FileStore({str(self.path)!r})"

    @property
    def staleness(self) -> Milliseconds:
        """S is 0: a read sees every write that was answered before it began."""
        return 0

    @property
    def limits(self) -> Limits:
        """The store's caps."""
        return self._limits

    def read(self, name: DocumentName) -> Versioned | None:
        """Return the document, or None if there is none.

        Raises `StoreDenied` naming the file, `MasterKeyError` and `DocumentError`; damaged bytes
        come with their version, so that a derived document can be written anew over them.
        """
        path = self._path_of(name)
        with told("read", path):
            content = self._content(name.ring, path.name)
        if content is None:
            return None
        try:
            if name.kind.is_private:
                draft = self._sealing().open(name, content.data)
            else:
                draft = plain.unframe(name, content.data)
        except (CorruptDocument, ForeignDocument) as damage:
            damage.version = _version(content)
            raise
        return Versioned(draft, _version(content))

    def replace(self, name: DocumentName, draft: Draft, *, expected: Version | None) -> Version:
        """Put `draft` in place of the version `expected` (None: only if absent).

        Raises `Conflict`; `StoreDenied`, `StoreFull`, `StoreUnavailable`, `MasterKeyError` and
        `DocumentTooLarge` with nothing replaced; `StoreTimeout` when that is not known.
        """
        path = self._path_of(name)
        data = self._kept_form(name, draft)
        with told("write", path):
            self._make_ring(path.parent)
            with self._opened(name.ring) as ring, self._lock.hold(ring):
                current = ring.read(path.name, self._largest_file)
                if (_version(current) if current else None) != expected:
                    raise Conflict(
                        f"{name} is not as it was read",
                        why="another writer was first" if current else "it is not there",
                        fix="read it again and decide again",
                    )
                ring.sweep()
                after = current.modified if current else 0
                return _version(ring.put(path.name, data, _MODES[name.kind], after=after))

    def names(self) -> list[DocumentName]:
        """Return every document's name, by keyring; keyrings closed to this user are left out."""
        self._check_open()
        with told("list", self.path):
            try:
                return documents_in(self.path)
            except FileNotFoundError:
                return []

    def prepare(self) -> tuple[str, ...]:
        """Make the directory, its id and a master key where they are missing; say what was made.

        A key is made only for a store without sealed documents: a new one could not open them.
        Raises `StoreError` or `MasterKeyError`.
        """
        made: list[str] = []
        with told("make a store in", self.path):
            if make_path(self._filesystem, self.path):
                made.append(f"made the store {self.path}")
            with open_directory(self._filesystem, self.path) as root, self._lock.hold(root):
                identity.give_id(root)
        if self._seal is None:
            from .key_finder import KeyFinder  # noqa: PLC0415  (pydantic-settings is slow to import)

            sealed = any(name.kind.is_private for name in self.names())
            made += KeyFinder(self.path, self._filesystem).prepare(sealed=sealed)
        return tuple(made)

    def close(self) -> None:
        """Forget the master key; the store answers no more."""
        self._closed, self._seal = True, None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _path_of(self, name: DocumentName) -> Path:
        self._check_open()
        return self.path / name.ring / file_name(name)

    def _check_open(self) -> None:
        if self._closed:
            raise StoreUnavailable(f"the store {self.path} was closed", fix="open it again")

    @property
    def _largest_file(self) -> int:
        return self._limits.document_bytes * 4 // 3 + OVERHEAD  # base64 in an envelope

    def _kept_form(self, name: DocumentName, draft: Draft) -> bytes:
        if not 0 <= draft.revision < 2**63:
            raise ValueError("a revision is a number from 0 to 2^63 - 1")
        if len(draft.data) > self._limits.document_bytes:
            raise DocumentTooLarge(
                f"{name} has {len(draft.data)} bytes",
                why=f"this store takes at most {self._limits.document_bytes}; nothing was written",
                fix="let `reconcile` archive old keys and events",
            )
        return self._sealing().close(name, draft) if name.kind.is_private else plain.frame(name, draft)

    def _content(self, ring: str, name: str) -> Content | None:
        try:
            with self._opened(ring) as directory:
                return directory.read(name, self._largest_file)
        except FileNotFoundError:
            return None

    @contextmanager
    def _opened(self, ring: str) -> Iterator[Directory]:
        calls = self._filesystem
        with (
            open_directory(calls, self.path) as root,
            open_directory(calls, self.path / ring, within=root) as directory,
        ):
            yield directory

    def _make_ring(self, path: Path) -> None:
        if path.is_dir():
            return
        make_path(self._filesystem, self.path)
        with open_directory(self._filesystem, self.path) as root:
            root.make(path.name)

    def _sealing(self) -> Seal:
        # Threads that come here at once find the same key; a lock held in a fork would stay held.
        found = self._seal
        if found is None:
            from .key_finder import KeyFinder  # noqa: PLC0415  (pydantic-settings is slow to import)

            found = self._seal = Seal(KeyFinder(self.path, self._filesystem).find().secret)
        return found


def open_url(url: str) -> FileStore:
    """Return the store of a `file:DIR` URL; DIR may be relative or begin with `~`, and is not decoded.

    `file:///DIR` is the same as `file:/DIR`.  Raises `BadStoreURL`.
    """
    path = url.removeprefix("file:")
    if path.startswith("//"):
        path = "/" + path[3:] if path.startswith("///") else ""
    if not path or "\0" in path or "?" in path or "#" in path:
        raise BadStoreURL(
            "a file store URL is file: and a directory of this machine",
            why="the directory is missing, names a host, or has options",
            fix="write it like file:./keys or file:/var/lib/keys",
        )
    return FileStore(path)


def _version(content: Content) -> Version:
    """Return a name for this very write: a public document may be written again with the same bytes."""
    return Version(hashlib.sha256(b"%d " % content.modified + content.data).hexdigest()[:32])

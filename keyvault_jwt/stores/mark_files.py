"""High-water marks as files in the state directory, one for each keyring of each source."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal
from uuid import UUID

import msgspec

from ..errors import CorruptDocument, ForeignDocument, NewerSchema
from ..marks import Mark
from ..store import check_ring_name
from .directory import Directory, make_path, open_directory
from .filesystem import Filesystem, SystemFilesystem
from .lock import DirectoryLock
from .os_failure import told

_SCHEMA: Final = 1
_LIMIT: Final = 16 * 1024 * 1024


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    format: Literal["keyvault-jwt.mark"] = "keyvault-jwt.mark"
    schema: int = _SCHEMA
    ring: str
    epoch: int
    revision: int
    write_id: UUID
    revoked: list[str]
    usable: list[str] | msgspec.UnsetType = msgspec.UNSET
    verifying: list[str] | msgspec.UnsetType = msgspec.UNSET
    digest: str = ""
    """SHA-256 of the same file with an empty digest."""


_KEPT: Final = msgspec.json.Decoder(_Kept)


class MarkFiles:
    """Marks in `DIRECTORY/marks/HASH/RING.json`; HASH is of `scope`, which tells sources apart.

    `scope` is what the marks were seen through: a store's URL, or a JWKS's.  Saving is atomic,
    durable and, between processes, monotonic.
    """

    def __init__(self, directory: Path, scope: str, *, filesystem: Filesystem | None = None) -> None:
        source = hashlib.sha256(scope.encode()).hexdigest()[:16]
        self.path = directory.expanduser().absolute() / "marks" / source
        self._filesystem: Filesystem = filesystem or SystemFilesystem()
        self._lock = DirectoryLock()

    def __repr__(self) -> str:
        return f"MarkFiles({str(self.path)!r})"

    def load(self, ring: str) -> Mark | None:
        """Return the keyring's mark, None if there is none.

        Raises `CorruptDocument`, `ForeignDocument`, `NewerSchema` and `StoreError`: a mark that
        can't be read is never taken for one that isn't there.
        """
        with told("read", self._file(ring)):
            try:
                with open_directory(self._filesystem, self.path) as directory:
                    return self._loaded(directory, ring)
            except FileNotFoundError:
                return None

    def save(self, ring: str, mark: Mark) -> Mark:
        """Raise the keyring's mark to `mark` and return what is kept now; raises as `load` does."""
        file = self._file(ring)
        with told("write", file):
            make_path(self._filesystem, self.path)
            with open_directory(self._filesystem, self.path) as directory, self._lock.hold(directory):
                kept = self._loaded(directory, ring)
                raised = mark if kept is None else kept.raised_to(mark)
                if raised != kept:
                    directory.sweep()
                    directory.put(file.name, _encoded(ring, raised), 0o600)
                return raised

    def reset(self, ring: str) -> None:
        """Forget the keyring's mark, a corrupt one too; raises `StoreError`."""
        file = self._file(ring)
        with (
            told("remove", file),
            suppress(FileNotFoundError),
            open_directory(self._filesystem, self.path) as directory,
            self._lock.hold(directory),
        ):
            self._filesystem.remove(file.name, at=directory.fd)
            self._filesystem.flush(directory.fd)

    def _file(self, ring: str) -> Path:
        return self.path / f"{check_ring_name(ring)}.json"

    def _loaded(self, directory: Directory, ring: str) -> Mark | None:
        file = self._file(ring)
        content = directory.read(file.name, _LIMIT)
        return None if content is None else _decoded(file, ring, content.data)


def _encoded(ring: str, mark: Mark) -> bytes:
    kept = _Kept(
        ring=ring,
        epoch=mark.epoch,
        revision=mark.revision,
        write_id=mark.write_id,
        revoked=sorted(mark.revoked),
        usable=msgspec.UNSET if mark.usable is None else sorted(mark.usable),
        verifying=msgspec.UNSET if mark.usable is None else sorted(mark.verifying),
    )
    digest = hashlib.sha256(msgspec.json.encode(kept)).hexdigest()
    return msgspec.json.encode(msgspec.structs.replace(kept, digest=digest)) + b"\n"


def _decoded(file: Path, ring: str, data: bytes) -> Mark:
    try:
        kept = _KEPT.decode(data)
    except (msgspec.DecodeError, ValueError):
        raise _corrupt(file) from None
    if kept.schema > _SCHEMA:
        raise NewerSchema(
            f"the mark {file} has schema {kept.schema}",
            why=f"this version knows {_SCHEMA}",
            fix="upgrade keyvault-jwt here",
        )
    mark = Mark(
        kept.epoch,
        kept.revision,
        kept.write_id,
        frozenset(kept.revoked),
        usable=None if kept.usable is msgspec.UNSET else frozenset(kept.usable),
        verifying=frozenset(() if kept.verifying is msgspec.UNSET else kept.verifying),
    )
    if data != _encoded(kept.ring, mark):
        raise _corrupt(file)
    if kept.ring != ring:
        raise ForeignDocument(
            f"the mark {file} is of another keyring", why="it was moved or copied there", fix=_RESET
        )
    return mark


_RESET: Final = "compare the store with what its verifiers have seen, then remove this file"


def _corrupt(file: Path) -> CorruptDocument:
    return CorruptDocument(
        f"the mark {file} is corrupt",
        why="its bytes are not those that were written, so a restored store could not be told",
        fix=_RESET,
    )

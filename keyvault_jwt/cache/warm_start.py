"""What a cache remembers across restarts: its last public set, when that was, and what it refuses."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final, Literal

import msgspec

from ..clock import Instant, Milliseconds
from ..errors import CorruptDocument
from ..jwks import Origin
from ..stores.directory import Directory, make_path, open_directory
from ..stores.filesystem import SystemFilesystem
from ..stores.lock import DirectoryLock
from ..stores.os_failure import told
from .freshness import Lifetime
from .quarantine import Quarantine

_LIMIT: Final = 16 * 1024 * 1024


class SavedSet(msgspec.Struct, frozen=True, kw_only=True):
    """A set as it was taken in: public JWKs, when it was asked for, and how long it may be used."""

    keys: list[dict[str, str]]
    origin: Origin | None
    tag: str | None
    asked: Instant
    ttl: Milliseconds
    stale: Milliseconds
    age: Milliseconds

    @property
    def lifetime(self) -> Lifetime:
        """C and G, and its age when it came."""
        return Lifetime(self.ttl, self.stale, self.age)


class _File(msgspec.Struct, frozen=True, kw_only=True):
    format: Literal["keyvault-jwt.jwks-state"] = "keyvault-jwt.jwks-state"
    schema: Literal[1] = 1
    source: str
    denied: list[str]
    newest: Origin | None
    saved: SavedSet | None


_FILE: Final = msgspec.json.Decoder(_File)


class WarmStart:
    """One file per source, `DIRECTORY/jwks/HASH.json`; whoever can write it can make tokens pass.

    Several processes may share it: what is refused is only ever added to, and the newest of
    their sets stays.
    """

    def __init__(self, directory: Path, *, identity: str, name: str) -> None:
        self._path = directory.expanduser().absolute() / "jwks"
        self._file = hashlib.sha256(identity.encode()).hexdigest()[:32] + ".json"
        self._source = name
        self._filesystem = SystemFilesystem()
        self._lock = DirectoryLock()

    def load(self) -> tuple[Quarantine, SavedSet | None]:
        """Return what was kept; nothing of it if there is none.

        Raises `CorruptDocument`, and `StoreError` when it can't be read.
        """
        with told("read", self._path / self._file):
            try:
                with open_directory(self._filesystem, self._path) as directory:
                    return self._read(directory)
            except FileNotFoundError:
                return Quarantine(), None

    def save(self, quarantine: Quarantine, saved: SavedSet | None) -> Quarantine:
        """Add to what is kept, and return all that is refused now; raises as `load`."""
        with told("write", self._path / self._file):
            make_path(self._filesystem, self._path)
            with open_directory(self._filesystem, self._path) as directory, self._lock.hold(directory):
                kept, kept_set = self._read(directory)
                merged = quarantine.merged(kept)
                if saved is None or (kept_set is not None and kept_set.asked > saved.asked):
                    saved = kept_set
                directory.sweep()
                directory.put(self._file, self._encoded(merged, saved), 0o600)
                return merged

    def _read(self, directory: Directory) -> tuple[Quarantine, SavedSet | None]:
        content = directory.read(self._file, _LIMIT)
        if content is None:
            return Quarantine(), None
        try:
            file = _FILE.decode(content.data)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            raise CorruptDocument(
                f"the state {self._path / self._file} can't be read",
                why="it is not what this version writes",
                fix="remove it; the set is fetched anew, and keys denied by hand must be denied again",
            ) from None
        return Quarantine(frozenset(file.denied), file.newest), file.saved

    def _encoded(self, quarantine: Quarantine, saved: SavedSet | None) -> bytes:
        return msgspec.json.encode(
            _File(
                source=self._source, denied=sorted(quarantine.denied), newest=quarantine.newest, saved=saved
            )
        )

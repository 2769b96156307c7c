"""Place: the store that a demonstration plays in, and what its processes must know to open it."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..errors import KeyvaultJWTError, UsageError
from ..events import Listener, log
from ..key_manager import KeyManager
from ..store import DocumentStore, staleness_of
from ..store_url import open_store
from ..stores.file import FileStore
from ..stores.filesystem import SystemFilesystem
from ..stores.master_key import key_file, make_key_file
from ..stores.memory import MemoryStore

KEYS: Final = "keys"
_MASTER_KEYS: Final = (
    "KEYVAULT_JWT_MASTER_KEY",
    "KEYVAULT_JWT_MASTER_KEY_FILE",
    "CREDENTIALS_DIRECTORY",
)
_NEEDED: Final = (
    "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH", "SYSTEMROOT", "TMPDIR", "VIRTUAL_ENV",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """A manager over the store, its URL, a keyring's name that nobody has yet, and a directory for files.

    `opening` is the environment of those that open private documents: in the user's own store all of
    his, since any of it may be a provider's; in a temporary one nothing but where the key file is.
    """

    manager: KeyManager
    url: str
    ring: str
    directory: Path
    opening: Mapping[str, str]

    @property
    def staleness(self) -> int:
        """The store's S in milliseconds."""
        return staleness_of(self.manager.store)

    def environment(self, role: str) -> Mapping[str, str]:
        """Return what a process of this role may know: a verifier nothing, a publisher no master key."""
        if role == "verifier":
            return _only(self.opening, _NEEDED)
        if role == "server":
            return _without(self.opening, _MASTER_KEYS)
        return self.opening


@contextmanager
def place(url: str | None = None, listener: Listener = log) -> Iterator[Place]:
    """Yield a place in the store at `url`, or in an embedded store that is deleted at the end.

    In a store that stays the keyring stays too, frozen, so that no scheduler goes on with it.
    Raises `UsageError` for a store that other processes can't see, and what `open_store` raises.
    """
    ring = f"demo-{secrets.token_hex(4)}"
    with tempfile.TemporaryDirectory(prefix="keyvault-jwt-demo-", ignore_cleanup_errors=True) as made:
        directory = Path(made)
        if url is None:
            with _temporary(directory, listener) as (manager, opening):
                yield Place(manager, f"file:{directory / KEYS}", ring, directory, opening)
            return
        with KeyManager(_shared(url), listener=listener) as manager:
            try:
                yield Place(manager, url, ring, directory, dict(os.environ))
            finally:
                with suppress(KeyvaultJWTError):
                    manager.freeze(ring, "nowhere: its demonstration is over")


@contextmanager
def _temporary(directory: Path, listener: Listener) -> Iterator[tuple[KeyManager, Mapping[str, str]]]:
    """Yield a manager over a new store, whose master key is in a file as the environment then says."""
    path = directory / "master-key" / "key"
    make_key_file(path, SystemFilesystem())
    key = key_file(path)
    assert key is not None
    opening = _only(os.environ, _NEEDED) | {"KEYVAULT_JWT_MASTER_KEY_FILE": str(path)}
    with KeyManager(FileStore(directory / KEYS, master_key=key.secret), listener=listener) as manager:
        yield manager, opening


def _shared(url: str) -> DocumentStore:
    store = open_store(url)
    if isinstance(store, MemoryStore):
        raise UsageError(
            "a memory store can't be shared between processes",
            fix="name another one, or leave --store out for a temporary file store",
        )
    return store


def _only(environment: Mapping[str, str], names: tuple[str, ...]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name in names}


def _without(environment: Mapping[str, str], names: tuple[str, ...]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name not in names}

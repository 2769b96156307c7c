"""Where the race is run: a store that every process opens for itself."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from keyvault_jwt.jwk import Secret
from keyvault_jwt.testing.bao_server import BaoServer
from keyvault_jwt_vault import Address, Session, StaticToken
from tests.race.notes import Notes, NotingFileStore, NotingVaultStore

_KEY_BYTES = 32


class Ground(Protocol):
    """A place that a process can be told of; `state` is a directory for the marks that all share."""

    @property
    def state(self) -> Path:
        """The directory of the marks."""
        ...

    def store(self, notes: Notes) -> NotingFileStore | NotingVaultStore:
        """Open a store of this process's own, whose reads and writes `notes` hears of."""
        ...


@dataclass(frozen=True)
class Folder:
    """A file store in a folder."""

    folder: Path
    key: bytes = field(repr=False)

    @property
    def state(self) -> Path:
        """The directory of the marks."""
        return self.folder / "state"

    def store(self, notes: Notes) -> NotingFileStore:
        """Open the store."""
        opened = NotingFileStore(self.folder / "keys", master_key=Secret(self.key))
        opened.notes = notes
        return opened


@dataclass(frozen=True)
class Server:
    """A prefix in a Vault server."""

    address: Address
    token: str = field(repr=False)
    state: Path

    def store(self, notes: Notes) -> NotingVaultStore:
        """Open the store."""
        opened = NotingVaultStore(Session(self.address, StaticToken(self.token)))
        opened.notes = notes
        return opened


@contextmanager
def file_ground() -> Iterator[Ground]:
    """Make an empty folder, gone when the race is over."""
    with tempfile.TemporaryDirectory() as folder:
        yield Folder(Path(folder), os.urandom(_KEY_BYTES))


@contextmanager
def vault_ground() -> Iterator[Ground]:
    """Start a real server, gone when the race is over."""
    with tempfile.TemporaryDirectory() as folder, BaoServer() as bao:
        address = Address(server=bao.url, mount="secret", prefix="race")
        yield Server(address, bao.token, Path(folder) / "state")


GROUNDS: Mapping[str, Callable[[], AbstractContextManager[Ground]]] = MappingProxyType(
    {"file": file_ground, "vault": vault_ground}
)

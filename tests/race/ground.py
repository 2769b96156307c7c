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
from keyvault_jwt.store import DocumentStore
from keyvault_jwt.stores.file import FileStore
from keyvault_jwt.testing.bao_server import BaoServer
from keyvault_jwt_aws import AwsStore, open_url
from keyvault_jwt_vault import Address, Session, StaticToken, VaultStore
from tests.aws.moto_server import MotoServer
from tests.aws.strict_secretsmanager import StrictSecretsManager

_KEY_BYTES = 32


class Ground(Protocol):
    """A place that a process can be told of; `state` is a directory for the marks that all share."""

    @property
    def state(self) -> Path:
        """The directory of the marks."""
        ...

    def store(self) -> DocumentStore:
        """Open a store of this process's own."""
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

    def store(self) -> FileStore:
        """Open the store."""
        return FileStore(self.folder / "keys", master_key=Secret(self.key))


@dataclass(frozen=True)
class Server:
    """A prefix in a Vault server."""

    address: Address
    token: str = field(repr=False)
    state: Path

    def store(self) -> VaultStore:
        """Open the store."""
        return VaultStore(Session(self.address, StaticToken(self.token)))


@dataclass(frozen=True)
class Secrets:
    """A prefix in Secrets Manager."""

    url: str
    state: Path

    def store(self) -> AwsStore:
        """Open the store, with credentials that a process needs which began before this race."""
        os.environ.setdefault("AWS_ACCESS_KEY_ID", "racer")
        os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "racer")
        return open_url(self.url)


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


@contextmanager
def aws_ground() -> Iterator[Ground]:
    """Start moto and the layer before it, gone when the race is over; fails if moto strayed."""
    patient = "connect_timeout=10s&read_timeout=30s&deadline=2m"
    with (
        tempfile.TemporaryDirectory() as folder,
        MotoServer() as moto,
        StrictSecretsManager(moto.url) as layer,
    ):
        url = f"awssm://us-east-1/race?endpoint_url={layer.url}&quota=off&staleness=0&{patient}"
        yield Secrets(url, Path(folder) / "state")


GROUNDS: Mapping[str, Callable[[], AbstractContextManager[Ground]]] = MappingProxyType(
    {"file": file_ground, "vault": vault_ground, "aws": aws_ground}
)

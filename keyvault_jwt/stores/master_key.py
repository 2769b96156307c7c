"""The master key of the embedded store: 32 bytes, written as base64url, never inside the store."""

from __future__ import annotations

import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .. import base64url
from ..errors import MasterKeyError
from ..jwk import Secret
from ..settings import Settings
from .directory import make_path, open_directory
from .filesystem import Filesystem
from .lock import DirectoryLock
from .os_failure import told
from .seal import KEY_BYTES

_LONGEST_FILE: Final = 4096


@dataclass(frozen=True, slots=True)
class MasterKey:
    """A master key, and in words where it came from."""

    secret: Secret
    origin: str


def given_master_key(settings: Settings) -> MasterKey | None:
    """Return the key that the environment gives, None if it gives none; raises `MasterKeyError`.

    In this order: `KEYVAULT_JWT_MASTER_KEY`, the file `KEYVAULT_JWT_MASTER_KEY_FILE`, the
    systemd credential `keyvault-jwt-master-key`.  One that is given and unusable is an error,
    never passed over for the next.
    """
    if settings.master_key is not None:
        origin = "KEYVAULT_JWT_MASTER_KEY"
        return MasterKey(_parsed(Secret(settings.master_key.get_secret_value().encode()), origin), origin)
    if settings.master_key_file is not None:
        path = settings.master_key_file.expanduser()
        found = key_file(path)
        if found is None:
            raise _unreadable(path, "it does not exist")
        return found
    if settings.credential_file is not None:
        # Where systemd serves a user other than root, the group bits are an access list's mask.
        return key_file(settings.credential_file, forbidden=stat.S_IRWXO)
    return None


def key_file(path: Path, *, forbidden: int = stat.S_IRWXG | stat.S_IRWXO) -> MasterKey | None:
    """Return the key in a file, None if there is no such file.

    Raises `MasterKeyError`, also when the file's mode has a bit of `forbidden`.
    """
    try:
        with path.open("rb") as file:
            facts = os.fstat(file.fileno())
            text = Secret(file.read(_LONGEST_FILE + 1))
    except FileNotFoundError:
        return None
    except OSError as failure:
        raise _unreadable(path, os.strerror(failure.errno or 0)) from failure
    if facts.st_mode & forbidden:
        raise MasterKeyError(
            f"the master key file {path} can be read or written by other users",
            why=f"its mode is {stat.S_IMODE(facts.st_mode):04o}",
            fix=f"chmod 600 {path}; if others may have read it, make a new store under a new key",
        )
    return MasterKey(_parsed(text, str(path)), str(path))


def make_key_file(path: Path, filesystem: Filesystem) -> bool:
    """Make a key file of mode 0600 unless there is one; return whether this call made it.

    Its directory is made with the caller's umask and no access for others.  Raises `StoreError`.
    """
    with told("make the master key in", path.parent):
        if make_path(filesystem, path.parent):
            path.parent.chmod(0o700)
        with open_directory(filesystem, path.parent) as directory, DirectoryLock().hold(directory):
            directory.sweep()
            fresh = base64url.encode(secrets.token_bytes(KEY_BYTES)) + "\n"
            return directory.put_once(path.name, fresh.encode(), 0o600)


def sweep_key_file(path: Path, filesystem: Filesystem) -> None:
    """Remove the second name of a key file, which its maker leaves when it dies right after making it.

    Raises `StoreError`.
    """
    with told("read", path.parent), open_directory(filesystem, path.parent) as directory:
        if directory.has_aside(path.name):
            with DirectoryLock().hold(directory):
                directory.sweep(path.name)


def _decoded(text: Secret) -> Secret | None:
    """Return the key that the text spells, if any: nothing is raised from where its bytes are at hand."""
    try:
        key = base64url.decode(text.reveal().strip().rstrip(b"="))
    except ValueError:
        return None
    return Secret(key) if len(key) == KEY_BYTES else None


def _parsed(text: Secret, origin: str) -> Secret:
    key = _decoded(text)
    if key is None:
        raise MasterKeyError(
            f"{origin} holds no master key",
            why=f"a master key is {KEY_BYTES} bytes as base64url",
            fix="make one with: python3 -c 'import base64,os;"
            "print(base64.urlsafe_b64encode(os.urandom(32)).decode())'",
        )
    return key


def _unreadable(path: Path, why: str) -> MasterKeyError:
    return MasterKeyError(
        f"the master key file {path} can't be read",
        why=why,
        fix="let this user read it, or name the right file by KEYVAULT_JWT_MASTER_KEY_FILE",
    )

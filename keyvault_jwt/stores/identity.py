"""The file that says a directory is a store of ours, and which one, wherever it is moved."""

from __future__ import annotations

from typing import Final, Literal
from uuid import UUID, uuid4

import msgspec

from ..errors import CorruptDocument, NewerSchema
from .directory import Directory
from .lock import LOCK_NAME

_NAME: Final = ".store.json"
_IGNORE: Final = ".gitignore"
_SCHEMA: Final = 1
_LIMIT: Final = 4096


class _Identity(msgspec.Struct, frozen=True, kw_only=True):
    format: Literal["keyvault-jwt.store"] = "keyvault-jwt.store"
    schema: int = _SCHEMA
    id: UUID


_IDENTITY: Final = msgspec.json.Decoder(_Identity)


def store_id(directory: Directory) -> UUID | None:
    """Return the store's id, None if it has none yet; raises `CorruptDocument` or `NewerSchema`."""
    content = directory.read(_NAME, _LIMIT)
    if content is None:
        return None
    try:
        identity = _IDENTITY.decode(content.data)
    except (msgspec.DecodeError, ValueError):
        raise CorruptDocument(
            f"{directory.path / _NAME} does not name a store",
            why="it tells which master key file is this store's",
            fix="restore it, or set KEYVAULT_JWT_MASTER_KEY_FILE",
        ) from None
    if identity.schema > _SCHEMA:
        raise NewerSchema(
            f"the store {directory.path} has layout v{identity.schema}",
            why=f"this version knows v{_SCHEMA}",
            fix="upgrade keyvault-jwt here; nothing was changed",
        )
    return identity.id


def give_id(directory: Directory) -> UUID:
    """Return the store's id, given now if it has none; the caller holds the directory's lock.

    A directory that is still empty is also told to git as one to ignore.
    """
    known = store_id(directory)
    if known is not None:
        return known
    directory.sweep(_NAME, _IGNORE)
    if not set(directory.entries()) - {LOCK_NAME}:
        directory.put(_IGNORE, b"*\n", 0o644)
    identity = _Identity(id=uuid4())
    directory.put(_NAME, msgspec.json.encode(identity) + b"\n", 0o644)
    return identity.id

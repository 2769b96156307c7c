"""Public documents at rest: the very JSON that was given, so that anything can read it.

A document of ours states its own `revision` and `write_id`.  Other bytes are put into a JSON
envelope that states them; what a reader gets back is the same either way.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

import msgspec

from ..errors import DocumentError, ForeignDocument, NewerSchema
from ..store import DocumentName, Draft
from .damage import corrupt

_FORMAT: Final = "keyvault-jwt.envelope"
_SCHEMA: Final = 1


class _Stated(msgspec.Struct, frozen=True):
    revision: int
    write_id: UUID
    format: str = ""
    schema: int = 0


class _Envelope(msgspec.Struct, frozen=True, kw_only=True):
    format: str = _FORMAT
    schema: int = _SCHEMA
    revision: int
    write_id: UUID
    data: bytes


_STATED: Final = msgspec.json.Decoder(_Stated)
_ENVELOPE: Final = msgspec.json.Decoder(_Envelope)


def frame(name: DocumentName, draft: Draft) -> bytes:
    """Return the bytes to keep: the draft's own if reading them gives the draft back."""
    try:
        if unframe(name, draft.data) == draft:
            return draft.data
    except DocumentError:
        pass
    return msgspec.json.encode(_Envelope(revision=draft.revision, write_id=draft.write_id, data=draft.data))


def unframe(name: DocumentName, data: bytes) -> Draft:
    """Return the draft that was kept; raises `CorruptDocument`, `ForeignDocument` or `NewerSchema`."""
    try:
        stated = _STATED.decode(data)
        if stated.format != _FORMAT:
            return Draft(data, stated.revision, stated.write_id)
        if stated.schema > _SCHEMA:
            raise NewerSchema(
                f"{name} is in an envelope v{stated.schema}",
                why=f"this version knows v{_SCHEMA}",
                fix="upgrade keyvault-jwt here; nothing was changed",
            )
        envelope = _ENVELOPE.decode(data)
        return Draft(envelope.data, envelope.revision, envelope.write_id)
    except msgspec.ValidationError:
        raise ForeignDocument(
            f"the file of {name} is no document of a keyring",
            why="it does not state a revision and a write_id",
            fix="restore the right file; nothing was changed",
        ) from None
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise corrupt(name, "it is not one JSON value") from None

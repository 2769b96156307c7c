"""How a document is kept in KV v2: one field for its bytes, two for what write it belongs to."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any, Final
from uuid import UUID

import msgspec

from keyvault_jwt.errors import CorruptDocument, ForeignDocument, NewerSchema
from keyvault_jwt.store import DocumentName, Draft, Version

_SCHEMA: Final = 1


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    schema: int
    revision: int
    write_id: UUID
    text: str | None = None
    base64: str | None = None


msgspec.json.Decoder(_Kept)  # prepares the type for `convert`: see msgspec in docs/dependencies.md


def kept_form(draft: Draft) -> dict[str, Any]:
    """Return the fields to write: text that people can read where the bytes are such text."""
    stated = {"schema": _SCHEMA, "revision": draft.revision, "write_id": str(draft.write_id)}
    text = _readable(draft.data)
    return stated | ({"base64": b64encode(draft.data).decode()} if text is None else {"text": text})


def draft_of(name: DocumentName, fields: object, version: Version) -> Draft:
    """Return the draft that was kept.

    Raises `ForeignDocument`, `CorruptDocument` or `NewerSchema`, which carry `version`.
    """
    schema = fields.get("schema") if isinstance(fields, dict) else None
    if isinstance(schema, int) and schema > _SCHEMA:
        newer = NewerSchema(
            f"{name} is kept in a form v{schema}",
            why=f"this version knows v{_SCHEMA}",
            fix="upgrade keyvault-jwt here; nothing was changed",
        )
        newer.version = version
        raise newer
    try:
        kept = msgspec.convert(fields, _Kept)
    except msgspec.ValidationError:
        foreign = ForeignDocument(
            f"what Vault holds at {name} is no document of a keyring",
            why="it lacks schema, revision, write_id, or text or base64",
            fix="find out who wrote it, and restore the right version; nothing was changed",
        )
        foreign.version = version
        raise foreign from None
    try:
        if (kept.text is None) is (kept.base64 is None) or not 0 <= kept.revision < 2**63:
            raise ValueError("one of both")
        data = b64decode(kept.base64, validate=True) if kept.text is None else kept.text.encode()  # type: ignore[arg-type]
    except ValueError:
        corrupt = CorruptDocument(
            f"{name} is damaged",
            why="its bytes are not base64 or text, or its revision is no revision",
            fix="restore it from a snapshot; nothing was changed",
        )
        corrupt.version = version
        raise corrupt from None
    return Draft(data, kept.revision, kept.write_id)


def _readable(data: bytes) -> str | None:
    """Return the bytes as text unless that would take more room than base64.

    Go's JSON, in which the server keeps it, writes control characters and `< > &` as six bytes.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    escaped = (
        sum(1 for octet in data if octet < 0x20 or octet in b"<>&") * 5 + data.count(b'"') + data.count(b"\\")
    )
    return text if escaped <= len(data) // 3 and "\u2028" not in text and "\u2029" not in text else None

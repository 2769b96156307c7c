"""How a document is kept in a secret: a line about the write, then the document's own bytes.

    {"keyvault_jwt":1,"parent":"0b3f…","revision":7,"write_id":"5f0c…"}
    …

Text that people may want to read is a text secret; any other bytes are a binary one.  After a line
that says `"sealed":true` stand the document's bytes as they were sealed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import msgspec

from keyvault_jwt.errors import CorruptDocument, DocumentError, ForeignDocument, NewerSchema
from keyvault_jwt.store import DocumentName, Draft, Version

from .errors import BinarySecret, SealedDocument

MOST_BYTES: Final = 65_536
"""What one version of a secret holds: docs.aws.amazon.com, Secrets Manager quotas."""
HEAD_BYTES: Final = 256
"""More than the first line ever has."""
_SCHEMA: Final = 1
_MARK: Final = b'{"keyvault_jwt":'
_PLAIN: Final = frozenset(range(0x20)) - frozenset(b"\t\n\r")


class _Head(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    keyvault_jwt: int
    parent: str | None
    revision: int
    write_id: UUID
    sealed: bool = False


_HEAD: Final = msgspec.json.Decoder(_Head)
_MEMBERS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_NUMBER: Final = msgspec.json.Decoder(int)


@dataclass(frozen=True, slots=True)
class Kept:
    """What a version holds; the draft's data are as they were sealed, if `sealed`."""

    draft: Draft
    sealed: bool


def kept_form(draft: Draft, parent: Version | None, *, sealed: bytes | None = None) -> dict[str, str | bytes]:
    """Return the field of a request that holds the document; `parent` is the version it replaces.

    `sealed` is what to keep instead of the draft's data, if anything.
    """
    head = _Head(
        keyvault_jwt=_SCHEMA,
        parent=parent,
        revision=draft.revision,
        write_id=draft.write_id,
        sealed=sealed is not None,
    )
    whole = msgspec.json.encode(head) + b"\n" + (draft.data if sealed is None else sealed)
    text = _readable(whole) if sealed is None else None
    return {"SecretBinary": whole} if text is None else {"SecretString": text}


def draft_of(name: DocumentName, answer: Mapping[str, Any], version: Version) -> Draft:
    """Return the draft that was kept; raises as `kept`, and `SealedDocument`."""
    found = kept(name, answer, version)
    if found.sealed:
        raise SealedDocument(
            f"the secret of {name} is sealed",
            why="it was written with private_halves=separate in the store URL",
            fix="put that into this store URL, too; nothing was changed",
        )
    return found.draft


def kept(name: DocumentName, answer: Mapping[str, Any], version: Version) -> Kept:
    """Return what a version holds.

    Raises `ForeignDocument`, `BinarySecret`, `CorruptDocument` or `NewerSchema`, which carry `version`.
    """
    text, binary = answer.get("SecretString"), answer.get("SecretBinary")
    whole = text.encode() if isinstance(text, str) else bytes(binary or b"")
    head, newline, data = whole.partition(b"\n")
    if not head.startswith(_MARK) or len(head) > HEAD_BYTES:
        raise _at(version, _binary(name) if text is None and binary else _foreign(name))
    try:
        said = _HEAD.decode(head)
    except msgspec.MsgspecError:
        raise _at(version, _newer(name, head) or _corrupt(name)) from None
    if not newline or not 0 <= said.revision < 2**63:
        raise _at(version, _corrupt(name))
    return Kept(Draft(data, said.revision, said.write_id), said.sealed)


def parent_of(answer: Mapping[str, Any]) -> Version | None:
    """Return the version that a version which `draft_of` took replaces; None for a secret's first."""
    text, binary = answer.get("SecretString"), answer.get("SecretBinary")
    whole = text.encode() if isinstance(text, str) else bytes(binary or b"")
    parent = _HEAD.decode(whole.partition(b"\n")[0]).parent
    return None if parent is None else Version(parent)


def _readable(whole: bytes) -> str | None:
    """Return the bytes as text, None for what a text secret might not give back as it was."""
    if not _PLAIN.isdisjoint(whole):
        return None
    try:
        return whole.decode()
    except UnicodeDecodeError:
        return None


def _at(version: Version, error: DocumentError) -> DocumentError:
    error.version = version
    return error


def _foreign(name: DocumentName) -> DocumentError:
    return ForeignDocument(
        f"the secret of {name} holds no document of a keyring",
        why="it does not begin with the line that keyvault-jwt writes",
        fix="find out who wrote it; move AWSCURRENT back to the right version, or use another prefix",
    )


def _binary(name: DocumentName) -> DocumentError:
    return BinarySecret(
        f"the secret of {name} is a binary one of another program",
        why="it does not begin with the line that keyvault-jwt writes",
        fix="find out who wrote it; move AWSCURRENT back to the right version, or use another prefix",
    )


def _corrupt(name: DocumentName) -> DocumentError:
    return CorruptDocument(
        f"the secret of {name} is damaged",
        why="its first line is not as keyvault-jwt writes it",
        fix="move AWSCURRENT back to the last good version; nothing was changed",
    )


def _newer(name: DocumentName, head: bytes) -> DocumentError | None:
    try:
        schema = _MEMBERS.decode(head)["keyvault_jwt"]
        number = _NUMBER.decode(schema)
    except (msgspec.MsgspecError, KeyError):
        return None
    if number <= _SCHEMA:
        return None
    return NewerSchema(
        f"{name} is kept in a form v{number}",
        why=f"this version knows v{_SCHEMA}",
        fix="upgrade keyvault-jwt here; nothing was changed",
    )

"""The frame around every stored document: what it is, of which keyring, and a digest at its end."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final, TypeVar

import msgspec

from .errors import CorruptDocument, ForeignDocument, KeyvaultJWTError, NewerSchema
from .policy import RotationPolicy
from .store import DocumentKind

FORMAT: Final = "keyvault-jwt"
SCHEMA: Final = 1
"""The schema this code writes; older ones are migrated when read, newer ones refused."""

_Document = TypeVar("_Document", bound=msgspec.Struct)


class Preamble(msgspec.Struct, frozen=True):
    """What every document says of itself before anything else is believed."""

    format: str
    schema: int
    kind: str
    ring: str


_DIGEST_AT: Final = len(b',"digest":"') + 64 + len(b'"}')


def _encode_policy(value: Any) -> Any:
    if isinstance(value, RotationPolicy):
        return value.model_dump(mode="json")
    raise NotImplementedError(f"no JSON form for {type(value).__name__}")


@lru_cache(maxsize=256)
def _policy(parameters: tuple[tuple[str, Any], ...]) -> RotationPolicy:
    """Return the policy; a keyring's is read again and again, and checking it takes longer than the rest."""
    return RotationPolicy(**dict(parameters))


def decode_policy(kind: type, value: Any) -> Any:
    """Return the policy that a document holds: the `dec_hook` of the documents' decoders."""
    if kind is RotationPolicy and isinstance(value, dict):
        return _policy(tuple(value.items()))
    raise ValueError(f"no {kind.__name__} in this place")


_ENCODER: Final = msgspec.json.Encoder(enc_hook=_encode_policy, order="deterministic")
_PREAMBLE: Final = msgspec.json.Decoder(Preamble)
Migrate = Callable[[dict[str, Any]], dict[str, Any]]
MIGRATIONS: Final[Mapping[int, Migrate]] = {}
"""From each older schema, the function that turns its JSON object into the next schema's."""


def encode(kind: DocumentKind, document: msgspec.Struct) -> bytes:
    """Return the document's bytes: deterministic, and closed by their own SHA-256."""
    opening = f'{{"format":"{FORMAT}","schema":{SCHEMA},"kind":"{kind}",'.encode()
    body = opening + _ENCODER.encode(document)[1:-1]
    return body + f',"digest":"{hashlib.sha256(body).hexdigest()}"}}'.encode()


def decode(kind: DocumentKind, ring: str, data: bytes, decoder: msgspec.json.Decoder[_Document]) -> _Document:
    """Return what the bytes hold; `data` must be `kind` of `ring`, whole and unaltered.

    Raises `CorruptDocument`, `ForeignDocument` or `NewerSchema`.
    """
    try:
        preamble = _PREAMBLE.decode(data)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        raise corrupt(ring, kind, "it is not a whole JSON object of ours") from None
    if preamble.format != FORMAT or preamble.ring != ring or preamble.kind != kind:
        raise ForeignDocument(
            f"the {kind} document of keyring {ring} is another one's",
            why=f"it says format {preamble.format[:40]!r}, {preamble.kind[:40]!r} of {preamble.ring[:64]!r}",
            fix="restore the right document; nothing was changed",
        )
    if preamble.schema > SCHEMA:
        raise NewerSchema(
            f"the {kind} document of keyring {ring} has schema {preamble.schema}",
            why=f"this version knows schemas up to {SCHEMA}",
            fix="upgrade keyvault-jwt here; nothing was changed",
        )
    body, tail = data[:-_DIGEST_AT], data[-_DIGEST_AT:]
    if tail != f',"digest":"{hashlib.sha256(body).hexdigest()}"}}'.encode():
        raise corrupt(ring, kind, "its bytes are not those that were written (SHA-256 differs)")
    return _shaped(kind, ring, data, decoder, preamble.schema)


def _shaped(
    kind: DocumentKind, ring: str, data: bytes, decoder: msgspec.json.Decoder[_Document], schema: int
) -> _Document:
    try:
        if schema < SCHEMA:
            plain = msgspec.json.decode(data)
            for older in range(schema, SCHEMA):
                plain = MIGRATIONS[older](plain)
            data = msgspec.json.encode(plain)
        return decoder.decode(data)
    except (msgspec.MsgspecError, RecursionError, ValueError, KeyError, KeyvaultJWTError) as broken:
        # A validation message names the place and the expected type, never the value.
        place = (
            str(broken).rpartition(" - at ")[2][:80] if isinstance(broken, msgspec.ValidationError) else ""
        )
        raise corrupt(ring, kind, f"it does not have the schema's shape {place}".rstrip()) from None


def corrupt(ring: str, kind: DocumentKind, why: str) -> CorruptDocument:
    """Return the error for a document whose bytes can't be used."""
    fix = "restore it from a backup; it was left as it is"
    if kind is DocumentKind.AUTHORITY:
        fix = "restore it from a backup, or move it away and run `recover`; it was left as it is"
    if kind not in {DocumentKind.AUTHORITY, DocumentKind.ARCHIVE}:
        fix = "the next `reconcile` writes it anew"
    return CorruptDocument(f"the {kind} document of keyring {ring} is corrupt", why=why, fix=fix)

"""Compact JWS (RFC 7515 section 3.1) taken apart: sizes first, then one spelling, then meaning."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, NoReturn

import msgspec

from . import base64url
from .jwks import MAX_KID
from .verification_errors import (
    EncryptedToken,
    InvalidSignature,
    MalformedToken,
    TokenTooLarge,
    UnsupportedHeader,
)

MAX_TOKEN: Final = 65_536
"""The longest token taken by default, in characters."""
MAX_HEADER: Final = 8_192
"""The longest encoded header: room for a certificate chain, which is then ignored."""


class Compact(NamedTuple):
    """The parts of a token as they stand in it, still encoded."""

    header: bytes
    payload: bytes
    signature: bytes
    signing_input: bytes


@dataclass(frozen=True, slots=True)
class Header:
    """What this verifier reads of a header; `jku`, `x5u`, `x5c` and `jwk` are not among it."""

    alg: str
    kid: str | None
    typ: str | None


def split(token: str | bytes, limit: int = MAX_TOKEN) -> Compact:
    """Return the three parts of a compact JWS.

    Raises `TokenTooLarge` before anything is decoded, `EncryptedToken` for a compact JWE, and
    `MalformedToken` for everything else that has not three parts.
    """
    if not isinstance(token, str | bytes):
        raise MalformedToken("the token is neither text nor bytes")
    if len(token) > limit:
        raise TokenTooLarge(f"the token has {len(token)} characters", why=f"the cap is {limit}")
    try:
        raw = token.encode("ascii") if isinstance(token, str) else token
    except UnicodeEncodeError:
        raise MalformedToken("the token holds characters outside ASCII") from None
    signing_input, dot, signature = raw.rpartition(b".")
    header, inner_dot, payload = signing_input.partition(b".")
    if not dot or not inner_dot or b"." in payload:
        _refuse_parts(raw)
    if len(header) > MAX_HEADER:
        raise TokenTooLarge(f"the header has {len(header)} characters", why=f"the cap is {MAX_HEADER}")
    return Compact(header, payload, signature, signing_input)


def _refuse_parts(raw: bytes) -> NoReturn:
    if raw.count(b".") == 4:
        raise EncryptedToken("the token is encrypted", why="it has the five parts of a JWE (RFC 7516)")
    if raw.lstrip()[:1] == b"{":
        raise MalformedToken(
            "the token is in a JSON serialisation", why="only the compact one is taken (RFC 7519 section 1)"
        )
    raise MalformedToken("the token has not the three parts of a compact JWS")


def parse_header(segment: bytes) -> Header:
    """Return what counts of an encoded header.

    Raises `MalformedToken` when it is not strict base64url of one JSON object with unique
    names (RFC 7515 section 4), `UnsupportedHeader` for `crit` and `b64`, `EncryptedToken` for
    a header with `enc` (RFC 7516 section 9).
    """
    header = header_members(segment)
    if "enc" in header:
        raise EncryptedToken("the token is encrypted", why='its header has "enc"')
    for name in ("crit", "b64"):
        if name in header:
            raise UnsupportedHeader(
                f'the header has "{name}"',
                why="it asks for an extension, and this verifier has none (RFC 7515 section 4.1.11)",
            )
    alg, kid, typ = (header.get(name) for name in ("alg", "kid", "typ"))
    if not isinstance(alg, str):
        raise MalformedToken('the header\'s "alg" is missing or not text')
    if "kid" in header and (not isinstance(kid, str) or len(kid) > MAX_KID):
        raise MalformedToken(f'the header\'s "kid" is not text of at most {MAX_KID} characters')
    if "typ" in header and not isinstance(typ, str):
        raise MalformedToken('the header\'s "typ" is not text')
    return Header(alg, kid, typ)


def header_members(segment: bytes) -> dict[str, Any]:
    """Return every member of an encoded header, as a dict of the caller's own."""
    try:
        raw = base64url.decode(segment)
        header = msgspec.json.decode(raw)
        # msgspec keeps the last of two equal names; this second reading tells that there are two.
        json.loads(raw, object_pairs_hook=_unique)
    except (ValueError, RecursionError, msgspec.MsgspecError):
        raise MalformedToken("the header is not base64url of JSON with unique names") from None
    if not isinstance(header, dict):
        raise MalformedToken("the header is not a JSON object")
    return header


def _unique(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("two members of one name")


def payload_bytes(segment: bytes) -> bytes:
    """Return the payload; raises `MalformedToken` unless it is strict base64url."""
    try:
        return base64url.decode(segment)
    except ValueError:
        raise MalformedToken("the payload is not strict base64url") from None


def signature_bytes(segment: bytes) -> bytes:
    """Return the signature; raises `InvalidSignature` unless it is strict base64url.

    A second spelling of a good signature would let one token pass as two.
    """
    try:
        return base64url.decode(segment)
    except ValueError:
        raise InvalidSignature("the signature is not strict base64url") from None

"""Ticket: a token with what stands on it, read without trusting it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Final

import msgspec

from .. import base64url
from ..clock import Instant

_LAST_SECOND: Final = 253_402_300_799  # of the year 9999: no signer of ours looks further ahead


class _Header(msgspec.Struct):
    kid: str


class _Claims(msgspec.Struct):
    jti: str
    exp: Annotated[int, msgspec.Meta(ge=0, le=_LAST_SECOND)]


_HEADER: Final = msgspec.json.Decoder(_Header)
_CLAIMS: Final = msgspec.json.Decoder(_Claims)


@dataclass(frozen=True, slots=True)
class Ticket:
    """A token, the kid and jti that it names, and its exp in milliseconds."""

    token: str = field(repr=False)
    kid: str
    jti: str
    expires: Instant


def ticket_of(token: str) -> Ticket:
    """Return what stands on a token; raises `ValueError` for what is no token of a signer of ours."""
    header, payload, _ = token.split(".")
    claims = _CLAIMS.decode(base64url.decode(payload))
    kid = _HEADER.decode(base64url.decode(header)).kid
    return Ticket(token, kid, claims.jti, claims.exp * 1000)

"""What conductor and fleet say to each other: one JSON object a line, over the pipes between them.

Nobody sends a token or a key here: tokens travel over HTTP, and keys stay in the store.  The one
secret is `door`, the path at which the verifiers take tokens in: whoever else is on this machine may
find their ports, and must not have a say in the count.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, TypeAlias

import msgspec

from ..clock import Instant, Milliseconds

# --- what a member is told first ---------------------------------------------------------------


class SchedulerPart(msgspec.Struct, frozen=True):
    """Rotates one keyring."""

    store: str
    ring: str


class ServerPart(msgspec.Struct, frozen=True):
    """Publishes one keyring's JWK Set; port 0 takes a free one."""

    store: str
    ring: str
    port: int = 0


class SignerPart(msgspec.Struct, frozen=True):
    """Signs a token every so often, and sends it to each of the verifiers' addresses, at the path `door`."""

    store: str
    ring: str
    audience: str
    door: str
    verifiers: tuple[tuple[str, int], ...]
    every: Milliseconds = 250


class Library(StrEnum):
    """Whose client a verifier is."""

    OURS = "keyvault-jwt"
    PYJWT = "PyJWT"
    JOSERFC = "joserfc"


class VerifierPart(msgspec.Struct, frozen=True):
    """Verifies by the set at `jwks`, which a library that can't read headers keeps for `max_age` seconds.

    Tokens come in over HTTP at the path `door`, and nowhere else.
    `forgets` False makes PyJWT's client keep every key for ever, as its own `cache_keys` does.
    """

    library: Library
    jwks: str
    issuer: str
    audience: str
    algorithms: tuple[str, ...]
    max_age: float
    leeway: Milliseconds
    door: str
    forgets: bool = True


# --- what a member reports ---------------------------------------------------------------------


class Awake(msgspec.Struct, frozen=True, tag=True):
    """The member is there, and waits for its part."""


class Ready(msgspec.Struct, frozen=True, tag=True):
    """The member is at work; `address` is where it listens, if it does."""

    address: tuple[str, int] | None = None


class Issued(msgspec.Struct, frozen=True, tag=True):
    """A token was signed: its key, its id and its exp."""

    kid: str
    jti: str
    expires: Instant


class Unsigned(msgspec.Struct, frozen=True, tag=True):
    """A signer refused to sign, with the code of its error: a lease ran out, say."""

    code: str


class Occasion(StrEnum):
    """Why a token is looked at."""

    ARRIVAL = "on arrival"
    HANDOVER = "just after a key took over"
    LATE = "just before its expiry"
    SIGNATURE = "by its signature alone"


class Verdict(msgspec.Struct, frozen=True, tag=True):
    """A verifier's word on a token, decided between two instants."""

    kid: str
    jti: str
    expires: Instant
    began: Instant
    ended: Instant
    accepted: bool
    occasion: Occasion
    reason: str = ""


class Unanswered(msgspec.Struct, frozen=True, tag=True):
    """A verifier could not fetch its keys, so it said nothing about a token and will try again."""

    reason: str


class Left(msgspec.Struct, frozen=True, tag=True):
    """The member's pipe has closed: written by the reader at our end, never by a member."""


Report: TypeAlias = Awake | Ready | Issued | Unsigned | Verdict | Unanswered | Left


# --- what a member is told later -----------------------------------------------------------------


class Watch(msgspec.Struct, frozen=True, tag=True):
    """Go on trying the last token of this kid that was accepted, by its signature alone."""

    kid: str


class Stop(msgspec.Struct, frozen=True, tag=True):
    """Sign no more."""


Order: TypeAlias = Watch | Stop

ENCODER: Final = msgspec.json.Encoder()
REPORTS: Final = msgspec.json.Decoder(Report)
ORDERS: Final = msgspec.json.Decoder(Order)
SCHEDULER_PART: Final = msgspec.json.Decoder(SchedulerPart)
SERVER_PART: Final = msgspec.json.Decoder(ServerPart)
SIGNER_PART: Final = msgspec.json.Decoder(SignerPart)
VERIFIER_PART: Final = msgspec.json.Decoder(VerifierPart)

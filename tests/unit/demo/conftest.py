"""Tokens, verdicts and a keyring to make up a demonstration's reports from."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from keyvault_jwt import base64url
from keyvault_jwt.demo.messages import Occasion, Verdict
from keyvault_jwt.demo.ticket import Ticket, ticket_of

NOW = 1_800_000_000_000
"""An instant to begin with, in milliseconds."""
MakeTicket = Callable[..., Ticket]
MakeVerdict = Callable[..., Verdict]


@pytest.fixture
def ticket() -> MakeTicket:
    """Make a ticket of a token that names a key, an id, and an expiry so many seconds from `NOW`."""

    def make(kid: str = "k1", jti: str = "t1", *, lives: int = 3) -> Ticket:
        header = base64url.encode(b'{"alg":"ES256","kid":"%s"}' % kid.encode())
        expiry = NOW // 1000 + lives
        claims = base64url.encode(b'{"jti":"%s","exp":%d}' % (jti.encode(), expiry))
        return ticket_of(f"{header}.{claims}.AAAA")

    return make


@pytest.fixture
def verdict() -> MakeVerdict:
    """Make a verdict on a token of a key, given from `at` to a millisecond later."""

    def make(
        *,
        accepted: bool,
        at: int = NOW,
        kid: str = "k1",
        jti: str = "t1",
        lives: int = 3_000,
        occasion: Occasion = Occasion.ARRIVAL,
    ) -> Verdict:
        return Verdict(
            kid=kid,
            jti=jti,
            expires=NOW + lives,
            began=at,
            ended=at + 1,
            accepted=accepted,
            occasion=occasion,
            reason="" if accepted else "key_unknown",
        )

    return make

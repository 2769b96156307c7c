"""Outage: a time in which the JWKS server was away because the script says so."""

from __future__ import annotations

from dataclasses import dataclass

from ..clock import Instant
from .fast_time import TOKEN_TTL
from .messages import Issued


@dataclass(frozen=True, slots=True)
class Outage:
    """From the server's kill until it was ready again; `ended` None while it is away."""

    began: Instant
    ended: Instant | None = None

    def excuses(self, issued: Issued) -> bool:
        """Whether a token lived in it, be it for a moment: then nobody owes a verdict on it."""
        over = self.ended is not None and issued.expires - TOKEN_TTL > self.ended
        return issued.expires > self.began and not over

"""Notebook: the tokens that a verifier holds, and when it looks at each again."""

from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass, field
from typing import Final

from ..clock import Instant, Milliseconds
from .messages import Occasion
from .ticket import Ticket

LATE: Final[Milliseconds] = 400
"""How long before a token's expiry it is looked at for the last time."""
AGAIN: Final[Milliseconds] = 100
"""How soon a token is looked at again that nothing could be said of, or whose key is watched."""
LONGEST: Final[Milliseconds] = 60_000
"""How long nothing is due at most: an exp may lie further ahead than any thread can wait."""


@dataclass(frozen=True, slots=True, order=True)
class Look:
    """One look at a token, at an instant and for a reason."""

    at: Instant
    number: int
    ticket: Ticket = field(compare=False)
    occasion: Occasion = field(compare=False)


class Notebook:
    """Each token is looked at on arrival, just after the next key took over, and just before its expiry.

    No thread but one may use it.  Instants are arguments: it reads no clock.
    """

    def __init__(self) -> None:
        self._looks: list[Look] = []
        self._numbers = itertools.count()
        self._living: dict[str, Ticket] = {}
        self._kids: set[str] = set()
        self._accepted: dict[str, Ticket] = {}

    def take(self, ticket: Ticket, now: Instant) -> None:
        """Write a token down that has arrived."""
        fresh_key = ticket.kid not in self._kids
        self._living = {jti: one for jti, one in self._living.items() if one.expires > now}
        if fresh_key:
            for older in self._living.values():
                self._note(now, older, Occasion.HANDOVER)
        self._kids.add(ticket.kid)
        self._living[ticket.jti] = ticket
        self._note(now, ticket, Occasion.ARRIVAL)
        self._note(max(now, ticket.expires - LATE), ticket, Occasion.LATE)

    def watch(self, kid: str, now: Instant) -> None:
        """Look at the last token of a kid that was accepted, by its signature, from now on.

        Refusing any other would show nothing: it may never have been good.
        """
        if kid in self._accepted:
            self._note(now, self._accepted[kid], Occasion.SIGNATURE)

    def due(self, now: Instant) -> Look | None:
        """Take the next look that is due, if any."""
        return heapq.heappop(self._looks) if self._looks and self._looks[0].at <= now else None

    def looked(self, look: Look, now: Instant, *, accepted: bool | None) -> None:
        """Write down what a look came to: one without an answer (None) is repeated while the token lives."""
        if accepted:
            self._accepted[look.ticket.kid] = look.ticket
        watched = look.occasion is Occasion.SIGNATURE
        if watched or (accepted is None and now < look.ticket.expires):
            self._note(now + AGAIN, look.ticket, look.occasion)

    def rest(self, now: Instant) -> Milliseconds:
        """Return how long nothing is due, or `LONGEST`."""
        return min(max(0, self._looks[0].at - now), LONGEST) if self._looks else AGAIN

    def _note(self, at: Instant, ticket: Ticket, occasion: Occasion) -> None:
        heapq.heappush(self._looks, Look(at, next(self._numbers), ticket, occasion))

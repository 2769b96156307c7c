"""VerifierTable: which set each verifier holds, as far as its requests tell.

Informative only: what a client says of itself never shortens a lead.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import NamedTuple

from ..clock import Clock, Instant

_LONGEST_AGENT = 80


class Sighting(NamedTuple):
    """A verifier's latest request: what it held, as (epoch, revision), and what it was answered."""

    ring: str
    client: str
    agent: str
    at: Instant
    held: tuple[int, int] | None
    given: tuple[int, int]


class VerifierTable:
    """The `size` verifiers seen last, by keyring, address and user agent."""

    def __init__(self, clock: Clock, size: int = 1_000) -> None:
        self._clock, self._size = clock, size
        self._guard = threading.Lock()
        self._rows: OrderedDict[tuple[str, str, str], Sighting] = OrderedDict()

    def note(
        self, ring: str, client: str, agent: str, held: tuple[int, int] | None, given: tuple[int, int]
    ) -> None:
        """Note a request for a keyring's set."""
        agent = agent[:_LONGEST_AGENT]
        if not agent.isprintable():
            agent = "".join(c for c in agent if c.isprintable())
        key = (ring, client, agent)
        sighting = Sighting(ring, client, agent, self._clock.wall(), held, given)
        with self._guard:
            self._rows[key] = sighting
            self._rows.move_to_end(key)
            if len(self._rows) > self._size:
                self._rows.popitem(last=False)

    def rows(self) -> list[Sighting]:
        """Return the sightings, the latest first."""
        with self._guard:
            return list(reversed(self._rows.values()))

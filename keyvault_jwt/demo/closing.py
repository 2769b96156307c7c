"""Closing: what a demonstration came to, and whether it kept its promises."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ..clock import Milliseconds
from .acts import TRIES
from .audience import View
from .messages import Library, Occasion

ROUTINE: Final = (Occasion.ARRIVAL, Occasion.HANDOVER, Occasion.LATE)
"""The occasions on which every token is looked at."""
JUDGED: Final = 90
"""How many percent of the tokens each verifier judges at least; on a busy machine some expire unseen."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Something promised, and whether it happened."""

    title: str
    happened: bool


@dataclass(frozen=True, slots=True)
class Closing:
    """The last view, the scenes, the verifiers with their libraries, and how long it all took."""

    view: View
    scenes: tuple[Scene, ...]
    verifiers: tuple[tuple[str, Library], ...]
    length: Milliseconds

    @property
    def kept(self) -> bool:
        """Whether every promise was kept."""
        return not any(self.broken())

    def broken(self) -> Iterator[str]:
        """Yield each promise that was not kept, in words."""
        tally = self.view.tally
        refused, past = len(tally.refused_though_valid), len(tally.accepted_past_bound)
        if refused:
            yield f"refused though unexpired and not revoked: {refused}"
        if past:
            yield f"the revoked key accepted after its bound: {past}"
        for scene in self.scenes:
            if not scene.happened:
                yield f"did not happen: {scene.title}"
        for name, _ in self.verifiers:
            for occasion in ROUTINE:
                if not tally.accepted[name, occasion]:
                    yield f"{name} accepted no token {occasion}"
            yield from self._too_little(name)

    def _too_little(self, name: str) -> Iterator[str]:
        tally = self.view.tally
        owed, judged, tried = len(tally.owed), tally.judged_by(name), tally.tried_by(name)
        if 100 * judged < JUDGED * owed:
            yield f"{name} judged {judged} of {owed} tokens, less than {JUDGED} %"
        if tally.revocation is not None and tried < TRIES:
            yield f"{name} tried the revoked key {tried} times past its bound, less than {TRIES}"

"""Panorama: every key of a demonstration from its first moment on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..phase import Phase
from ..timeline import Lane, Timeline, timeline

if TYPE_CHECKING:
    from ...demo import View


class Panorama:
    """Remembers the lanes that a timeline leaves behind as it moves on."""

    def __init__(self) -> None:
        self._lanes: dict[str, Lane] = {}

    def seen(self, view: View) -> Timeline:
        """Take a view in, and return the timeline around its instant."""
        times = timeline(view.keyring, view.plan, view.now, view.staleness)
        self._lanes.update({lane.record.kid: lane for lane in times.lanes})
        return times

    def whole(self, view: View) -> Timeline:
        """Take the last view in, and return everything that was seen since the beginning."""
        times = self.seen(view)
        lanes = tuple(sorted(self._lanes.values(), key=_order))
        return Timeline(view.began, view.now, times.end, times.handover, lanes)


def _order(lane: Lane) -> tuple[int, int]:
    """Put keys in the order in which they sign; then those that never will."""
    signs = lane.starts(Phase.SIGNING)
    return 1 << 62 if signs is None else signs, lane.record.created

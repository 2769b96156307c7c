"""Screen: a demonstration as it is played, on stderr."""

from __future__ import annotations

import os
import shutil
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from .. import terminal
from ..lanes import draw
from ..looks import coloured, glyphs_for
from ..timeline import Timeline
from .panorama import Panorama

if TYPE_CHECKING:
    from ...clock import Milliseconds
    from ...demo import View

_REMARKS: Final = 4
"""How many of the last things told stay on the screen."""
_AROUND: Final = 7 + _REMARKS
"""Lines of the screen that are no lanes."""
_FEWEST_ROWS: Final = _AROUND + 4


def can_repaint() -> bool:
    """Whether stderr is a terminal on which lines can be written again, with room for a picture."""
    columns, rows = shutil.get_terminal_size()
    moves = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    return moves and columns > terminal.NARROWEST and rows >= _FEWEST_ROWS


class Lines:
    """An audience that notes what it is told, a line each, and draws nothing until the end."""

    def __init__(self, note: Callable[[str], None], panorama: Panorama) -> None:
        self._note, self._panorama = note, panorama

    def watch(self, view: View) -> None:
        """Remember the lanes."""
        self._panorama.seen(view)

    def hear(self, at: Milliseconds, text: str) -> None:
        """Note it."""
        self._note(_remark(at, text))

    def close(self) -> None:
        """Leave what was noted."""


class Picture:
    """An audience that paints the keys' lanes over and over in the same place."""

    def __init__(self, panorama: Panorama) -> None:
        self._panorama = panorama
        self._remarks: deque[str] = deque(maxlen=_REMARKS)
        self._painted = 0

    def watch(self, view: View) -> None:
        """Paint what there is to see."""
        times = self._panorama.seen(view)
        columns, rows = shutil.get_terminal_size()
        columns -= 1  # a full line would leave the cursor where terminals disagree
        lines = [
            *(
                coloured(line, sys.stderr)
                for line in draw(_fitting(times, rows), columns, glyphs_for(sys.stderr))
            ),
            "",
            *(line[:columns] for line in status(view)),
            "",
            *(remark[:columns] for remark in self._remarks),
        ]
        self._paint(lines)

    def hear(self, at: Milliseconds, text: str) -> None:
        """Keep it for the next painting."""
        self._remarks.append(_remark(at, text))

    def close(self) -> None:
        """Take the picture away: the whole one follows on stdout."""
        self._paint([])

    def _paint(self, lines: list[str]) -> None:
        back = f"\x1b[{self._painted}A" if self._painted else ""
        terminal.paint(f"{back}\r\x1b[J" + "".join(f"{line}\n" for line in lines))
        self._painted = len(lines)


def status(view: View) -> tuple[str, str]:
    """Return the counts of the moment, in two lines."""
    tally = view.tally
    refused, past = len(tally.refused_though_valid), len(tally.accepted_past_bound)
    return (
        f"{len(tally.issued)} tokens issued, {tally.verdicts} times verified",
        f"{refused} refused though valid, {past} revoked but accepted",
    )


def _fitting(times: Timeline, rows: int) -> Timeline:
    """Return the timeline with as many of its last lanes as the screen has rows for."""
    return replace(times, lanes=times.lanes[-max(1, rows - _AROUND) :])


def _remark(at: Milliseconds, text: str) -> str:
    return f"{at / 1000:5.1f} s  {text}"

"""Screen: a demonstration as it is played, on stderr."""

from __future__ import annotations

import os
import shutil
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import click

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
_AROUND: Final = 6 + _REMARKS
"""Lines of the screen that are no lanes."""
_FEWEST_ROWS: Final = _AROUND + 4
_HIDE, _SHOW = "\x1b[?25l", "\x1b[?25h"


def can_repaint() -> bool:
    """Whether stderr is a terminal on which lines can be written again, with room for a picture."""
    columns, rows = shutil.get_terminal_size()
    moves = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    return moves and columns >= terminal.NARROWEST and rows >= _FEWEST_ROWS


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
        lines = [
            *(
                coloured(line, sys.stderr)
                for line in draw(_fitting(times, rows), columns, glyphs_for(sys.stderr))
            ),
            "",
            status(view)[:columns],
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
        self._write(_SHOW)

    def _paint(self, lines: list[str]) -> None:
        back = f"\x1b[{self._painted}A" if self._painted else _HIDE
        self._write(f"{back}\r\x1b[J" + "".join(f"{line}\n" for line in lines))
        self._painted = len(lines)

    @staticmethod
    def _write(text: str) -> None:
        click.echo(text, err=True, nl=False, color=True)


def status(view: View) -> str:
    """Return the counts of the moment, in one line."""
    tally = view.tally
    return (
        f"{len(tally.issued)} tokens issued   {tally.verdicts} verified"
        f"   {len(tally.refused_though_valid)} refused though valid"
        f"   {len(tally.accepted_past_bound)} revoked but accepted"
    )


def _fitting(times: Timeline, rows: int) -> Timeline:
    """Return the timeline with as many of its last lanes as the screen has rows for."""
    return replace(times, lanes=times.lanes[-max(1, rows - _AROUND) :])


def _remark(at: Milliseconds, text: str) -> str:
    return f"{at / 1000:5.1f} s  {text}"

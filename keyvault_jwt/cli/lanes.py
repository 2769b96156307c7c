"""Lanes: a keyring's keys drawn over time, as lines of spans that a terminal can colour.

     kid       state        12d ago              now                  in 30d
     8Zk3vQ1t  verify-only  ░░░░▓▓▓▓▓▓▓▓▓▓▓▓▒▒▒▒▒│▒▒···············
     Jm0xWf7a  signing          ░░░░░░░░░░░░▓▓▓▓▓│▓▓▓▓▓▓▓▓▓▒▒▒▒····

Left of the bar is what was, right of it what the plan lets one expect.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from ..clock import Instant
from ..keyring import Keyring
from ..plan import Plan
from .ages import seen_from
from .phase import Phase, Stretch
from .timeline import Lane, Timeline, timeline


class Span(NamedTuple):
    """Text of one look: the phase it draws, if any, and whether that is still to come."""

    text: str
    phase: Phase | None = None
    planned: bool = False


Line = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Glyphs:
    """One character for each phase, for now, and for the ends of a label."""

    phases: Mapping[Phase, str]
    now: str


UNICODE: Final = Glyphs(dict(zip(Phase, "┄░▓▒x·", strict=True)), "│")
ASCII: Final = Glyphs(dict(zip(Phase, "~-#=x.", strict=True)), "|")
KID_WIDTH: Final = 8
_HEAD: Final = KID_WIDTH + 2 + len("verify-only") + 2


def lanes(
    keyring: Keyring, plan: Plan, now: Instant, width: int, *, staleness: int = 0, glyphs: Glyphs = UNICODE
) -> tuple[Line, ...]:
    """Return the drawing, at most `width` columns wide: a head, a lane for each key, and a legend."""
    return draw(timeline(keyring, plan, now, staleness), width, glyphs)


def plain(line: Line) -> str:
    """Return a line's text without its looks."""
    return "".join(span.text for span in line).rstrip()


def draw(times: Timeline, width: int, glyphs: Glyphs) -> tuple[Line, ...]:
    """Return the drawing of a timeline."""
    scale = _Scale.fitting(times, width - _HEAD)
    phases = {stretch.phase for lane in times.lanes for stretch in lane.stretches}
    return (
        (Span(" " * _HEAD), Span(_head(times, scale))),
        *(tuple(_lane(lane, times, scale, glyphs)) for lane in times.lanes),
        tuple(_legend(phases, glyphs, width)),
    )


@dataclass(frozen=True, slots=True)
class _Scale:
    """Columns for time: `before` of them up to now, a bar, and `after` of them from now on."""

    times: Timeline
    before: int
    after: int

    @classmethod
    def fitting(cls, times: Timeline, width: int) -> _Scale:
        past, future = times.now - times.start, times.end - times.now
        room = max(width - 1, 2)
        before = min(max(round(room * past / max(past + future, 1)), 1), room - 1)
        return cls(times, before, room - before)

    def column(self, instant: Instant) -> int:
        """Return the column of an instant, counted without the bar; none is outside the drawing."""
        if instant <= self.times.now:
            past = self.times.now - self.times.start
            return max(0, self.before - _share(self.before, self.times.now - instant, past))
        return self.before + _share(self.after, instant - self.times.now, self.times.end - self.times.now)


def _share(columns: int, part: int, whole: int) -> int:
    return min(columns, round(columns * part / whole)) if whole > 0 else 0


def _lane(lane: Lane, times: Timeline, scale: _Scale, glyphs: Glyphs) -> Iterator[Span]:
    yield Span(f"{lane.record.kid[:KID_WIDTH]:<{KID_WIDTH}}  {lane.record.state.plain:<11}  ")
    cells = _cells(lane.stretches, times, scale)
    yield from _spans(cells[: scale.before], glyphs, planned=False)
    yield Span(glyphs.now)
    yield from _spans(cells[scale.before :], glyphs, planned=True)


def _cells(stretches: Sequence[Stretch], times: Timeline, scale: _Scale) -> list[Phase | None]:
    """Return the phase of each column; every phase gets one, however short it is, while there is room.

    Crowded phases give way to the side that is farther from now.
    """
    cells: list[Phase | None] = [None] * (scale.before + scale.after)
    past = [stretch for stretch in stretches if stretch.start <= times.now]
    begins: list[int] = []
    last = scale.before - 1
    for stretch in reversed(past):
        begins.insert(0, max(0, min(scale.column(stretch.start), last)))
        last = begins[0] - 1
    first = scale.before
    for stretch in stretches[len(past) :]:
        if stretch.start <= times.end:
            begins.append(max(scale.column(stretch.start), first))
            first = begins[-1] + 1
    for begin, stretch in zip(begins, stretches, strict=False):
        cells[begin:] = [stretch.phase] * len(cells[begin:])
    return cells


def _spans(cells: Sequence[Phase | None], glyphs: Glyphs, *, planned: bool) -> Iterator[Span]:
    begin = 0
    for end in range(1, len(cells) + 1):
        if end == len(cells) or cells[end] is not cells[begin]:
            phase = cells[begin]
            glyph = " " if phase is None else glyphs.phases[phase]
            yield Span(glyph * (end - begin), phase, planned)
            begin = end


def _head(times: Timeline, scale: _Scale) -> str:
    """Return the line above the lanes: where it begins, now, the next handover, and where it ends."""
    width = scale.before + 1 + scale.after
    marks = [(scale.before, "now")]
    if times.handover is not None and times.handover > times.now:
        text = f"next signs {seen_from(times.now, times.handover)}"
        marks.append((scale.column(times.handover) + 1, text))
    marks.append((0, seen_from(times.now, times.start)))
    marks.append((width - 1, seen_from(times.now, times.end)))
    row = [" "] * width
    for column, text in marks:
        begin = min(column, width - len(text))
        around = row[max(begin - 1, 0) : begin + len(text) + 1]
        if begin >= 0 and not "".join(around).strip():
            row[begin : begin + len(text)] = text
    return "".join(row)


def _legend(phases: set[Phase], glyphs: Glyphs, width: int) -> Iterator[Span]:
    used = 0
    for phase in Phase:
        text = f" {phase.value}   "
        if phase in phases and used + 1 + len(text) <= width:
            used += 1 + len(text)
            yield Span(glyphs.phases[phase], phase)
            yield Span(text)
    text = f"right of {glyphs.now} planned"
    if used + len(text) <= width:
        yield Span(text)

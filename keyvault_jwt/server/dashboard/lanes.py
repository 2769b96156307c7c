"""The keys of a keyring as lanes over time: waiting, signing, verify-only, revoked, and what is planned."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from ...clock import Instant
from ...document import PublicDocument
from ...keys import KeyRecord, KeyState
from ...policy import Timing
from .wording import length, text

MOST_LANES: Final = 12
_LEFT, _WIDTH, _ROW, _BAR, _LABEL = 110, 900, 20, 12, 110

Scale: TypeAlias = Callable[[Instant], float]
"""Where on the x axis an instant lies."""


@dataclass(frozen=True, slots=True)
class Span:
    """One state of a key, from when to when; `planned` if it lies ahead."""

    kind: str
    start: Instant
    end: Instant
    planned: bool = False


def spans(record: KeyRecord, timing: Timing, now: Instant) -> Iterator[Span]:
    """Yield what a key was, is, and by the policy will be."""
    end = now if record.destroyed is None else record.destroyed
    gone = record.compromised or end
    signed, stopped = record.activated, record.deactivated
    yield Span("standby", record.published or record.created, min(signed or gone, gone))
    if signed is not None:
        yield Span("signing", signed, min(gone, stopped or gone))
        if record.state is KeyState.ACTIVE:
            yield Span("signing", now, max(now, signed + timing.rotate_every), planned=True)
    if stopped is not None and (signed is None or stopped >= signed):
        yield Span("verify-only", stopped, gone)
    if record.state is KeyState.DEACTIVATED and record.stopped is not None:
        rest = timing.retirement(token_ttl_max=record.token_ttl_max, lease_max=record.lease_max)
        yield Span("verify-only", now, max(now, record.stopped + rest), planned=True)
    if record.compromised is not None:
        yield Span("revoked", record.compromised, end)


def lanes(public: PublicDocument, now: Instant) -> str:
    """Return the picture as SVG; empty if there is no key to show."""
    timing = public.policy.timing(0)
    first, last = now - timing.rotate_every * 5 // 4, now + timing.rotate_every * 3 // 4
    shown = [r for r in public.records if r.destroyed is None or r.destroyed > first]
    shown = sorted(shown, key=lambda r: (r.activated or last, r.created))[-MOST_LANES:]
    if not shown:
        return ""
    first = max(first, min(r.created for r in shown) - timing.rotate_every // 50)
    scale = (_WIDTH - _LEFT) / max(1, last - first)

    def x(instant: Instant) -> float:
        return round(_LEFT + (min(max(instant, first), last) - first) * scale, 1)

    height = _ROW * len(shown) + 22
    rows = [
        f'<text x="0" y="{_ROW * row + 15}">{text(record.kid[:10])}</text>'
        + "".join(_bar(span, x, _ROW * row + 5) for span in spans(record, timing, now))
        for row, record in enumerate(shown)
    ]
    here = x(now)
    began = f'<text x="{_LEFT}" y="{height - 4}">{length(now - first)} ago</text>'
    began = began if here > _LEFT + _LABEL else ""
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="keys over time">{"".join(rows)}'
        f'<line class="now" x1="{here}" y1="0" x2="{here}" y2="{height - 18}"/>'
        f"{began}"
        f'<text x="{here}" y="{height - 4}" text-anchor="middle">now</text>'
        f'<text x="{_WIDTH}" y="{height - 4}" text-anchor="end">in {length(last - now)}</text></svg>'
    )


def _bar(span: Span, x: Scale, y: int) -> str:
    if span.end <= span.start:
        return ""
    # What has only just begun is still to be seen.
    width = max(2.0, round(x(span.end) - x(span.start), 1))
    kind = f"{span.kind} planned" if span.planned else span.kind
    name = f"{span.kind}, planned" if span.planned else span.kind
    return (
        f'<rect class="{kind}" x="{x(span.start)}" y="{y}" width="{width}" height="{_BAR}" rx="2">'
        f"<title>{name}, {length(span.end - span.start)}</title></rect>"
    )

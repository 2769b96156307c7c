"""Page: the picture and the closing count as one HTML file that needs nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from ...clock import Instant, iso
from ..phase import Phase
from ..timeline import Lane, Timeline
from .count import counts

if TYPE_CHECKING:
    from ...demo import Closing

_LEFT, _WIDTH, _ROW, _BAR = 150, 900, 20, 12
_CLASSES: Final = MappingProxyType(
    {
        Phase.WAITING: "waiting",
        Phase.READY: "ready",
        Phase.SIGNING: "signing",
        Phase.VERIFYING: "verifying",
        Phase.REVOKED: "revoked",
    }
)
_CONTENT_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"
_CSS: Final = """
:root { color-scheme: light dark; --ink: #1d2430; --dim: #667085; --line: #d8dde6; --paper: #fff;
  --sign: #1a7f4b; --wait: #3b6fd4; --keep: #b98a1c; --bad: #c0342b; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7eaf0; --dim: #98a2b3; --line: #333b49;
  --paper: #12161d; --sign: #3fb97a; --wait: #6e9bf2; --keep: #d9ad45; --bad: #f0695f; } }
body { margin: 0 auto; padding: 1.5rem; max-width: 62rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.25rem; } h2 { font-size: 1.05rem; }
table { border-collapse: collapse; } td, th { text-align: left; padding: .2rem 1.5rem .2rem 0;
  border-bottom: 1px solid var(--line); } td.count { text-align: right; font-variant-numeric: tabular-nums; }
svg { display: block; width: 100%; height: auto; }
svg text { font: 11px system-ui, sans-serif; fill: var(--dim); }
.waiting { fill: var(--wait); opacity: .4; } .ready { fill: var(--wait); } .signing { fill: var(--sign); }
.verifying { fill: var(--keep); } .revoked { fill: var(--bad); } .ok { color: var(--sign); }
.bad { color: var(--bad); } .dim { color: var(--dim); } .grid { stroke: var(--line); }
i { display: inline-block; width: 1em; height: .7em; margin: 0 .4em 0 1em; }
i.waiting { background: var(--wait); opacity: .4; } i.ready { background: var(--wait); }
i.signing { background: var(--sign); } i.verifying { background: var(--keep); }
i.revoked { background: var(--bad); }
"""


def page(closing: Closing, times: Timeline) -> str:
    """Return the whole file; every value in it is escaped, and it runs no script."""
    verdict = "kept" if closing.kept else "BROKEN"
    look = "ok" if closing.kept else "bad"
    scenes = "".join(
        _row(scene.title, "done" if scene.happened else "missing", "ok" if scene.happened else "bad")
        for scene in closing.scenes
    )
    numbers = "".join(_row(name, str(count), "count") for name, count in counts(closing))
    legend = "".join(f'<i class="{name}"></i>{_text(phase.value)}' for phase, name in _CLASSES.items())
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_CONTENT_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>keyvault-jwt demo</title><style>{_CSS}</style></head><body>"
        f'<h1>keyvault-jwt demo: <span class="{look}">{verdict}</span></h1>'
        f'<p class="dim">{_text(iso(times.start))}, {closing.length / 1000:.1f} s</p>'
        f"{_picture(times)}<p>{legend}</p>"
        f"<h2>What happened</h2><table><tbody>{scenes}</tbody></table>"
        f"<h2>Closing count</h2><table><tbody>{numbers}</tbody></table>"
        f"<h2>Verifiers</h2><table><tbody>{''.join(_verifiers(closing))}</tbody></table></body></html>\n"
    )


def _verifiers(closing: Closing) -> Iterator[str]:
    tally = closing.view.tally
    for name, library in closing.verifiers:
        yield _row(f"{name}, {library.value}", f"{tally.accepted_by(name)} verified", "count")


def _row(name: str, value: str, look: str) -> str:
    return f'<tr><td>{_text(name)}</td><td class="{look}">{_text(value)}</td></tr>'


def _picture(times: Timeline) -> str:
    height = _ROW * len(times.lanes)
    length = max(1, times.now - times.start)
    scale = (_WIDTH - _LEFT) / length
    rows = "".join(
        f'<text x="0" y="{_ROW * row + 15}">{_text(f"{lane.record.kid[:8]} {lane.record.algorithm}")}</text>'
        + "".join(_bars(lane, times, scale, _ROW * row + 4))
        for row, lane in enumerate(times.lanes)
    )
    grid = "".join(
        f'<line class="grid" x1="{x}" y1="0" x2="{x}" y2="{height}"/>'
        f'<text x="{x}" y="{height + 14}" text-anchor="end">{at // 1000} s</text>'
        for at in range(5_000, length + 1, 5_000)
        for x in [round(_LEFT + at * scale, 1)]
    )
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height + 20}" role="img" aria-label="keys over time">{grid}{rows}</svg>'
    )


def _bars(lane: Lane, times: Timeline, scale: float, y: int) -> Iterator[str]:
    """Yield a bar for each phase that a key was in, none for what is only planned."""
    ends = [stretch.start for stretch in lane.stretches[1:]] + [times.now]
    for stretch, end in zip(lane.stretches, ends, strict=True):
        begin, until = _within(stretch.start, times), _within(end, times)
        if stretch.phase in _CLASSES and until > begin:
            told = _text(f"{stretch.phase.value}, {(until - begin) / 1000:.1f} s")
            x, width = _LEFT + (begin - times.start) * scale, (until - begin) * scale
            yield (
                f'<rect class="{_CLASSES[stretch.phase]}" x="{x:.1f}" y="{y}" width="{max(width, 1.5):.1f}"'
                f' height="{_BAR}"><title>{told}</title></rect>'
            )


def _within(instant: Instant, times: Timeline) -> Instant:
    return min(max(instant, times.start), times.now)


def _text(value: str) -> str:
    return escape(value, quote=True)

"""The page's style, and the Content-Security-Policy that allows it and nothing else."""

from __future__ import annotations

import base64
import hashlib
from typing import Final

CSS: Final = """
:root { color-scheme: light dark; --ink: #1d2430; --dim: #667085; --line: #d8dde6; --paper: #fff;
  --card: #f7f8fa; --sign: #1a7f4b; --wait: #3b6fd4; --keep: #8a94a6; --bad: #c0342b; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7eaf0; --dim: #98a2b3; --line: #333b49;
  --paper: #12161d; --card: #1a202a; --sign: #3fb97a; --wait: #6e9bf2; --keep: #707b8e; --bad: #f0695f; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem; max-width: 62rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.25rem; margin: 0; }
h2 { font-size: 1.05rem; margin: 0; overflow-wrap: anywhere; }
h3 { font-size: .85rem; margin: 1rem 0 .25rem; color: var(--dim); font-weight: 600; }
header, section > header { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: baseline; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 1rem;
  margin: 1rem 0; overflow-x: auto; }
section.alarms { border-color: var(--bad); }
.dim { color: var(--dim); }
.badge { font-size: .8rem; border-radius: 99px; padding: 0 .6rem; border: 1px solid currentColor; }
.ok { color: var(--sign); } .bad { color: var(--bad); }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .2rem .8rem .2rem 0; border-bottom: 1px solid var(--line);
  white-space: nowrap; }
td.wide { white-space: normal; overflow-wrap: anywhere; }
th { font-weight: 600; color: var(--dim); font-size: .85rem; }
tr:last-child td { border-bottom: 0; }
code { font-size: .85em; }
a { color: var(--wait); }
svg { display: block; width: 100%; height: auto; margin: .75rem 0; }
svg.dot { display: inline-block; width: .7em; height: .7em; margin: 0 .4em 0 0; }
svg text { font: 11px system-ui, sans-serif; fill: var(--dim); }
.standby { fill: var(--wait); } .signing { fill: var(--sign); } .verify-only { fill: var(--keep); }
.revoked { fill: var(--bad); } .planned { opacity: .3; }
.now { stroke: var(--ink); stroke-width: 1; stroke-dasharray: 3 3; }
"""

_HASH: Final = base64.b64encode(hashlib.sha256(CSS.encode()).digest()).decode("ascii")


def policy() -> str:
    """Return the Content-Security-Policy: this style, no script, nothing from anywhere."""
    return (
        f"default-src 'none'; style-src 'sha256-{_HASH}'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )

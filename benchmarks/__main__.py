"""Measure every figure, or those named, and print one JSON object on the last line.

A figure that can't be measured here is null there: named, so that nobody takes it for forgotten.
"""

from __future__ import annotations

import json
import sys

from . import (
    aws_requests,
    cache_memory,
    cli_version,
    fast_verifying,
    import_cost,
    jwks_rate,
    known_kids,
    load_tombstones,
    scheduler_idle,
    signing,
    unknown_kids,
    vault_requests,
    verifying,
)
from .figure import Figure, NotMeasurable

FIGURES = (
    cli_version.FIGURE,
    import_cost.FIGURE,
    load_tombstones.FIGURE,
    scheduler_idle.FIGURE,
    *verifying.FIGURES,
    *fast_verifying.FIGURES,
    *signing.FIGURES,
    jwks_rate.FIGURE,
    *vault_requests.FIGURES,
    *aws_requests.FIGURES,
    cache_memory.FIGURE,
    known_kids.FIGURE,
    unknown_kids.FIGURE,
)


def main(names: list[str]) -> None:
    """Print each figure as it comes, then all of them as JSON."""
    known = {figure.name: figure for figure in FIGURES}
    if unknown := set(names) - set(known):
        sys.exit(f"no such figure: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    results: dict[str, float | None] = {}
    for figure in (known[name] for name in names or known):
        results[figure.name] = _measured(figure)
    print(json.dumps(results))


def _measured(figure: Figure) -> float | None:
    """Measure a figure and print it; None if it can't be measured here."""
    try:
        value = round(figure.measure(), 3)
    except NotMeasurable as why:
        print(f"{figure.name:35} {'-':>10}  ({figure.wanted})  not measured: {why}", flush=True)
        return None
    verdict = figure.verdict(value)
    print(f"{figure.name:35} {value:>10g}  ({figure.wanted}){verdict}  {figure.what}", flush=True)
    return value


main(sys.argv[1:])

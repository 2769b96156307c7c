"""Measure every figure, or those named, and print one JSON object on the last line."""

from __future__ import annotations

import json
import sys

from . import (
    aws_requests,
    cli_version,
    import_cost,
    jwks_rate,
    load_tombstones,
    scheduler_idle,
    signing,
    vault_requests,
    verifying,
)
from .figure import NotMeasured

FIGURES = (
    cli_version.FIGURE,
    import_cost.FIGURE,
    load_tombstones.FIGURE,
    scheduler_idle.FIGURE,
    *verifying.FIGURES,
    *signing.FIGURES,
    jwks_rate.FIGURE,
    *vault_requests.FIGURES,
    *aws_requests.FIGURES,
)


def main(names: list[str]) -> None:
    """Print each figure as it comes, then all of them as JSON."""
    known = {figure.name: figure for figure in FIGURES}
    if unknown := set(names) - set(known):
        sys.exit(f"no such figure: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    results: dict[str, float | None] = {}
    for figure in (known[name] for name in names or known):
        try:
            value = results[figure.name] = round(figure.measure(), 3)
        except NotMeasured as lack:
            results[figure.name] = None
            print(f"{figure.name:35} not measured: {lack}", flush=True)
            continue
        verdict = figure.verdict(value)
        print(f"{figure.name:35} {value:>10g}  ({figure.wanted}){verdict}  {figure.what}", flush=True)
    print(json.dumps(results))


main(sys.argv[1:])

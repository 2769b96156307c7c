"""Columns of text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

GAP = "  "


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield a head line and one line per row, each column as wide as its widest cell."""
    lines = [heads, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    for line in lines:
        yield GAP.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()


def width_of(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """Return how wide the table will be."""
    return max(map(len, table(heads, rows)), default=0)

"""What the two output streams can show: width, colour and characters; and the only writing to them."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TextIO

import click

NARROWEST = 40
_PLAIN_SPELLING = str.maketrans({"≥": ">=", "≤": "<=", "ε": "eps", "…": "...", "→": "->", "·": "."})


def width() -> int:
    """Return the terminal's width in columns (`COLUMNS` goes first); 80 without a terminal."""
    return max(NARROWEST, shutil.get_terminal_size((80, 24)).columns)


def colourful(stream: TextIO) -> bool:
    """Whether colours may be used: on a terminal that has them, unless NO_COLOR is set (no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def speaks_unicode(stream: TextIO) -> bool:
    """Whether the stream's encoding has every character."""
    return (getattr(stream, "encoding", None) or "ascii").lower().replace("-", "").startswith("utf")


def put(text: str) -> None:
    """Write a line of data to stdout."""
    click.echo(_writable(text, sys.stdout), color=colourful(sys.stdout))


def tell(text: str) -> None:
    """Write a line of message to stderr."""
    click.echo(_writable(text, sys.stderr), err=True, color=colourful(sys.stderr))


def paint(text: str) -> None:
    """Write text that moves the cursor to stderr as it is: also without colours it may move."""
    click.echo(text, err=True, nl=False, color=True)


def _writable(text: str, stream: TextIO) -> str:
    """Return the text as the stream's encoding can hold it; nothing is lost that has a plain spelling."""
    if speaks_unicode(stream):
        return text
    encoding = getattr(stream, "encoding", None) or "ascii"
    return text.translate(_PLAIN_SPELLING).encode(encoding, "replace").decode(encoding)

"""Looks: how a terminal shows the phases of a key."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Final, TextIO

import click

from . import terminal
from .lanes import ASCII, UNICODE, Glyphs, Line, plain
from .phase import Phase

_LOOKS: Final = MappingProxyType[Phase, dict[str, Any]](
    {
        Phase.WAITING: {"fg": "blue"},
        Phase.READY: {"fg": "cyan"},
        Phase.SIGNING: {"fg": "green", "bold": True},
        Phase.VERIFYING: {"fg": "yellow"},
        Phase.REVOKED: {"fg": "red", "bold": True},
        Phase.GONE: {"fg": "white"},
    }
)


def glyphs_for(stream: TextIO) -> Glyphs:
    """Return the characters that a stream can show."""
    return UNICODE if terminal.speaks_unicode(stream) else ASCII


def coloured(line: Line, stream: TextIO) -> str:
    """Return a line as the stream can show it: in colour, or its text alone."""
    if not terminal.colourful(stream):
        return plain(line)
    return "".join(
        span.text if span.phase is None else click.style(span.text, dim=span.planned, **_LOOKS[span.phase])
        for span in line
    )

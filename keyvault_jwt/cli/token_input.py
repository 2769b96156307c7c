"""A token from a file or stdin; one on the command line would be seen by every user of the machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

from ..errors import FileUnreadable, UsageError
from .session import Session, interactive

_LONGEST: Final = 1 << 20


def read_token(session: Session, path: str) -> bytes:
    """Return the token that the file (`-` for stdin) holds, without the white space around it.

    Raises `FileUnreadable`, and `UsageError` for what looks like the token itself; neither
    quotes a word that might be a token.
    """
    if path == "-" and interactive():
        session.note("reading the token from the terminal; end with Ctrl-D")
    try:
        if path == "-":
            return sys.stdin.buffer.read(_LONGEST).strip()
        with Path(path).open("rb") as file:
            return file.read(_LONGEST).strip()
    except OSError as failure:
        if path.count(".") == 2 and len(path) > 40:
            raise UsageError(
                "a token is not given as an argument",
                why="every user of this machine could read it in the process list",
                fix="give the file that holds it, or - for stdin",
            ) from None
        raise FileUnreadable(
            f"could not read {path[:80]!r}", why=os.strerror(failure.errno or 0), fix="name the token's file"
        ) from None

"""Secret: where a login finds what it must not show, an environment variable or a file."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .errors import CredentialsMissing

_LARGEST: Final = 65_536
_ONE_LINE: Final = re.compile(r"[\x20-\x7e]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Secret:
    """A place to read one secret from, anew each time, since files and their contents rotate.

    The file is the one that was named; without one, the first of the variables that is set.
    Nothing but names is kept here, so a repr shows where, and never what.
    """

    what: str
    file: Path | None = None
    variables: tuple[str, ...] = ()
    fallback: Path | None = None

    def read(self) -> str:
        """Return the secret without white space around it; raises `CredentialsMissing`."""
        found = self.look()
        if not found:
            places = [f"the variable {name}" for name in self.variables]
            places += [f"the file {path}" for path in (self.file or self.fallback,) if path is not None]
            raise CredentialsMissing(
                f"there is no {self.what} to log in with",
                why="it is missing, closed to this user or empty",
                fix=f"put it into {' or '.join(places if self.file is None else places[-1:])}",
            )
        if not _ONE_LINE.fullmatch(found):
            raise CredentialsMissing(
                f"the {self.what} can't be one",
                why="it has characters other than printable ASCII, or more than one line",
                fix=f"check {self.place()}",
            )
        return found

    def look(self) -> str:
        """Return the secret, or an empty string if it is nowhere."""
        if self.file is not None:
            return _content(self.file)
        for name in self.variables:
            if value := os.environ.get(name, "").strip():
                return value
        return "" if self.fallback is None else _content(self.fallback)

    def place(self) -> str:
        """Return where it is read from, for a message."""
        if self.file is not None:
            return f"the {self.what} in {self.file}"
        for name in self.variables:
            if os.environ.get(name, "").strip():
                return f"the {self.what} in {name}"
        return f"the {self.what} in {self.fallback or ' or '.join(self.variables)}"


def _content(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST).decode("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""

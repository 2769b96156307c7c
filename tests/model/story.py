"""A search's finding as a person reads it: keys by short names, one line for what one actor did at once."""

from __future__ import annotations

import re
from itertools import groupby

from tests.model.search import Violation

_KID = re.compile(r"\b[A-Za-z0-9_-]{43}\b|(?<![\w-])-[A-Za-z0-9_-]{42}(?![\w-])")
_CALL = re.compile(r"^( *[\d.]+ s)  ([a-z]+(?: \d)?): (.*)$")


def told(violation: Violation) -> str:
    """Return the story, line by line, and what it breaks at its end."""
    lines = [*_merged(violation.story), f"{'broken':>8}  {violation.what}"]
    return _named("\n".join(lines))


def _merged(story: tuple[str, ...]) -> list[str]:
    """Put the calls that one actor makes in a row, at one moment, into one line."""
    lines: list[str] = []
    for actor, group in groupby(story, key=_actor):
        calls = [match[3] for line in group if (match := _CALL.match(line)) is not None]
        lines.append(f"{actor}: {', '.join(calls)}" if calls else actor)
    return lines


def _actor(line: str) -> str:
    """Return when and by whom a call was made, the whole line if it tells of something else."""
    match = _CALL.match(line)
    return line if match is None else f"{match[1]}  {match[2]}"


def _named(text: str) -> str:
    names: dict[str, str] = {}
    return _KID.sub(lambda kid: names.setdefault(kid[0], f"key {chr(ord('A') + len(names) % 26)}"), text)

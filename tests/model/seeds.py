"""The faults of `seeds.toml`, put one at a time into a copy of the package."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import keyvault_jwt

PACKAGE: Final = Path(keyvault_jwt.__file__).parent


@dataclass(frozen=True, slots=True)
class Edit:
    """One place in one file; `was` must stand there exactly once."""

    file: str
    was: str
    now: str

    def applied(self, package: Path) -> None:
        """Make the edit in a copy of the package; fails if the place is not there any more."""
        path = package / self.file
        source = path.read_text("utf-8")
        assert source.count(self.was) == 1, f"{self.file} holds {source.count(self.was)} times: {self.was!r}"
        path.write_text(source.replace(self.was, self.now), "utf-8")


@dataclass(frozen=True, slots=True)
class Seed:
    """One fault, in words and as edits, and the course that finds it."""

    name: str
    course: str
    edits: tuple[Edit, ...]


def seeds() -> tuple[Seed, ...]:
    """Return every fault."""
    listed = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))["seed"]
    return tuple(
        Seed(each["name"], each["course"], tuple(Edit(**edit) for edit in each["edit"])) for each in listed
    )

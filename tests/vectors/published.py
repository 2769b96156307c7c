"""The published vectors: where they are, and each case with a name.

`KEYVAULT_JWT_VECTORS` names the folder, else it is `../shared/vectors` beside the repository.
Where it is not there, the tests that need it are skipped, which shows; in CI they fail.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from keyvault_jwt import jwk

FOLDER: Final = Path(
    os.environ.get("KEYVAULT_JWT_VECTORS") or Path(__file__).parents[2].parent / "shared" / "vectors"
)

if not FOLDER.is_dir() and not os.environ.get("CI"):
    pytest.skip(
        "the published vectors are not here; name their folder with KEYVAULT_JWT_VECTORS",
        allow_module_level=True,
    )


class Case(NamedTuple):
    """One test of a Wycheproof file, with the group that holds its key."""

    group: dict[str, Any]
    test: dict[str, Any]

    @property
    def flags(self) -> set[str]:
        """What the file says the test is about."""
        return set(self.test["flags"])


def read(path: str) -> Any:
    """Return a file of the folder as JSON."""
    return json.loads((FOLDER / path).read_text(encoding="utf-8"))


def wycheproof(path: str) -> list[Any]:
    """Return every case of a Wycheproof file as a pytest parameter under its own name."""
    document = read(f"wycheproof/{path}")
    cases = [Case(group, test) for group in document["testGroups"] for test in group["tests"]]
    if len(cases) != document["numberOfTests"]:
        raise ValueError(f"{path} is not whole: {len(cases)} cases")
    return [pytest.param(case, id=_named(case.test)) for case in cases]


def _named(test: dict[str, Any]) -> str:
    comment = "".join(letter if letter.isalnum() else "-" for letter in test["comment"][:60])
    return f"tc{test['tcId']}-{comment}".rstrip("-")


def cookbook(folder: str) -> list[Any]:
    """Return every file of a cookbook folder as a pytest parameter under the file's name."""
    found = sorted((FOLDER / "jose-cookbook" / folder).glob("*.json"))
    if not found:
        raise ValueError(f"no cookbook files in {FOLDER / 'jose-cookbook' / folder}")
    return [pytest.param(read(f"jose-cookbook/{folder}/{file.name}"), id=file.stem) for file in found]


def public(members: dict[str, Any]) -> dict[str, Any]:
    """Return a JWK without its private members, as a JWK Set may hold it; secrets stay."""
    if members["kty"] == "oct":
        return members
    return {name: value for name, value in members.items() if name not in jwk.PRIVATE_MEMBERS}

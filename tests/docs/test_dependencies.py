"""Every dependency earns its place in docs/dependencies.md, and nothing else is listed there."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest

from tests.docs.markdown import ROOT, Page

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
PAGE = Page(ROOT / "docs" / "dependencies.md", (ROOT / "docs" / "dependencies.md").read_text())
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_ENTRY = re.compile(r"^- \*\*([^*]+)\*\*: (.+(?:\n  .+)*)", re.MULTILINE)


def normalised(requirement: str) -> str:
    """Return the name in a requirement, spelt as registries compare it (PEP 503)."""
    found = _NAME.match(requirement)
    assert found, requirement
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def declared() -> set[str]:
    """Return the name of everything that pyproject.toml asks for."""
    project = PROJECT["project"]
    lists = [
        PROJECT["build-system"]["requires"],
        project["dependencies"],
        *project["optional-dependencies"].values(),
        *PROJECT["dependency-groups"].values(),
    ]
    return {normalised(one) for requirements in lists for one in requirements if isinstance(one, str)}


def entries() -> dict[str, str]:
    """Return the page's entries by name."""
    return {normalised(name): text for name, text in _ENTRY.findall(PAGE.text)}


def test_every_dependency_is_explained() -> None:
    """The page and pyproject.toml name the same packages, so neither can drift."""
    assert set(entries()) == declared()


@pytest.mark.parametrize("name", sorted(declared()))
def test_an_entry_says_what_who_and_what_instead(name: str) -> None:
    """An entry is one sentence that names the keeper and the alternative."""
    text = " ".join(entries()[name].split())
    assert re.fullmatch(r"[^.].*; kept by .+; instead: .+\.", text), text


def test_every_dependency_is_pinned() -> None:
    """constraints.txt has an exact version of everything declared, and no address."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = {normalised(line): line for line in lines}
    assert declared() <= set(pins)
    assert [line for line in lines if "==" not in line or "//" in line or line.startswith("-")] == []

"""Links between the project's pages lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

from tests.docs.markdown import Page, pages

_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def broken_links(found: list[Page]) -> list[str]:
    """Return each link to a file or heading that is not there, with the page it stands on."""
    by_path = {page.path.resolve(): page for page in found}
    broken = []
    for page in found:
        for link in page.links:
            if _ELSEWHERE.match(link):
                continue
            path, _, fragment = unquote(link).partition("#")
            target = (page.path.parent / path).resolve() if path else page.path.resolve()
            there = by_path.get(target)
            if not target.exists() or (fragment and there and fragment not in there.anchors):
                broken.append(f"{page.path.name}: {link}")
    return broken


def test_links_between_pages_resolve() -> None:
    """Every relative link and picture leads to a file that exists, and every fragment to a heading."""
    assert broken_links(pages()) == []


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    """The check sees missing files, missing headings, references and HTML pictures; code is no link."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "b.md").write_text("# I1: the *lead*\n\n[up](../a.md)\n")
    (tmp_path / "a.md").write_text(
        "[good](docs/b.md#i1-the-lead) [web](https://id.example/x) `[code](none.md)`\n"
        "[file](none.md) [heading](docs/b.md#none) ![picture](none.png)\n"
        '<img alt="p" src="none.svg">\n\n[ref]: docs/none.md\n\n```\n[fenced](none.md)\n```\n'
    )
    expected = {"none.md", "docs/b.md#none", "none.png", "docs/none.md", "none.svg"}
    assert {line.removeprefix("a.md: ") for line in broken_links(pages(tmp_path))} == expected

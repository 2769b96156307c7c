"""Markdown as the document tests read it: links, headings and fenced code."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

_FENCE = re.compile(r"^( *)(`{3,}|~{3,})([^\n`]*)\n(.*?)^\1\2[ ]*$", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_INLINE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\]\([^)]*\))*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
_REFERENCE = re.compile(r"^ {0,3}\[[^\]]+\]:\s*<?(\S+?)>?\s*$", re.MULTILINE)
_ATTRIBUTE = re.compile(r"<(?:img|a|source)\b[^>]*?\b(?:src|href|srcset)=\"([^\"]+)\"")
_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)
_ANCHOR = re.compile(r"<a\b[^>]*?\b(?:id|name)=\"([^\"]+)\"")


@dataclass(frozen=True)
class Page:
    """One Markdown file."""

    path: Path
    text: str

    @property
    def fences(self) -> list[tuple[str, str]]:
        """The fenced code as (language, code)."""
        return [(found[3].strip(), found[4]) for found in _FENCE.finditer(self.text)]

    @property
    def prose(self) -> str:
        """The text without fenced code and comments."""
        return _COMMENT.sub("", _FENCE.sub("", self.text))

    @property
    def inline_code(self) -> list[str]:
        """What stands between single backticks in the prose."""
        return _INLINE.findall(self.prose)

    @property
    def links(self) -> list[str]:
        """The targets of links and pictures in the prose."""
        prose = _INLINE.sub("code", self.prose)
        return [target for kind in (_LINK, _REFERENCE, _ATTRIBUTE) for target in kind.findall(prose)]

    @property
    def anchors(self) -> set[str]:
        """What a `#fragment` may name here: headings the way code forges spell them, and ids."""
        headings = (
            re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in _HEADING.findall(self.prose)
        )
        return {*headings, *_ANCHOR.findall(self.prose)}


def pages(root: Path = ROOT) -> list[Page]:
    """Return every page that a reader of the project is led to."""
    paths = [*root.glob("*.md"), *root.glob("docs/**/*.md"), *root.glob("deploy/**/*.md")]
    return [Page(path, path.read_text(encoding="utf-8")) for path in sorted(paths)]

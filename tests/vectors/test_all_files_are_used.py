"""No published vector is left out."""

from __future__ import annotations

from pathlib import Path

from .published import FOLDER


def test_every_file_is_read_by_some_test() -> None:
    """Each JSON file is named in a test module here, or lies in a folder that is read whole."""
    sources = "".join(file.read_text() for file in Path(__file__).parent.glob("test_*.py"))
    files = list(FOLDER.rglob("*.json"))
    assert len(files) >= 53
    unused = [
        file.name
        for file in files
        if file.stem not in sources
        and f'cookbook("{file.parent.name}")' not in sources
        and file.parent.name != "mldsa-jose"
    ]
    assert unused == []

"""What is committed works anywhere: no path of one machine, no address of one package index."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.docs.markdown import ROOT

# Written in pieces, so that this file does not trip over itself.
MACHINE_PATHS = re.compile(
    r"(?<![\w.~-])/(?:root|home/[a-z]\w*|Users/\w+|work|private/var)/" + r"|\.py" + r"env\b"
)
INDEX_HOSTS = re.compile(
    r"(?:py" + r"pi|pythonh" + r"osted|npm" + r"js|deb\.deb" + r"ian)\.(?:org|com|net)\b", re.IGNORECASE
)


def tracked_texts() -> dict[str, str]:
    """Return every text file that git tracks, by path."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    texts = {}
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        data = path.read_bytes() if path.is_file() else b"\0"
        if b"\0" not in data:
            texts[name] = data.decode()
    return texts


@pytest.mark.parametrize("forbidden", [MACHINE_PATHS, INDEX_HOSTS], ids=["machine paths", "index hosts"])
def test_nothing_is_bound_to_one_machine(forbidden: re.Pattern[str]) -> None:
    """No tracked file holds an absolute path of a machine or the host of a package index."""
    texts = tracked_texts()
    assert "pyproject.toml" in texts
    found = [f"{name}: {hit[0]}" for name, text in texts.items() for hit in forbidden.finditer(text)]
    assert found == []


@pytest.mark.parametrize(
    ("forbidden", "text"),
    [
        (MACHINE_PATHS, "cd /ro" + "ot/project"),
        (MACHINE_PATHS, "'/ho" + "me/ann/keys'"),
        (MACHINE_PATHS, "~/.py" + "env/versions"),
        (INDEX_HOSTS, "--index-url https://py" + "pi.org/simple"),
        (INDEX_HOSTS, "https://files.pythonh" + "osted.org/x"),
    ],
)
def test_a_bound_line_is_found(forbidden: re.Pattern[str], text: str) -> None:
    """The patterns see what they are for."""
    assert forbidden.search(text)


@pytest.mark.parametrize(
    "text", ["https://id.example/home/x/", "docs/work/x", "~/work/x", "/etc/keyvault-jwt/"]
)
def test_an_innocent_line_is_not_found(text: str) -> None:
    """Addresses, relative paths and system directories are no machine's own."""
    assert not MACHINE_PATHS.search(text)

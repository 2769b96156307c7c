"""The live picture is painted in one place, fits its terminal, and leaves it as it was."""

from __future__ import annotations

import os
import pty
import re
import sys

import click
import pytest

from keyvault_jwt.cli.demo.panorama import Panorama
from keyvault_jwt.cli.demo.screen import Lines, Picture, can_repaint
from tests.unit.cli.demo.conftest import Story

_CODES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


@pytest.fixture
def size(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of 60 columns and 24 rows."""
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("LINES", "24")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")


def frames(written: str) -> list[list[str]]:
    """Return the lines of each painting, without colours."""
    parts = re.split(r"(?:\x1b\[\d+A)?\r\x1b\[J", written)[1:]
    return [_CODES.sub("", part).splitlines() for part in parts]


@pytest.mark.usefixtures("size")
def test_each_painting_takes_the_place_of_the_last(story: Story, capsys: pytest.CaptureFixture[str]) -> None:
    """The cursor goes up by exactly the lines that were painted, and at the end nothing is left."""
    picture = Picture(Panorama())
    picture.hear(1_500, "the fleet assembles")
    story.run(12, picture.watch)
    picture.close()
    written = capsys.readouterr().err
    painted = frames(written)
    ups = [int(up) for up in re.findall(r"\x1b\[(\d+)A", written)]
    assert ups == [len(lines) for lines in painted[:-1]]
    assert painted[-1] == []
    assert all(len(line) < 60 for lines in painted for line in lines)
    assert all(len(lines) < 24 for lines in painted)
    assert "  1.5 s  the fleet assembles" in painted[-2]


@pytest.mark.usefixtures("size")
def test_a_low_terminal_gets_the_latest_lanes(
    story: Story, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With room for few, the keys that come next are the ones that are shown."""
    monkeypatch.setenv("LINES", "15")
    picture = Picture(Panorama())
    for number in range(9):
        picture.hear(number, "something")
    story.run(12)
    picture.watch(story.view())
    (lines,) = frames(capsys.readouterr().err)
    assert len(lines) < 15
    standby = story.view().keyring.standbys("ES256")[-1]
    assert any(line.startswith(standby.kid[:8]) for line in lines)


def test_lines_are_noted_one_by_one(story: Story) -> None:
    """Without a terminal there is a line for what happens, and none for every look."""
    noted: list[str] = []
    panorama = Panorama()
    lines = Lines(noted.append, panorama)
    lines.hear(61_200, "something")
    lines.watch(story.view())
    lines.close()
    assert noted == [" 61.2 s  something"]
    assert panorama.whole(story.view()).lanes


@pytest.mark.parametrize(
    ("columns", "rows", "term", "can"),
    [
        ("80", "24", "xterm", True),
        ("41", "24", "xterm", True),
        ("40", "24", "xterm", False),
        ("80", "8", "xterm", False),
        ("80", "24", "dumb", False),
    ],
)
def test_a_picture_needs_a_terminal_with_room(
    monkeypatch: pytest.MonkeyPatch, columns: str, rows: str, term: str, can: bool
) -> None:
    """A dumb, narrow or low terminal gets lines, as a pipe does."""
    for name, value in (("COLUMNS", columns), ("LINES", rows), ("TERM", term)):
        monkeypatch.setenv(name, value)
    leader, follower = pty.openpty()
    with os.fdopen(leader), os.fdopen(follower, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        assert can_repaint() is can
    with click.open_file(os.devnull, "w") as nowhere:
        monkeypatch.setattr(sys, "stderr", nowhere)
        assert not can_repaint()

"""What is written fits the stream it goes to."""

from __future__ import annotations

import io
import sys

import pytest

from keyvault_jwt.cli import terminal


class Screen(io.TextIOWrapper):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def stream(encoding: str) -> Screen:
    """Return a terminal of that encoding."""
    return Screen(io.BytesIO(), encoding=encoding)


def test_a_terminal_has_colours_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_COLOR and TERM=dumb switch colours off; an empty NO_COLOR does not (no-color.org)."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "")
    assert terminal.colourful(stream("utf-8"))
    monkeypatch.setenv("NO_COLOR", "1")
    assert not terminal.colourful(stream("utf-8"))
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert not terminal.colourful(stream("utf-8"))


def test_a_file_has_no_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is piped or redirected is plain text."""
    monkeypatch.setenv("TERM", "xterm")
    assert not terminal.colourful(io.StringIO())


@pytest.mark.parametrize(
    ("encoding", "able"), [("utf-8", True), ("UTF8", True), ("ascii", False), ("latin-1", False)]
)
def test_the_encoding_tells_whether_every_character_can_be_shown(encoding: str, able: bool) -> None:
    """Block characters go to UTF streams alone."""
    assert terminal.speaks_unicode(stream(encoding)) is able


def test_a_plain_stream_gets_plain_spellings(monkeypatch: pytest.MonkeyPatch) -> None:
    """On an ASCII stream an inequality stays an inequality, and nothing raises."""
    screen = stream("ascii")
    monkeypatch.setattr(sys, "stdout", screen)
    terminal.put("R ≥ lead + ε … ☃")
    screen.flush()
    assert screen.buffer.getvalue() == b"R >= lead + eps ... ?\n"  # type: ignore[attr-defined]


def test_the_width_is_eighty_without_a_terminal_and_never_too_narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """COLUMNS counts, a pipe has 80 columns, and below 40 nothing can be drawn."""
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr(sys, "__stdout__", io.StringIO())
    assert terminal.width() == 80
    monkeypatch.setenv("COLUMNS", "120")
    assert terminal.width() == 120
    monkeypatch.setenv("COLUMNS", "10")
    assert terminal.width() == terminal.NARROWEST

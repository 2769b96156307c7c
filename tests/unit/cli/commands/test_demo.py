"""`demo`: what is refused before a process is started."""

from __future__ import annotations

from pathlib import Path

from tests.unit.cli.conftest import Cli


def test_a_page_that_can_t_be_written_is_refused_at_once(cli: Cli, tmp_path: Path) -> None:
    """Not after the play; the error says what to do."""
    told = cli.error("demo", "--html", str(tmp_path / "missing" / "demo.html"), status=1)
    assert told["code"] == "file_unwritable"
    assert told["why"] == "its directory is missing, or closed to this user"
    assert "directory" in told["fix"]


def test_a_store_that_others_can_t_see_is_refused(cli: Cli) -> None:
    """`memory:` is wrong usage."""
    told = cli.error("demo", "--store", "memory:", status=2)
    assert told["code"] == "usage"


def test_the_help_says_what_is_shown_and_that_the_environment_s_store_is_left_alone(cli: Cli) -> None:
    """Nobody's production store gets a keyring for a look at a picture."""
    told = " ".join(cli.run("demo", "--help").stdout.split())
    assert "Only --store names the store, not the environment" in told
    assert "--html FILE" in told

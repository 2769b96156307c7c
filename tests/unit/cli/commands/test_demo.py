"""`demo`: what is refused before a process is started."""

from __future__ import annotations

from pathlib import Path

from tests.unit.cli.conftest import Cli


def test_a_page_that_can_t_be_written_is_refused_at_once(cli: Cli, tmp_path: Path) -> None:
    """Not after the play, and as wrong usage: no promise was broken. The error says what to do."""
    (tmp_path / "nowhere.html").symlink_to(tmp_path / "missing" / "demo.html")
    for page, why in (
        ("missing/demo.html", "No such file or directory"),
        ("x" * 300, "File name too long"),
        ("nowhere.html", "it is there, and closed to this user"),
    ):
        told = cli.error("demo", "--html", str(tmp_path / page), status=2)
        assert (told["code"], told["why"]) == ("demo_page_unwritable", why)
        assert "directory" in told["fix"]


def test_a_page_that_can_be_written_is_left_alone_until_the_end(cli: Cli, tmp_path: Path) -> None:
    """Where the play does not begin there is no new file, and an older one stays as it was."""
    old, new = tmp_path / "old.html", tmp_path / "new.html"
    old.write_text("the picture of yesterday")
    for page in (old, new):
        told = cli.error("demo", "--store", "memory:", "--html", str(page), status=2)
        assert told["code"] == "usage"
    assert old.read_text() == "the picture of yesterday"
    assert not new.exists()


def test_a_store_that_others_can_t_see_is_refused(cli: Cli) -> None:
    """`memory:` is wrong usage."""
    told = cli.error("demo", "--store", "memory:", status=2)
    assert told["code"] == "usage"


def test_the_help_says_what_is_shown_and_that_the_environment_s_store_is_left_alone(cli: Cli) -> None:
    """Nobody's production store gets a keyring for a look at a picture."""
    told = " ".join(cli.run("demo", "--help").stdout.split())
    assert "Only --store names a store, the environment does not" in told
    assert "KEYVAULT_JWT_STORE" not in told
    assert "[default: a temporary one, deleted at the end]" in told
    assert "--html FILE" in told

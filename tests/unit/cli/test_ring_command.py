"""Words find their place: options before or after the name, kids with a dash in front."""

from __future__ import annotations

import json
from typing import Any

import click
import pytest
from click.testing import CliRunner

from keyvault_jwt.cli.command_line import CommandLine
from keyvault_jwt.cli.ring_command import KidCommand
from keyvault_jwt.cli.session import Session, pass_session


@click.command("drop", cls=KidCommand)
@click.argument("ring")
@click.argument("kid")
@click.option("--reason")
@click.option("--now", is_flag=True)
@pass_session
def drop(session: Session, ring: str, kid: str, **options: Any) -> None:
    """Show what was understood."""
    click.echo(json.dumps([ring, kid, options["reason"], options["now"], session.store_url, session.as_json]))


class OneCommand(CommandLine):
    """A command line with that command alone."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return drop if cmd_name == "drop" else None


LINE = OneCommand(name="line", package="", listings=())


@pytest.mark.parametrize(
    ("words", "understood"),
    [
        ("drop r -kid12345", ["r", "-kid12345", None, False, None, False]),
        ("drop r --kid-12345", ["r", "--kid-12345", None, False, None, False]),
        ("drop r -hid12345", ["r", "-hid12345", None, False, None, False]),
        ("drop r -- -kid12345", ["r", "-kid12345", None, False, None, False]),
        ("drop --reason -x- r -kid12345 --now", ["r", "-kid12345", "-x-", True, None, False]),
        ("drop --reason=-x- r -kid12345", ["r", "-kid12345", "-x-", False, None, False]),
        ("drop r -kid12345 --store memory: --json", ["r", "-kid12345", None, False, "memory:", True]),
        ("--store memory: --json drop r k", ["r", "k", None, False, "memory:", True]),
        ("--store memory: drop r k --store file:x", ["r", "k", None, False, "file:x", False]),
        ("drop r --reason --now k", ["r", "k", "--now", False, None, False]),
    ],
)
def test_words_are_understood(words: str, understood: list[Any]) -> None:
    """An argument that is missing takes a word with a dash that is no option; option values stay values."""
    result = CliRunner().invoke(LINE, words.split())
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout) == understood


@pytest.mark.parametrize("words", ["drop r k --resaon x", "drop r k -x", "drop r --resaon x --now k l"])
def test_a_misspelt_option_is_not_taken_for_a_kid(words: str) -> None:
    """Where no argument is missing, an unknown option is named as one."""
    result = CliRunner().invoke(LINE, words.split())
    assert result.exit_code == 2
    assert "No such option" in result.stderr


def test_a_missing_kid_is_missing() -> None:
    """The place of the kid is not filled by nothing."""
    result = CliRunner().invoke(LINE, ["drop", "r"])
    assert result.exit_code == 2
    assert "Missing argument" in result.stderr

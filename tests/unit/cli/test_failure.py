"""Failures become a message with what, why and what to do, and a status."""

from __future__ import annotations

import inspect
import json

import click
import pytest

from keyvault_jwt import errors
from keyvault_jwt.cli import failure, main
from tests.unit.cli.conftest import Cli

EVERY = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, errors.KeyvaultJWTError)
]


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.code)
def test_each_error_of_ours_is_told_whole(
    kind: type[errors.KeyvaultJWTError], capsys: pytest.CaptureFixture[str]
) -> None:
    """What, why, fix and code stand on stderr, stdout stays empty, and the status is the class's."""
    status = failure.tell(kind("it broke", why="too old", fix="mend it"), as_json=False)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.splitlines() == [
        "error: it broke",
        "  why: too old",
        "  do: mend it",
        f"  code: {kind.code}",
    ]
    assert status == kind.exit_status


def test_an_error_as_json_is_one_object_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """With --json the same four facts come as {"error": …}."""
    status = failure.tell(errors.NoReadyKey("too early", fix="wait"), as_json=True)
    told = json.loads(capsys.readouterr().err)
    assert told == {"error": {"code": "no_ready_key", "what": "too early", "why": "", "fix": "wait"}}
    assert status == 3


def test_what_nobody_expected_is_short_and_shows_no_value(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unexpected exception gives its type alone: no traceback, and never its message."""
    monkeypatch.delenv("KEYVAULT_JWT_DEBUG", raising=False)
    assert failure.tell(_raised("canary"), as_json=False) == 1
    shown = capsys.readouterr().err
    assert "unexpected LookupError" in shown
    assert "code: internal" in shown
    assert "Traceback" not in shown
    assert "test_failure.py" not in shown
    assert "canary" not in shown


def test_debugging_shows_where_and_still_no_value(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """KEYVAULT_JWT_DEBUG adds files and lines, but neither locals nor the message."""
    monkeypatch.setenv("KEYVAULT_JWT_DEBUG", "1")
    failure.tell(_raised("canary"), as_json=False)
    shown = capsys.readouterr().err
    assert "test_failure.py" in shown
    assert "canary" not in shown


def _raised(secret: str) -> Exception:
    """Return an exception that was raised with a secret in its message and among its locals."""
    local = secret + " as a local"
    try:
        raise LookupError(local)
    except LookupError as error:
        return error


def test_wrong_usage_is_an_error_like_any_other(cli: Cli) -> None:
    """A missing option, an unknown one and an unknown command exit 2 and say where help is."""
    assert "--issuer" in cli.error("create", "payments", status=2)["what"]
    told = cli.error("list", "--no-such-option", status=2)
    assert told["code"] == "usage"
    assert told["fix"] == "see `keyvault-jwt list --help`"
    assert "rotate" in cli.error("rotat", "payments", status=2)["what"]


def test_an_unknown_option_in_front_is_wrong_usage_too(cli: Cli) -> None:
    """It is named as what it is, not taken for a command."""
    assert "--stoer" in cli.error("--stoer", "file:x", "list", status=2)["what"]


def test_no_words_at_all_get_the_help_on_stderr(cli: Cli) -> None:
    """Help that nobody asked for is a message, and a use without a command is wrong usage."""
    result = cli.run(status=2)
    assert result.stdout == ""
    assert "Keyrings:" in result.stderr


def test_an_interruption_has_the_status_that_shells_give_it() -> None:
    """Ctrl-C ends quietly with 128 + SIGINT."""
    assert failure.tell(click.Abort(), as_json=False) == 130


def test_nothing_but_an_exit_leaves_the_command_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A fault inside a command ends the run with status 1 and code internal."""
    monkeypatch.setattr(type(main), "get_command", lambda *_: 1 / 0)
    with pytest.raises(SystemExit) as ended:
        main(["list"])
    assert ended.value.code == 1
    assert "ZeroDivisionError" in capsys.readouterr().err

"""How a run fails: a message that says what, why and what to do, and an exit status."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping

import click
from click.exceptions import NoArgsIsHelpError

from ..errors import KeyvaultJWTError, UsageError
from . import terminal

INTERRUPTED = 130
"""128 + SIGINT, as shells report it."""


def tell(error: Exception, *, as_json: bool) -> int:
    """Write the failure to stderr and return the exit status; raises nothing.

    With `as_json` that is `{"error": {"code", "what", "why", "fix"}}` on one line.
    """
    if isinstance(error, click.Abort):
        return INTERRUPTED
    if isinstance(error, NoArgsIsHelpError):
        terminal.tell(error.format_message())
        return error.exit_code
    told, status = _document(error)
    if as_json:
        terminal.tell(json.dumps({"error": told}))
    else:
        terminal.tell("\n".join(_lines(told)))
    if told["code"] == "internal" and os.environ.get("KEYVAULT_JWT_DEBUG"):
        terminal.tell(_trace(error))
    return status


def asked_for_json(words: Iterable[str]) -> bool:
    """Whether `--json` is among the words: they may be what can't be parsed."""
    return "--json" in words


def document(error: KeyvaultJWTError) -> dict[str, str]:
    """Return an error of ours as it appears in JSON output."""
    return error.as_dict()


def unknown_command(error: click.UsageError, name: str, known: Iterable[str]) -> click.UsageError:
    """Return the error for a command that is not there, naming the ones it may have been."""
    if name.startswith("-"):
        return error
    import difflib

    near = difflib.get_close_matches(name, list(known), n=2)
    likeness = f" Did you mean {' or '.join(near)}?" if near else ""
    return click.UsageError(f"There is no command {name!r}.{likeness}", ctx=error.ctx)


def _document(error: Exception) -> tuple[dict[str, str], int]:
    if isinstance(error, KeyvaultJWTError):
        return document(error), error.exit_status
    if isinstance(error, click.ClickException):
        path = getattr(getattr(error, "ctx", None), "command_path", "keyvault-jwt")
        usage = UsageError(error.format_message().rstrip("."), fix=f"see `{path} --help`")
        return usage.as_dict(), usage.exit_status
    what = f"an unexpected {type(error).__name__}"
    fix = "set KEYVAULT_JWT_DEBUG=1 to see where, and report it"
    return {"code": "internal", "what": what, "why": "this is a fault of keyvault-jwt", "fix": fix}, 1


def _lines(told: Mapping[str, str]) -> Iterable[str]:
    bold = terminal.colourful(sys.stderr)
    head = click.style("error", fg="red", bold=True) if bold else "error"
    yield f"{head}: {told['what']}"
    if told["why"]:
        yield f"  why: {told['why']}"
    if told["fix"]:
        yield f"  do: {told['fix']}"
    yield f"  code: {told['code']}"


def _trace(error: Exception) -> str:
    """Return where the error came from: files, lines and types, but no values and no message."""
    import traceback

    return "".join([*traceback.format_tb(error.__traceback__), type(error).__name__])

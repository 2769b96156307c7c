"""`doctor`: whether everything that a rotation rests on is as it should be."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click

from ...clock import SystemClock
from ...errors import KeyvaultJWTError
from ...settings import Settings
from .. import terminal
from ..finding import Finding, Level, fail, warn
from ..machine_check import check_machine
from ..ring_command import RingCommand
from ..session import Session, pass_session
from ..store_check import check_store

_COLOURS = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "red"}


@click.command("doctor", cls=RingCommand)
@pass_session
def command(session: Session) -> None:
    """Check clocks, store, keys, documents and policies.

    Nothing is written.  The exit status is 1 if a check fails; a warning does not fail.

    JSON: {ok, findings: [{level, check, seen, fix}]}; level is ok, warn or fail.
    """
    with session.during("looking"):
        findings = [*check_machine(SystemClock(), Settings().state_directory), *_store(session)]
    failed = any(finding.level is Level.FAIL for finding in findings)
    document = {
        "ok": not failed,
        "findings": [
            {"level": one.level.value, "check": one.check, "seen": one.seen, "fix": one.fix}
            for one in findings
        ],
    }
    session.show(document, _lines(findings))
    if failed:
        click.get_current_context().exit(1)


def _store(session: Session) -> Iterator[Finding]:
    if session.store_url is None and Settings().store is None:
        yield warn("store", "none is named", "set KEYVAULT_JWT_STORE, or give --store URL")
        return
    try:
        with session.manager() as manager:
            yield from check_store(manager, SystemClock().wall())
    except KeyvaultJWTError as error:
        yield fail("store", f"{error.code}: {error.what}", error.fix)


def _lines(findings: list[Finding]) -> Iterator[str]:
    coloured = terminal.colourful(sys.stdout)
    for finding in findings:
        level = f"{finding.level.value:<4}"
        if coloured:
            level = click.style(level, fg=_COLOURS[finding.level])
        yield f"{level}  {finding.check}: {finding.seen}"
        if finding.fix:
            yield f"      do: {finding.fix}"

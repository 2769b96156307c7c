"""`reconcile [RING|--all]`: what the scheduler does, once and by hand."""

from __future__ import annotations

import click

from ...errors import KeyvaultJWTError
from ..outcome import outcome_document, outcome_lines, show_outcome, tell_alarms
from ..ring_command import RingCommand
from ..session import Session, now, pass_session


@click.command("reconcile", cls=RingCommand)
@click.argument("ring", required=False)
@click.option("--all", "every", is_flag=True, help="Every keyring of the store.")
@pass_session
def command(session: Session, ring: str | None, every: bool) -> None:
    """Do what is due now, and repair what differs.

    Repeating it does nothing twice, and any number may run side by side.  With --all, one bad
    keyring does not stop the others; the exit status is then the first failure's.

    JSON: the outcome as of `create`; with --all {keyrings: [outcome or {ring, error}]}.
    """
    if every is (ring is not None):
        raise click.UsageError("Name one RING, or give --all.")
    if ring is None:
        _reconcile_all(session)
        return
    with session.manager() as manager, session.during(f"reconciling {ring}"):
        report = manager.reconcile(ring)
    show_outcome(session, report)


def _reconcile_all(session: Session) -> None:
    documents, lines, failures = [], [], []
    with session.manager() as manager:
        for name in manager.names():
            try:
                with session.during(f"reconciling {name}"):
                    report = manager.reconcile(name)
            except KeyvaultJWTError as error:
                failures.append(error)
                documents.append({"ring": name, "error": error.as_dict()})
                lines.append(f"{name}: {error.code}: {error}")
                continue
            tell_alarms(session, report)
            documents.append(outcome_document(report))
            lines += outcome_lines(report, now())
    session.show({"keyrings": documents}, lines)
    if failures:
        raise failures[0]

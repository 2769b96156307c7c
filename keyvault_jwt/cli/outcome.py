"""What a pass did, as JSON and as lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..clock import Instant, iso
from .ages import dated, iso_or_none
from .session import Session, now

if TYPE_CHECKING:
    from ..report import Report

SHORT = 12
"""How much of a kid is shown where space is short: any unique prefix of 8 names a key."""


def outcome_document(report: Report) -> dict[str, Any]:
    """Return `{ring, epoch, revision, changed, active, entries, alarms, next_due, rotation_due}`.

    Entries are the ledger's: `{seq, at, action, kid, detail}`.  Instants are ISO 8601.
    """
    keyring, plan = report.keyring, report.plan
    return {
        "ring": keyring.ring,
        "epoch": keyring.epoch,
        "revision": keyring.revision,
        "changed": report.changed,
        "active": None if keyring.active is None else keyring.active.kid,
        "entries": [
            {"seq": e.seq, "at": iso(e.at), "action": e.action, "kid": e.kid, "detail": e.detail}
            for e in report.entries
        ],
        "alarms": list(report.alarms),
        "next_due": iso_or_none(plan.next_due),
        "rotation_due": iso_or_none(plan.rotation_due),
    }


def outcome_lines(report: Report, at: Instant) -> Iterator[str]:
    """Yield what was done, what signs now, and what comes next."""
    keyring, plan = report.keyring, report.plan
    yield f"{keyring.ring}: revision {keyring.revision}" + ("" if report.changed else ", nothing to do")
    for entry in report.entries:
        yield "  " + "  ".join(filter(None, (entry.action, entry.kid, entry.detail)))
    if keyring.active is not None:
        yield f"signing with {keyring.active.kid} ({keyring.active.algorithm})"
    elif keyring.frozen_to is None:
        yield "no key is signing"
    if plan.rotation_due is not None:
        yield f"rotation due {dated(at, plan.rotation_due)}"
    if plan.next_due is not None and plan.next_due != plan.rotation_due:
        yield f"next step due {dated(at, plan.next_due)}"


def tell_alarms(session: Session, report: Report) -> None:
    """Say on stderr what a person should look into."""
    for alarm in report.alarms:
        session.note(f"alarm: {report.keyring.ring}: {alarm}")


def show_outcome(session: Session, report: Report, **more: Any) -> None:
    """Show a report, with further members in its JSON form; alarms go to stderr too."""
    tell_alarms(session, report)
    session.show(outcome_document(report) | more, outcome_lines(report, now()))

"""`plan RING`: what is due, and every rule that gates it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from ...check import Check, Unit
from ...clock import iso
from ...duration import format_duration
from ..ages import about, dated, iso_or_none
from ..outcome import SHORT
from ..ring_command import RingCommand
from ..session import Session, pass_session

if TYPE_CHECKING:
    from ...plan import Plan


@click.command("plan", cls=RingCommand)
@click.argument("ring")
@pass_session
def command(session: Session, ring: str) -> None:
    """Show what is due, and every rule that gates it.

    Each rule is an inequality: its left side, its right side, its slack, and from when it
    holds.  Nothing is written.  The exit status is 0 while something waits, and 3 when a rule
    is broken that no waiting mends.

    JSON: {ring, revision, at, steps: [{action, kid, algorithm, reason}], checks: [{invariant, name,
    kid, formula, left, right, slack, holds, earliest}], next_due, rotation_due, broken}.
    """
    with session.manager() as manager, session.during(f"planning {ring}"):
        plan = manager.plan(ring)
    session.show(_document(plan), _lines(plan))
    for check in plan.broken:
        check.require()


def _document(plan: Plan) -> dict[str, Any]:
    return {
        "ring": plan.ring,
        "revision": plan.revision,
        "at": iso(plan.at),
        "steps": [
            {"action": step.action.value, "kid": step.kid, "algorithm": step.algorithm, "reason": step.reason}
            for step in plan.steps
        ],
        "checks": [_check_document(check) for check in plan.checks],
        "next_due": iso_or_none(plan.next_due),
        "rotation_due": iso_or_none(plan.rotation_due),
        "broken": [check.invariant.value for check in plan.broken],
    }


def _check_document(check: Check) -> dict[str, Any]:
    counted = check.unit is Unit.COUNT
    slack = check.slack
    return {
        "invariant": check.invariant.value,
        "name": check.name,
        "kid": check.kid,
        "formula": check.formula,
        "left": check.left if counted else check.show(check.left),
        "right": check.right if counted or check.right is None else check.show(check.right),
        "slack": slack if counted or slack is None else format_duration(slack),
        "holds": check.holds,
        "earliest": iso_or_none(check.earliest),
    }


def _lines(plan: Plan) -> Iterator[str]:
    yield f"{plan.ring}, revision {plan.revision}, at {iso(plan.at)}"
    yield "steps due now"
    for step in plan.steps:
        yield "  " + "  ".join(filter(None, (step.action.value, step.kid or step.algorithm, step.reason)))
    if not plan.steps:
        yield "  none"
    yield "rules"
    for check in plan.checks:
        yield from _check_lines(check, plan)
    if plan.rotation_due is not None:
        yield f"rotation due {dated(plan.at, plan.rotation_due)}"
    if plan.next_due is not None:
        yield (
            f"next step due {dated(plan.at, plan.next_due)}"
            if plan.next_due > plan.at
            else "next step due now"
        )


def _check_lines(check: Check, plan: Plan) -> Iterator[str]:
    verdict = "ok" if check.holds else "broken" if check in plan.broken else "wait"
    slack = "" if check.slack is None else f"slack {_slack(check, check.slack)}"
    later = check.earliest is not None and check.earliest > plan.at
    safe = f"safe from {iso(check.earliest)}" if check.earliest is not None and later else ""
    head = f"  {verdict:<6}  {check.invariant:<3}  {check.name:<14}  {check.kid[:SHORT]:<{SHORT}}"
    yield f"{head}  {', '.join(filter(None, (slack, safe)))}".rstrip()
    sign = "≥" if check.holds else "<"
    right = "" if check.right is None else f" {sign} {check.show(check.right)}"
    yield f"          {check.formula}"
    yield f"          {check.show(check.left)}{right or ': ' + check.ABSENT}"


def _slack(check: Check, slack: int) -> str:
    if check.unit is Unit.COUNT:
        return str(slack)
    return ("-" if slack < 0 else "") + about(slack, units=2)

"""One keyring on the page: whether it is served, its keys by state and age, and its plan."""

from __future__ import annotations

from ...check import Check
from ...clock import Instant
from ...document import PublicDocument
from ...keys import KeyRecord, KeyState
from ...plan import Plan
from ...publisher import PublisherStatus
from ..public_pages import JWKS_PATH
from .lanes import lanes
from .wording import NONE, kid, length, moment, text


def keyring_section(status: PublisherStatus, plan: Plan | None, now: Instant) -> str:
    """Return the section of one keyring."""
    head = f"<header><h2>{text(status.ring)}</h2>{_badge(status)}"
    if status.published is None:
        return f'<section>{head}</header><p class="dim">not read yet</p></section>'
    public = status.published.document
    where = f'<a href="/{text(status.ring)}{JWKS_PATH}">JWK Set</a>'
    head += (
        f"<span>{text(public.issuer)}</span>"
        f'<span class="dim">{text(public.policy.algorithm)}, revision {public.revision}, '
        f"read {length(status.age)} ago</span>{where}</header>"
    )
    return f"<section>{head}{lanes(public, now)}{_keys(public, now)}{_plan(plan, public, now)}</section>"


def _badge(status: PublisherStatus) -> str:
    if status.serving:
        late = f" ({text(status.failure)})" if status.failure else ""
        return f'<span class="badge ok">serving{late}</span>'
    return f'<span class="badge bad">not serving: {text(status.failure or "starting")}</span>'


def _keys(public: PublicDocument, now: Instant) -> str:
    live = [r for r in public.records if r.state is not KeyState.DESTROYED]
    order = [KeyState.ACTIVE, KeyState.PRE_ACTIVATION, KeyState.DEACTIVATED, KeyState.COMPROMISED]
    rows = "".join(_key(record, now) for record in sorted(live, key=lambda r: order.index(r.state)))
    heads = "".join(f"<th>{name}</th>" for name in ("kid", "state", "algorithm", "age", "in this state"))
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"


def _key(record: KeyRecord, now: Instant) -> str:
    since = {
        KeyState.PRE_ACTIVATION: record.published,
        KeyState.ACTIVE: record.activated,
        KeyState.DEACTIVATED: record.deactivated,
        KeyState.COMPROMISED: record.compromised,
    }[record.state]
    state = record.state.plain
    dot = f'<svg class="dot" viewBox="0 0 10 10"><circle class="{state}" cx="5" cy="5" r="5"/></svg>'
    return (
        f"<tr><td>{kid(record.kid)}</td><td>{dot}{state}</td>"
        f"<td>{text(record.algorithm)}</td>"
        f"<td>{length(now - record.created)}</td>"
        f"<td>{length(now - since) if since is not None else NONE}</td></tr>"
    )


def _plan(plan: Plan | None, public: PublicDocument, now: Instant) -> str:
    active = next((r for r in public.records if r.state is KeyState.ACTIVE), None)
    if active is None or active.activated is None:
        rotation = '<span class="bad">no key is signing</span>'
    else:
        due = active.activated + public.policy.timing(0).rotate_every
        rotation = f"rotation due {moment(due, now)}"
    if plan is None:
        return f"<p>{rotation}</p>"
    steps = "".join(
        f"<li>{text(step.action)} {kid(step.kid) if step.kid else text(step.algorithm)}</li>"
        for step in plan.steps
    )
    listed = f"<ul>{steps}</ul>" if steps else ""
    rows = "".join(_check(check, now) for check in plan.checks)
    heads = "".join(f"<th>{name}</th>" for name in ("rule", "key", "holds", "inequality", "left", "right"))
    table = f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    broken, holding = len(plan.broken), sum(check.holds for check in plan.checks)
    waiting = len(plan.checks) - holding - broken
    summary = f"<summary>{holding} inequalities hold, {waiting} wait, {broken} are broken</summary>"
    words = f"<p>{rotation}; next step {moment(plan.next_due, now)}</p>"
    return f"<h3>Plan</h3>{words}{listed}<details>{summary}{table}</details>"


def _check(check: Check, now: Instant) -> str:
    holds = "yes" if check.holds else moment(check.earliest, now) if check.earliest is not None else "no"
    kind = ' class="bad"' if not check.holds and check.earliest is None else ""
    name = kid(check.kid) if check.kid else NONE
    return (
        f"<tr><td>{text(check.invariant)} {text(check.name)}</td><td>{name}</td><td{kind}>{holds}</td>"
        f'<td class="wide">{text(check.formula)}</td>'
        f"<td>{text(check.show(check.left))}</td><td>{text(check.show(check.right))}</td></tr>"
    )

"""`revoke RING KID`: a key is withdrawn at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ...errors import NoReadyKey
from ..ages import dated, iso_or_none
from ..cost import leads, tell_cost
from ..outcome import outcome_document, outcome_lines, tell_alarms
from ..ring_command import KidCommand
from ..session import Session, now, pass_session
from ..snapshot import snapshot

if TYPE_CHECKING:
    from ...key_manager import KeyManager
    from ...report import Report


@click.command("revoke", cls=KidCommand)
@click.argument("ring")
@click.argument("kid")
@click.option("--reason", required=True, help="Why, for the keyring's history.")
@click.option("--accept-refusals", is_flag=True, help="Sign on with a standby that verifiers may not know.")
@pass_session
def command(session: Session, ring: str, kid: str, reason: str, accept_refusals: bool) -> None:
    """Withdraw a key at once, and say until when it may live on.

    KID may be a unique prefix of 8 characters.  If the key was signing, a ready standby takes
    over; if none is ready, nothing signs, and the exit status is 3.  Until the removal was
    read back the command fails: repeat it.

    \b
    keyvault-jwt revoke payments VyT3abcd --reason "leaked in CI log"

    JSON: the outcome as of `create`, and revocation: {kid, removed, bound, usual_bound}.
    """
    with session.manager() as manager, session.during(f"revoking {kid}"):
        keyring, plan, _ = snapshot(manager, ring)
        whole = keyring.resolve(kid).kid
        if accept_refusals:
            tell_cost(session, keyring, plan)
        report = manager.revoke(ring, whole, reason=reason, accept_refusals=accept_refusals)
        _show(session, manager, report, whole)
    if not report.has_active_key:
        raise _nothing_signs(report)


def _show(session: Session, manager: KeyManager, report: Report, kid: str) -> None:
    at = now()
    removed = report.keyring.record(kid).revoked
    bound, usual = manager.revocation_bound(report, kid), manager.usual_bound(report, kid)
    document = {
        "kid": kid,
        "removed": iso_or_none(removed),
        "bound": iso_or_none(bound),
        "usual_bound": iso_or_none(usual),
    }
    lines = [*outcome_lines(report, at), f"revoked {kid}"]
    if bound is not None and usual is not None:
        lines.append(f"no verifier accepts it after {dated(at, bound)}")
        lines.append(f"if every publisher and verifier reaches its source, after {dated(at, usual)}")
    tell_alarms(session, report)
    session.show(outcome_document(report) | {"revocation": document}, lines)


def _nothing_signs(report: Report) -> NoReadyKey:
    keyring = report.keyring
    first = next((c for c in leads(keyring, report.plan) if c.earliest is not None), None)
    if first is None or first.earliest is None:
        fix = f"run `keyvault-jwt reconcile {keyring.ring}` to publish new keys"
    else:
        fix = (
            f"{first.kid} is ready at {dated(report.plan.at, first.earliest)}, and the scheduler then lets it"
            " sign; or repeat this with --accept-refusals"
        )
    return NoReadyKey(
        f"no key is left to sign in keyring {keyring.ring}",
        why="no standby was published for the lead time yet (I1)",
        fix=fix,
    )

"""`policy RING`: the parameters of a keyring, and what a change of them does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from ...duration import format_duration
from ...policy import RotationPolicy
from ...store import staleness_of
from ..ages import dated, iso_or_none
from ..outcome import outcome_document, tell_alarms
from ..policy_options import given, policy_options
from ..ring_command import RingCommand
from ..session import Session, now, pass_session
from ..table import table

if TYPE_CHECKING:
    from ...keyring import Keyring


@click.command("policy", cls=RingCommand)
@click.argument("ring")
@policy_options(without=frozenset({"algorithm"}))
@pass_session
def command(session: Session, /, ring: str, **options: Any) -> None:
    """Show a keyring's policy, or change parts of it.

    Only what is given changes.  A longer time counts at once; a shorter one once every
    verifier has let go of the old (I8).  The algorithm is changed by `migrate`.

    \b
    keyvault-jwt policy payments
    keyvault-jwt policy payments --rotate-every 7d

    JSON: {ring, policy, lengths, superseded}; after a change the outcome as of `create` too, and
    changes: {name: [old, new]}.  lengths: {lead, retire, revocation}.
    """
    changes = given(options)
    with session.manager() as manager, session.during(f"looking after the policy of {ring}"):
        before = manager.keyring(ring)
        staleness = staleness_of(manager.store)
        if not changes:
            session.show({"ring": ring} | _document(before, staleness), _lines(before, staleness))
            return
        wanted = RotationPolicy(**{**before.policy.model_dump(), **changes})
        report = manager.change_policy(ring, wanted)
    tell_alarms(session, report)
    diff = _differences(before.policy, wanted)
    document = outcome_document(report) | _document(report.keyring, staleness) | {"changes": diff}
    session.show(document, _change_lines(before, report.keyring, staleness))


def _document(keyring: Keyring, staleness: int) -> dict[str, Any]:
    return {
        "policy": keyring.policy.model_dump(mode="json"),
        "lengths": {name: format_duration(value) for name, value in _lengths(keyring.policy, staleness)},
        "superseded": [
            {"until": iso_or_none(until), "policy": policy.model_dump(mode="json")}
            for policy, until in _in_force(keyring, staleness)
        ],
    }


def _lines(keyring: Keyring, staleness: int) -> Iterator[str]:
    shown = keyring.policy.model_dump(mode="json")
    yield from table(("parameter", "value"), [(name, str(value)) for name, value in shown.items()])
    yield ""
    for name, length in _lengths(keyring.policy, staleness):
        yield f"{name}: {format_duration(length)}"
    yield from _superseded_lines(keyring, staleness)


def _change_lines(before: Keyring, after: Keyring, staleness: int) -> Iterator[str]:
    rows = [(name, *pair) for name, pair in _differences(before.policy, after.policy).items()]
    old, new = dict(_lengths(before.policy, staleness)), dict(_lengths(after.policy, staleness))
    rows += [
        (name, format_duration(old[name]), format_duration(new[name]))
        for name in old
        if old[name] != new[name]
    ]
    if not rows:
        yield f"{after.ring}: nothing to change"
        return
    yield f"{after.ring}: revision {after.revision}"
    yield from table(("", "was", "is"), rows)
    yield from _superseded_lines(after, staleness)


def _superseded_lines(keyring: Keyring, staleness: int) -> Iterator[str]:
    for policy, until in _in_force(keyring, staleness):
        end = dated(now(), until) if until is not None else "the published set was read back with the new one"
        length = format_duration(policy.timing(staleness).exposure)
        yield f"an older policy's lead of {length} counts too, until {end} (I8)"


def _in_force(keyring: Keyring, staleness: int) -> Iterator[tuple[RotationPolicy, int | None]]:
    """Yield the older policies that verifiers may still obey, and until when."""
    for old in keyring.superseded:
        exposure = old.policy.timing(staleness).exposure
        yield old.policy, None if old.changed is None else old.changed + exposure


def _lengths(policy: RotationPolicy, staleness: int) -> tuple[tuple[str, int], ...]:
    """Return what follows from a policy: the waits of I1, I2 and I4, in milliseconds."""
    timing = policy.timing(staleness)
    retire = timing.retirement(token_ttl_max=timing.token_ttl, lease_max=timing.signer_lease)
    return ("lead", timing.exposure), ("retire", retire), ("revocation", timing.exposure)


def _differences(old: RotationPolicy, new: RotationPolicy) -> dict[str, tuple[str, str]]:
    was, becomes = old.model_dump(mode="json"), new.model_dump(mode="json")
    return {name: (str(was[name]), str(becomes[name])) for name in was if was[name] != becomes[name]}

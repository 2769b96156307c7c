"""`list`: the keyrings of a store."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from ...clock import Milliseconds
from ...errors import KeyvaultJWTError
from ...keys import KeyState
from ..ages import about, iso_or_none, seen_from
from ..outcome import SHORT
from ..ring_command import RingCommand
from ..session import Session, pass_session
from ..snapshot import snapshot
from ..table import table

if TYPE_CHECKING:
    from ...keyring import Keyring
    from ...plan import Plan

_HEADS = ("ring", "signs with", "key", "age", "keys", "next due")


@click.command("list", cls=RingCommand)
@pass_session
def command(session: Session) -> None:
    """List the keyrings of a store.

    A keyring that can't be read shows its error's code, and does not hide the others.

    JSON: {keyrings: [{ring, issuer, algorithm, active, active_since, states, frozen_to, next_due,
    rotation_due} or {ring, error}]}; states counts keys by state.
    """
    documents: list[dict[str, Any]] = []
    rows: list[tuple[str, ...]] = []
    with session.manager() as manager, session.during("reading the store"):
        for ring in manager.names():
            try:
                document, row = _summary(*snapshot(manager, ring))
            except KeyvaultJWTError as error:
                document, row = {"ring": ring, "error": error.as_dict()}, (ring, error.code, "", "", "", "")
            documents.append(document)
            rows.append(row)
    if not rows:
        session.note("no keyrings here; `create` makes one")
    session.show({"keyrings": documents}, table(_HEADS, rows) if rows else ())


def _summary(
    keyring: Keyring, plan: Plan, _staleness: Milliseconds
) -> tuple[dict[str, Any], tuple[str, ...]]:
    active, at = keyring.active, plan.at
    states = Counter(record.state for record in keyring.records)
    document = {
        "ring": keyring.ring,
        "issuer": keyring.issuer,
        "algorithm": keyring.algorithm,
        "active": None if active is None else active.kid,
        "active_since": None if active is None else iso_or_none(active.activated),
        "states": {state.value: states[state] for state in KeyState},
        "frozen_to": keyring.frozen_to,
        "next_due": iso_or_none(plan.next_due),
        "rotation_due": iso_or_none(plan.rotation_due),
    }
    counts = ", ".join(f"{states[state]} {state.plain}" for state in KeyState if states[state])
    row = (
        keyring.ring,
        keyring.algorithm,
        "none" if active is None else active.kid[:SHORT],
        "" if active is None or active.activated is None else about(at - active.activated),
        "moved away" if keyring.frozen_to is not None else counts,
        "" if plan.next_due is None else "now" if plan.next_due <= at else seen_from(at, plan.next_due),
    )
    return document, row

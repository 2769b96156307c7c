"""`list`: the keyrings of a store."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from ...clock import Instant
from ...errors import KeyvaultJWTError
from ...keys import KeyRecord, KeyState
from ..ages import about, iso_or_none, seen_from
from ..outcome import SHORT
from ..public_view import PublicView
from ..ring_command import RingCommand
from ..session import Session, pass_session
from ..snapshot import look
from ..table import table

if TYPE_CHECKING:
    from ...keyring import Keyring
    from ...plan import Plan

Summary: TypeAlias = tuple[dict[str, Any], tuple[str, ...]]
"""A keyring as JSON output has it, and as a row of the table."""

_HEADS = ("ring", "signs with", "key", "age", "keys", "next due")


@click.command("list", cls=RingCommand)
@pass_session
def command(session: Session) -> None:
    """List the keyrings of a store.

    A keyring that can't be read shows its error's code, and does not hide the others.

    JSON: {keyrings: [{ring, issuer, algorithm, active, active_since, states, frozen_to, next_due,
    rotation_due, source} or {ring, error}]}; states counts keys by state.  The source is authority,
    or public where that is closed to the reader (see `show`); then next_due is not known and null.
    """
    documents: list[dict[str, Any]] = []
    rows: list[tuple[str, ...]] = []
    with session.manager() as manager, session.during("reading the store"):
        for ring in manager.names():
            try:
                seen = look(manager, ring)
                if isinstance(seen, PublicView):
                    session.note(seen.note)
                    document, row = _of_public(seen)
                else:
                    document, row = _of_authority(seen.keyring, seen.plan)
            except KeyvaultJWTError as error:
                document, row = {"ring": ring, "error": error.as_dict()}, (ring, error.code, "", "", "", "")
            documents.append(document)
            rows.append(row)
    if not rows:
        session.note("no keyrings here; `create` makes one")
    session.show({"keyrings": documents}, table(_HEADS, rows) if rows else ())


def _of_authority(keyring: Keyring, plan: Plan) -> Summary:
    at, due = plan.at, plan.next_due
    document = {
        **_facts(keyring.ring, keyring.issuer, keyring.algorithm, keyring.records),
        "frozen_to": keyring.frozen_to,
        "next_due": iso_or_none(due),
        "rotation_due": iso_or_none(plan.rotation_due),
        "source": "authority",
    }
    told = "" if due is None else "now" if due <= at else seen_from(at, due)
    return document, _row(document, keyring.records, at, told)


def _of_public(view: PublicView) -> Summary:
    public, due = view.public, view.rotation_due
    document = {
        **_facts(public.ring, public.issuer, public.policy.algorithm, public.records),
        "frozen_to": view.frozen_to,
        "next_due": None,
        "rotation_due": iso_or_none(due),
        "source": "public",
    }
    told = "" if due is None else f"rotation {seen_from(view.at, due)}"
    return document, _row(document, public.records, view.at, told)


def _facts(ring: str, issuer: str, algorithm: str, records: tuple[KeyRecord, ...]) -> dict[str, Any]:
    active, states = _active(records), Counter(record.state for record in records)
    return {
        "ring": ring,
        "issuer": issuer,
        "algorithm": algorithm,
        "active": None if active is None else active.kid,
        "active_since": None if active is None else iso_or_none(active.activated),
        "states": {state.value: states[state] for state in KeyState},
    }


def _row(document: dict[str, Any], records: tuple[KeyRecord, ...], at: Instant, due: str) -> tuple[str, ...]:
    active, states = _active(records), Counter(record.state for record in records)
    counts = ", ".join(f"{states[state]} {state.plain}" for state in KeyState if states[state])
    return (
        document["ring"],
        document["algorithm"],
        "none" if active is None else active.kid[:SHORT],
        "" if active is None or active.activated is None else about(at - active.activated),
        "moved away" if document["frozen_to"] is not None else counts,
        due,
    )


def _active(records: tuple[KeyRecord, ...]) -> KeyRecord | None:
    return next((record for record in records if record.state is KeyState.ACTIVE), None)

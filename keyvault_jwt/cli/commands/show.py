"""`show RING`: a keyring's keys, their ages, and their lanes over time."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from ...clock import Instant
from ...document import PUBLIC_EVENTS
from ...keys import KeyRecord, KeyState
from .. import terminal
from ..ages import dated, iso_or_none, seen_from
from ..key_facts import events_document, key_cells, key_document
from ..lanes import KID_WIDTH, draw
from ..looks import coloured, glyphs_for
from ..phase import Phase
from ..public_sheet import public_lines, public_sheet
from ..public_view import PublicView
from ..ring_command import RingCommand
from ..session import Session, pass_session
from ..snapshot import look
from ..table import table, width_of
from ..timeline import Lane, Timeline, timeline

if TYPE_CHECKING:
    from ...keyring import Keyring
    from ...plan import Plan

_HEADS = ("kid", "state", "that is", "alg", "age", "public", "signs", "next")


@click.command("show", cls=RingCommand)
@click.argument("ring")
@pass_session
def command(session: Session, ring: str) -> None:
    """Show a keyring's keys, their ages, and their lanes over time.

    JSON: {ring, issuer, algorithm, epoch, revision, at, keys: [{kid, algorithm, state, plain,
    imported, created, published, activated, deactivated, stopped, compromised, revoked, destroyed,
    removed, reason, private_half, ready_from, signs_from, gone_from}], migration, frozen_to,
    next_due, rotation_due, source, events: [{seq, at, action, kid, detail}]}.  The last three of a
    key are past or planned.  The source is authority, or public where that is closed to the reader:
    an auditor, or a store without its master key.  There, what the public document does not tell is
    null, and after a crash the rest is one pass behind.
    """
    with session.manager() as manager, session.during(f"reading {ring}"):
        seen = look(manager, ring)
    if isinstance(seen, PublicView):
        session.note(seen.note)
        session.show(public_sheet(seen), public_lines(seen))
        return
    keyring, plan, staleness = seen
    times = timeline(keyring, plan, plan.at, staleness)
    session.show(_document(keyring, plan, times), _lines(keyring, plan, times))


def _document(keyring: Keyring, plan: Plan, times: Timeline) -> dict[str, Any]:
    migration = keyring.migration
    return {
        "ring": keyring.ring,
        "issuer": keyring.issuer,
        "algorithm": keyring.algorithm,
        "epoch": keyring.epoch,
        "revision": keyring.revision,
        "at": iso_or_none(plan.at),
        "source": "authority",
        "keys": [_key_document(lane) for lane in times.lanes],
        "migration": None if migration is None else {"to": migration.to, "confirmed": migration.confirmed},
        "frozen_to": keyring.frozen_to,
        "next_due": iso_or_none(plan.next_due),
        "rotation_due": iso_or_none(plan.rotation_due),
        "events": events_document(keyring.ledger.entries[-PUBLIC_EVENTS:]),
    }


def _key_document(lane: Lane) -> dict[str, Any]:
    record = lane.record
    return key_document(record) | {
        "private_half": record.can_sign,
        "ready_from": iso_or_none(lane.starts(Phase.READY)),
        "signs_from": iso_or_none(lane.starts(Phase.SIGNING)),
        "gone_from": iso_or_none(lane.starts(Phase.GONE)),
    }


def _lines(keyring: Keyring, plan: Plan, times: Timeline) -> Iterator[str]:
    yield f"{keyring.ring}  {keyring.issuer}  {keyring.algorithm}  revision {keyring.revision}"
    if keyring.frozen_to is not None:
        yield f"frozen: it lives on at {keyring.frozen_to}"
    if keyring.migration is not None:
        told = "confirmed" if keyring.migration.confirmed else "not confirmed yet"
        yield f"migrating to {keyring.migration.to}, {told}"
    yield ""
    yield from _table(times)
    older = len(keyring.records) - len(times.lanes)
    if older:
        yield f"and {older} that were gone before"
    yield ""
    for line in draw(times, terminal.width(), glyphs_for(sys.stdout)):
        yield coloured(line, sys.stdout)
    yield ""
    if keyring.active is None and keyring.frozen_to is None:
        yield "no key is signing"
    if plan.rotation_due is not None:
        yield f"rotation due {dated(plan.at, plan.rotation_due)}"


def _table(times: Timeline) -> Iterator[str]:
    """Yield the keys, with as much of each kid as the terminal has room for."""
    rows = [(lane.record.kid[:KID_WIDTH], *_row(lane, times.now)) for lane in times.lanes]
    spare = max(0, terminal.width() - width_of(_HEADS, rows))
    wide = [
        (lane.record.kid[: KID_WIDTH + spare], *row[1:]) for lane, row in zip(times.lanes, rows, strict=True)
    ]
    return table(_HEADS, wide)


def _row(lane: Lane, now: Instant) -> tuple[str, ...]:
    return (*key_cells(lane.record, now), _next(lane, lane.record, now))


def _next(lane: Lane, record: KeyRecord, now: Instant) -> str:
    """Return the next thing that happens to a key, in a word and a time."""
    if record.state is KeyState.DESTROYED:
        return ""
    if record.state is KeyState.PRE_ACTIVATION and record.published is None:
        return "to be published"
    for phase, word in (
        (Phase.READY, "ready"),
        (Phase.SIGNING, "signs"),
        (Phase.VERIFYING, "rests"),
        (Phase.GONE, "gone"),
    ):
        start = lane.starts(phase)
        if start is not None and start >= now:
            return f"{word} {seen_from(now, start)}" if start > now else f"{word} now"
    return ""

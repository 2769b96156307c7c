"""A keyring's keys over time: what was, by record and ledger, and what the plan lets one expect."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..clock import Instant, Milliseconds
from ..keyring import Keyring
from ..keys import KeyRecord, KeyState
from ..plan import Plan
from .forecast import Forecast, Handovers
from .phase import Phase, Stretch, in_order


@dataclass(frozen=True, slots=True)
class Lane:
    """One key's phases in the order of time; those after now are planned."""

    record: KeyRecord
    stretches: tuple[Stretch, ...]

    def starts(self, phase: Phase) -> Instant | None:
        """Return when the phase begins for the last time; None if it never does."""
        return next((one.start for one in reversed(self.stretches) if one.phase is phase), None)


@dataclass(frozen=True, slots=True)
class Timeline:
    """Every key that is not long gone, between two instants around `now`; `handover` is the next one."""

    start: Instant
    now: Instant
    end: Instant
    handover: Instant | None
    lanes: tuple[Lane, ...]


_TOLD = {
    "promoted": Phase.SIGNING,
    "rolled-back": Phase.SIGNING,
    "deactivated": Phase.VERIFYING,
    "revoked": Phase.REVOKED,
    "destroyed": Phase.GONE,
}
"""What an entry of the ledger says that a key became."""


def timeline(keyring: Keyring, plan: Plan, now: Instant, staleness: Milliseconds = 0) -> Timeline:
    """Return the keyring's keys over time as seen at `now`, with the store's S in milliseconds."""
    timing = keyring.policy.timing(staleness)
    forecast = Forecast(keyring, plan, now, timing)
    handovers = forecast.handovers()
    lanes = [
        Lane(record, in_order([*_past(keyring, record, forecast), *_planned(record, forecast, handovers)]))
        for record in keyring.records
    ]
    oldest = min((record.created for record in keyring.records if not record.is_tombstone), default=now)
    start = max(min(oldest, now), now - 2 * timing.rotate_every)
    handover = handovers[0][1] if handovers else None
    end = (now if handover is None else handover) + max(forecast.retirement, timing.rotate_every // 2)
    shown = [lane for lane in lanes if (lane.record.removed or now) >= start]
    return Timeline(start, now, end, handover, tuple(sorted(shown, key=_order)))


def _order(lane: Lane) -> tuple[Instant, Instant, str]:
    """Put keys in the order in which they sign, then in which they were made."""
    first = next((one.start for one in lane.stretches if one.phase is Phase.SIGNING), 1 << 62)
    return first, lane.record.created, lane.record.kid


def _planned(record: KeyRecord, forecast: Forecast, handovers: Handovers) -> Iterator[Stretch]:
    """Yield what is expected of a key, ahead of now, if only by a millisecond where it is overdue."""
    for stretch in forecast.ahead(record, handovers):
        yield Stretch(max(stretch.start, forecast.now + 1), stretch.phase)


def _past(keyring: Keyring, record: KeyRecord, forecast: Forecast) -> Iterator[Stretch]:
    """Yield what happened to a key; the ledger also remembers what a rollback took off its record."""
    if record.published is not None:
        waits = record.state is KeyState.PRE_ACTIVATION and not record.founding
        yield Stretch(record.published, Phase.WAITING if waits else Phase.READY)
        if waits and forecast.ready(record) <= forecast.now:
            yield Stretch(forecast.ready(record), Phase.READY)
    for start, phase in (
        (record.activated, Phase.SIGNING),
        (record.deactivated, Phase.VERIFYING),
        (record.compromised, Phase.REVOKED),
        (record.destroyed, Phase.GONE),
    ):
        if start is not None:
            yield Stretch(start, phase)
    for entry in keyring.ledger.entries:
        if entry.kid == record.kid and entry.action in _TOLD:
            yield Stretch(entry.at, _TOLD[entry.action])

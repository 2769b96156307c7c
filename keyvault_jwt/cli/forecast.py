"""Forecast: what the plan lets one expect of each key, if nobody interferes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from ..check import Invariant
from ..clock import Instant, Milliseconds
from ..keyring import Keyring
from ..keys import KeyRecord, KeyState
from ..plan import Plan
from ..policy import Timing
from .phase import Phase, Stretch

Handovers: TypeAlias = tuple[tuple[str, Instant], ...]
"""Which kid takes over when, first to last."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """The future of a keyring's keys, counted from `now`.

    Earliest safe times are those of the plan's checks; where a clock has not been started by
    an observation yet, it is taken to start now.
    """

    keyring: Keyring
    plan: Plan
    now: Instant
    timing: Timing

    @property
    def retirement(self) -> Milliseconds:
        """How long a key verifies after it stopped signing (I2)."""
        timing = self.timing
        return timing.retirement(token_ttl_max=timing.token_ttl, lease_max=timing.signer_lease)

    def ready(self, record: KeyRecord) -> Instant:
        """Return from when a standby may sign (I1)."""
        known = self._earliest(Invariant.LEAD, record)
        if known is not None:
            return known
        published = self.now if record.published is None else record.published
        return published if record.founding else published + self.timing.exposure

    def handovers(self) -> Handovers:
        """Return which standby takes over when, first to last; none in a frozen keyring."""
        keyring, now = self.keyring, self.now
        if keyring.frozen_to is not None:
            return ()
        migrating = keyring.migration is not None and keyring.migration.confirmed
        able = [record for record in keyring.standbys(self._next_algorithm) if record.can_sign]
        able.sort(key=lambda record: max(now, self.ready(record)))
        scheduled = keyring.active is not None and not migrating
        when = max(now, self.plan.rotation_due or now) if scheduled else now
        if keyring.active is not None and len(able) > 1:
            when = max(when, self.ready(able[1]))  # one more must be ready behind it (I5)
        turns: list[tuple[str, Instant]] = []
        for record in able:
            when = max(when, self.ready(record))
            turns.append((record.kid, when))
            when += self.timing.rotate_every
        return tuple(turns)

    def ahead(self, record: KeyRecord, handovers: Handovers) -> list[Stretch]:
        """Return the key's phases that lie ahead, given who takes over when."""
        if record.state is KeyState.DEACTIVATED:
            return [self._gone(record, Invariant.RETIRE, self.retirement)]
        if record.state is KeyState.COMPROMISED:
            return [self._gone(record, Invariant.REVOCATION, self.timing.exposure)]
        stretches: list[Stretch] = []
        later = [when for _, when in handovers]
        if record.state is KeyState.PRE_ACTIVATION:
            ready = self.ready(record)
            stretches += [Stretch(ready, Phase.READY)] if ready > self.now else []
            turns = dict(handovers)
            if record.kid not in turns:
                return stretches
            stretches.append(Stretch(turns[record.kid], Phase.SIGNING))
            later = [when for when in later if when > turns[record.kid]]
        if record.state in {KeyState.PRE_ACTIVATION, KeyState.ACTIVE} and later:
            stretches.append(Stretch(later[0], Phase.VERIFYING))
            stretches.append(Stretch(later[0] + self.retirement, Phase.GONE))
        return stretches

    @property
    def _next_algorithm(self) -> str:
        migration = self.keyring.migration
        return migration.to if migration is not None and migration.confirmed else self.keyring.algorithm

    def _gone(self, record: KeyRecord, invariant: Invariant, wait: Milliseconds) -> Stretch:
        known = self._earliest(invariant, record)
        return Stretch(max(self.now, self.now + wait if known is None else known), Phase.GONE)

    def _earliest(self, invariant: Invariant, record: KeyRecord) -> Instant | None:
        """Return the plan's earliest safe time; for I2 that of the whole key, not of its private half."""
        found = [
            check.earliest
            for check in self.plan.checks
            if check.invariant is invariant and check.kid == record.kid and check.earliest is not None
        ]
        return max(found, default=None)

"""One seed from beginning to end: disturbed for its horizon, then left alone until it has come to rest."""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from keyvault_jwt.clock import Instant, Milliseconds
from tests.model.shown import held_for
from tests.simulation.breakages import broken_part
from tests.simulation.counts import Counts
from tests.simulation.drawn_policy import AMPLE
from tests.simulation.ring import Ring
from tests.simulation.simulated_world import START, Scenario, SimulatedWorld
from tests.simulation.story import Violation
from tests.simulation.troubles import plan_troubles

_MOST_PASSES: Final = 100
"""After so many passes over each keyring a short world's disturbances end early."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a seed; `violation` is "" if every promise was kept."""

    scenario: Scenario
    digest: str
    violation: str = ""
    story: str = field(default="", repr=False)
    counts: Counts = field(default_factory=Counts)


def simulated(scenario: Scenario, *, whole_story: bool = False) -> Outcome:
    """Run a seed; the same scenario has the same outcome in every process."""
    world = SimulatedWorld(scenario, whole_story=whole_story)
    violation = ""
    try:
        with broken_part(scenario.broken):
            _disturbed(world)
            _left_alone(world)
    except Violation as broken:
        violation = str(broken)
    except Exception as error:
        violation = f"{type(error).__name__}: {error}, at {traceback.extract_tb(error.__traceback__)[-1]}"
    if violation:
        world.story.tell("VIOLATION", violation)
    world.site.counts.span = world.agenda.now - START
    world.site.counts.keyrings = len(world.rings)
    world.site.counts.rotations = sum(max(0, ring.promotions - 1) for ring in world.rings)
    story = str(world.story) if whole_story or violation else ""
    return Outcome(scenario, world.story.digest, violation, story, world.site.counts)


def _disturbed(world: SimulatedWorld) -> None:
    for ring in world.rings:
        world.operators.create(ring)
    plan_troubles(world)
    most = _MOST_PASSES * len(world.rings)
    short = not world.scenario.years
    world.agenda.run_until(world.site.end, lambda: not short or world.site.counts.passes < most)


def _left_alone(world: SimulatedWorld) -> None:
    """No more faults, one scheduler: everything that is due must now be done."""
    world.story.tell("nobody", "faults have ended, and operators are gone")
    world.store.outages.clear()
    for ring in world.rings:
        ring.faults, ring.quiet, ring.limits = ring.faults.ended(), True, AMPLE
        if ring.keyring is None:
            world.operators.create(ring)
    for rotator in (world.operators.rotator, *(each.rotator for each in world.schedulers)):
        rotator.crash()
    for scheduler in world.schedulers[1:]:
        scheduler.idle = True
    world.schedulers[0].hire(len(world.rings))
    for ring in world.rings:
        # A read may show what was there S ago; from then on it shows what operators left.
        world.schedulers[0].look_at(ring, 1 + ring.terms.staleness)
        world.agenda.after(1, partial(_require_life, world, ring, world.agenda.now))
    world.agenda.run_while(lambda: any(not ring.over for ring in world.rings))


def _settling(ring: Ring) -> Milliseconds:
    """Return how long a keyring may need until everything is done that was due."""
    staleness, policies = ring.terms.staleness, [ring.policy]
    if ring.keyring is not None:
        policies += [old.policy for old in ring.keyring.superseded]
    lead = max(ring.longest_held(0), *(held_for(policy, staleness) for policy in policies))
    slack = 2_000 + 20 * staleness + lead // 16
    return max(ring.policy.timing(0).rotate_every, lead + slack) + slack


def _require_life(world: SimulatedWorld, ring: Ring, since: Instant) -> None:
    # A repair may bring a shorter policy back: how long it needs to settle is known only afterwards.
    busy = ring.under_way or ring.unwatched is not None
    settled = max(since, ring.repaired) + _settling(ring)
    wait = max(50, ring.scale // 64) if busy else settled - world.agenda.now
    if wait > 0:
        world.agenda.after(wait, partial(_require_life, world, ring, since))
        return
    ring.over = True
    keyring = ring.keyring
    if keyring is None or keyring.active is None:
        raise Violation(f"{ring.name}: left alone, nothing signs")
    if (keyring.active.activated or 0) < since - ring.terms.skew:
        raise Violation(f"{ring.name}: left alone, it did not rotate")
    if len(keyring.standbys(keyring.algorithm)) < keyring.policy.standbys:
        raise Violation(f"{ring.name}: left alone, it has too few standbys")
    for record in keyring.records:
        if record.compromised is not None and not record.is_tombstone and record.compromised < since:
            raise Violation(f"{ring.name}: left alone, the revoked {record.kid} is still {record.state}")
        if record.is_tombstone and record.can_sign:
            raise Violation(f"{ring.name}: {record.kid} is gone and its private half is not")
    lags = world.unsettled(ring)
    if lags is not None:
        raise Violation(f"{ring.name}: left alone, {lags} lags")

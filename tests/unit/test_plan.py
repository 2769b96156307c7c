"""plan: what is due at equality and not a millisecond before, and when to look again."""

from __future__ import annotations

import pytest

from keyvault_jwt.check import Check, Invariant
from keyvault_jwt.keyring import Keyring, Migration
from keyvault_jwt.keys import KeyState
from keyvault_jwt.ledger import Ledger
from keyvault_jwt.plan import (
    KEPT_ENTRIES,
    KEPT_TOMBSTONES,
    Action,
    Plan,
    Step,
    apply_steps,
    plan,
    ready_standby,
    resting,
    rotation_due,
)
from keyvault_jwt.store import Limits
from tests.made_rings import LEAD, NOW, PRIVATE, RETIRE, made_key, made_ring
from tests.model.counted_keys import counted_key
from tests.model.scenes import seconds_policy

PRE, ACTIVE, DEACTIVATED = KeyState.PRE_ACTIVATION, KeyState.ACTIVE, KeyState.DEACTIVATED
COMPROMISED, DESTROYED = KeyState.COMPROMISED, KeyState.DESTROYED

SIGNING = made_key(1, ACTIVE)
DUE = made_key(1, ACTIVE, activated=NOW - 6000)
READY = (made_key(2, PRE, published=NOW - 20_000), made_key(3, PRE, published=NOW - 19_000))


def steps(found: Plan) -> list[tuple[Action, str]]:
    """Return what is to be done, and to which key."""
    return [(step.action, step.kid) for step in found.steps]


def checks(found: Plan, invariant: Invariant) -> list[Check]:
    """Return the checks of one invariant."""
    return [check for check in found.checks if check.invariant is invariant]


def settled() -> Keyring:
    """A keyring that nothing is due for."""
    return made_ring(SIGNING, *READY)


def test_nothing_to_do_looks_again_when_rotation_is_due() -> None:
    """No step; the next look is at the end of the period, and what stands holds."""
    found = plan(settled(), NOW)
    assert found.steps == ()
    assert found.next_due == found.rotation_due == rotation_due(settled()) == NOW + 5000
    assert all(check.holds for check in found.checks)
    assert found.broken == ()


@pytest.mark.parametrize(("early", "promotes"), [(1, False), (0, True), (-1, True)])
def test_rotation_is_due_at_equality(early: int, *, promotes: bool) -> None:
    """R after activation, and not a millisecond before; the standby published longest takes over."""
    found = plan(made_ring(DUE, *reversed(READY)), NOW - early)
    wanted = [(Action.PROMOTE, READY[0].kid), (Action.ADD, "")] if promotes else []
    assert steps(found) == wanted
    assert found.next_due == (NOW - early if promotes else NOW)


@pytest.mark.parametrize(("early", "promotes"), [(1, False), (0, True), (-1, True)])
def test_standby_signs_at_its_lead(early: int, *, promotes: bool) -> None:
    """I1: with nothing signing, the first key does as soon as every verifier can know it."""
    standby = made_key(2, PRE, published=NOW - LEAD)
    ring = made_ring(standby, made_key(3, PRE, published=NOW))
    found = plan(ring, NOW - early)
    assert steps(found)[: int(promotes)] == ([(Action.PROMOTE, standby.kid)] if promotes else [])
    assert (ready_standby(ring, NOW - early, 0) == standby) is promotes
    assert promotes or (found.steps, found.next_due) == ((), NOW)


def test_staleness_lengthens_the_lead() -> None:
    """S is part of how long a verifier may lack the key."""
    ring = made_ring(made_key(2, PRE, published=NOW - LEAD), made_key(3, PRE, published=NOW))
    assert plan(ring, NOW, staleness=1).steps == ()
    assert plan(ring, NOW + 1, staleness=1).steps


def test_founding_key_needs_no_lead() -> None:
    """No verifier can hold a set without a key of the first public document; yet it must be out."""
    for published, ready in ((NOW, True), (None, False)):
        key = made_key(2, PRE, founding=True, published=published)
        assert (ready_standby(made_ring(key), NOW, 0) == key) is ready


@pytest.mark.parametrize(("early", "promotes"), [(1, False), (0, True)])
def test_rotation_waits_for_a_second_ready_standby(early: int, *, promotes: bool) -> None:
    """I5: a scheduled promotion leaves a ready key behind, counted at equality too."""
    second = made_key(3, PRE, published=NOW - LEAD)
    ring = made_ring(made_key(1, ACTIVE, activated=NOW - 9000), READY[0], second)
    found = plan(ring, NOW - early)
    assert bool(found.steps) is promotes
    [check] = checks(found, Invariant.STANDBY)
    assert (check.holds, check.earliest, check.kid) == (promotes, NOW, READY[0].kid)
    assert found.next_due == (NOW - early if promotes else NOW)


def test_second_standby_must_be_able_to_sign() -> None:
    """A standby whose private half is gone is no reserve."""
    ring = made_ring(DUE, READY[0], made_key(3, PRE, private=None))
    assert Action.PROMOTE not in [action for action, _ in steps(plan(ring, NOW))]


@pytest.mark.parametrize(("early", "ends"), [(1, False), (0, True)])
def test_retired_key_goes_at_equality(early: int, *, ends: bool) -> None:
    """I2: as long as a token of it may be valid, it stays published."""
    old = made_key(4, DEACTIVATED, stopped=NOW - RETIRE, private=None)
    found = plan(made_ring(SIGNING, *READY, old), NOW - early)
    assert steps(found) == ([(Action.DESTROY, old.kid)] if ends else [])
    assert found.next_due == (NOW - early if ends else NOW)


@pytest.mark.parametrize(("early", "ends"), [(1, False), (0, True)])
def test_private_half_goes_at_equality(early: int, *, ends: bool) -> None:
    """I2: the private half outlasts leases and the rollback window, then goes before the key does."""
    old = made_key(4, DEACTIVATED, stopped=NOW - PRIVATE)
    found = plan(made_ring(SIGNING, *READY, old), NOW - early)
    assert steps(found) == ([(Action.DROP_PRIVATE, old.kid)] if ends else [])


def test_unobserved_stop_starts_no_clock() -> None:
    """However old the write, a key that was not seen to have stopped is kept whole."""
    old = made_key(4, DEACTIVATED, deactivated=NOW - 10**9, stopped=None)
    assert plan(made_ring(SIGNING, *READY, old), NOW).steps == ()


def test_retired_secret_keeps_its_private_half() -> None:
    """What signs is what verifies: a symmetric key goes only as a whole."""
    keys = [made_key(number, PRE, "HS256") for number in (2, 3)]
    old = made_key(4, DEACTIVATED, "HS256", stopped=NOW - RETIRE + 1)
    ring = made_ring(made_key(1, ACTIVE, "HS256"), *keys, old, policy=seconds_policy("HS256"))
    assert plan(ring, NOW).steps == ()
    assert steps(plan(ring, NOW + 1)) == [(Action.DESTROY, old.kid)]


@pytest.mark.parametrize(("early", "ends"), [(1, False), (0, True)])
def test_revoked_key_is_forgotten_at_the_bound(early: int, *, ends: bool) -> None:
    """I4: nothing is forgotten before the last verifier let go."""
    revoked = made_key(4, COMPROMISED, revoked=NOW - LEAD, private=None)
    found = plan(made_ring(SIGNING, *READY, revoked), NOW - early)
    assert steps(found) == ([(Action.DESTROY, revoked.kid)] if ends else [])


def test_missing_standbys_are_made_at_once() -> None:
    """Two are kept besides the one that signs."""
    found = plan(made_ring(SIGNING), NOW)
    assert [step.algorithm for step in found.steps] == ["Ed25519", "Ed25519"]
    assert {step.action for step in found.steps} == {Action.ADD}
    assert found.next_due == NOW


def test_unable_standby_is_replaced_and_discarded() -> None:
    """One without private half counts for nothing, and goes."""
    useless = made_key(3, PRE, private=None)
    assert steps(plan(made_ring(SIGNING, READY[0], useless), NOW)) == [
        (Action.ADD, ""),
        (Action.DESTROY, useless.kid),
    ]


def test_surplus_standby_goes_but_an_imported_one_stays() -> None:
    """The last published of too many goes; a key that somebody imported waits for its turn."""
    extra = made_key(4, PRE, published=NOW - 1)
    assert steps(plan(made_ring(SIGNING, extra, *READY), NOW)) == [(Action.DESTROY, extra.kid)]
    kept = made_key(4, PRE, published=NOW - 1, imported=True)
    assert plan(made_ring(SIGNING, kept, *READY), NOW).steps == ()


MIGRATED = (made_key(5, PRE, "ES256"), made_key(6, PRE, "ES256"))


def test_migration_publishes_but_does_not_sign_until_confirmed() -> None:
    """Keys of both algorithms are kept, and a due rotation stays with the old one."""
    begun = made_ring(SIGNING, *READY, migration=Migration("ES256"))
    assert [step.algorithm for step in plan(begun, NOW).steps] == ["ES256", "ES256"]
    ready = made_ring(DUE, *READY, *MIGRATED, migration=Migration("ES256"))
    assert (Action.PROMOTE, READY[0].kid) in steps(plan(ready, NOW))


def test_confirmed_migration_signs_at_once_and_drops_the_old_standbys() -> None:
    """It waits for no period; afterwards nothing of the old algorithm is wanted."""
    ring = made_ring(SIGNING, *READY, *MIGRATED, migration=Migration("ES256", confirmed=True))
    found = plan(ring, NOW)
    promoted = found.steps[0]
    assert promoted == Step(Action.PROMOTE, promoted.kid, "ES256", "migration to ES256")
    assert promoted.kid in {key.kid for key in MIGRATED}
    assert {kid for action, kid in steps(found) if action is Action.DESTROY} == {key.kid for key in READY}
    assert [s.algorithm for s in found.steps if s.action is Action.ADD] == ["ES256"]


def test_confirmed_migration_waits_for_the_lead() -> None:
    """I1 holds for the new algorithm's keys as for any other, and the old ones sign no new period."""
    keys = [made_key(number, PRE, "ES256", published=NOW - LEAD + 1) for number in (5, 6)]
    ring = made_ring(DUE, *READY, *keys, migration=Migration("ES256", confirmed=True))
    assert plan(ring, NOW).steps == ()
    assert plan(ring, NOW).next_due == NOW + 1
    assert plan(ring, NOW + 1).steps[0].action is Action.PROMOTE


def test_cancelled_migration_discards_its_standbys() -> None:
    """Without a migration, keys of another algorithm are kept for nothing."""
    assert {kid for _, kid in steps(plan(made_ring(SIGNING, *READY, *MIGRATED), NOW))} == {
        key.kid for key in MIGRATED
    }


def test_frozen_keyring_is_left_alone() -> None:
    """It lives on elsewhere: nothing is due here, ever."""
    found = plan(made_ring(DUE, *READY, frozen_to="memory:"), NOW)
    assert (found.steps, found.next_due) == ((), None)


def test_what_moved_rests_until_the_next_pass() -> None:
    """I7: no key makes two gated transitions in one pass."""
    old = made_key(4, DEACTIVATED, stopped=NOW - RETIRE)
    extra = made_key(7, PRE, published=NOW)
    ring = made_ring(DUE, *READY, extra, old)
    moved = frozenset({DUE.kid, old.kid, extra.kid})
    assert plan(ring, NOW, moved=moved).steps == ()
    assert steps(plan(ring, NOW)) == [(Action.PROMOTE, READY[0].kid), (Action.DESTROY, old.kid)]


def test_resting_names_changed_states_but_not_compromised_ones() -> None:
    """An operator's word is no gated transition."""
    before = made_ring(DUE, *READY)
    after = before.promoted(READY[0].kid, NOW, reason="due").revoked(READY[1].kid, NOW, reason="leaked")
    assert resting(before, after) == {DUE.kid, READY[0].kid}


def test_policy_over_capacity_is_broken_for_good() -> None:
    """I6 in a store with other caps than the policy was made for: no waiting mends it."""
    assert [check.name for check in plan(settled(), NOW, limits=Limits(1000, 3)).broken] == ["published keys"]
    assert [check.name for check in plan(settled(), NOW, staleness=1000).broken] == ["capacity"]


def entries(count: int) -> Ledger:
    """Return a ledger of so many entries."""
    ledger = Ledger()
    for _ in range(count):
        ledger = ledger.append(NOW, "noted")
    return ledger


def test_archive_is_due_above_what_is_kept() -> None:
    """One more tombstone or entry than is kept, and not one fewer."""
    tombs = [made_key(number, DESTROYED) for number in range(10, 11 + KEPT_TOMBSTONES)]
    over = [
        settled().replaced(records=(SIGNING, *READY, *tombs)),
        settled().replaced(ledger=entries(KEPT_ENTRIES + 1)),
    ]
    kept = [
        settled().replaced(records=(SIGNING, *READY, *tombs[1:])),
        settled().replaced(ledger=entries(KEPT_ENTRIES)),
    ]
    assert [steps(plan(ring, NOW)) for ring in over] == [[(Action.ARCHIVE, "")]] * 2
    assert [steps(plan(ring, NOW)) for ring in kept] == [[]] * 2


def test_steps_applied_leave_nothing_due() -> None:
    """Promotion, addition, and endings in one write, after which the plan is empty but for what rests."""
    old, half = (
        made_key(4, DEACTIVATED, stopped=NOW - RETIRE),
        made_key(5, DEACTIVATED, stopped=NOW - PRIVATE),
    )
    ring = made_ring(DUE, *READY, old, half)
    found = plan(ring, NOW)
    after = apply_steps(ring, found.steps, {"Ed25519": (counted_key("Ed25519", 9),)}, NOW)
    assert after.active == after.record(READY[0].kid)
    assert after.record(old.kid).state is DESTROYED
    assert not after.record(half.kid).can_sign
    assert plan(after, NOW, moved=resting(ring, after)).steps == ()

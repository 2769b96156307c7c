"""Commands: what each decides on a keyring, what it refuses, and that a repetition does nothing twice."""

from __future__ import annotations

from typing import Any

import pytest

from keyvault_jwt import command
from keyvault_jwt.check import CapacityBroken, Invariant, StandbyBroken
from keyvault_jwt.clock import iso
from keyvault_jwt.decision import Command, View, require_clock
from keyvault_jwt.errors import (
    ClockBehind,
    KeyringExists,
    KeyringFrozen,
    KeyringNotFound,
    NoReadyKey,
    RemovalUnconfirmed,
    RollbackRefused,
    RolledBack,
    StoreUnavailable,
)
from keyvault_jwt.keyring import Keyring
from keyvault_jwt.keys import KeyState
from keyvault_jwt.marks import Mark
from keyvault_jwt.store import Limits
from tests.made_rings import LEAD, NOW, made_key, made_ring
from tests.model.counted_keys import counted_key
from tests.model.scenes import ISSUER, seconds_policy

PRE, ACTIVE, DEACTIVATED = KeyState.PRE_ACTIVATION, KeyState.ACTIVE, KeyState.DEACTIVATED
COMPROMISED = KeyState.COMPROMISED

SIGNING = made_key(1, ACTIVE)
READY = (made_key(2, PRE, published=NOW - 20_000), made_key(3, PRE, published=NOW - 19_000))
LATE = made_key(4, PRE, published=NOW - LEAD + 1)
UNPUBLISHED = made_key(5, PRE, published=None)
WINDOW = 1000


def view(now: int = NOW, **changes: Any) -> View:
    """Return what a command sees, with fresh keys enough."""
    fresh = {
        name: tuple(counted_key(name, number) for number in range(50, 60)) for name in ("Ed25519", "ES256")
    }
    seen: dict[str, Any] = {"staleness": 0, "limits": Limits(1 << 20), "fresh": fresh, **changes}
    return View(now=now, **seen)


def ring() -> Keyring:
    """A keyring that nothing is due for."""
    return made_ring(SIGNING, *READY)


COMMANDS: list[Command] = [
    command.Reconcile(),
    command.Rotate(SIGNING.kid),
    command.Revoke(SIGNING.kid, "leaked"),
    command.Rollback(SIGNING.kid),
    command.ChangePolicy(seconds_policy()),
    command.Migrate("ES256"),
    command.Import(counted_key("Ed25519", 9)),
    command.Freeze("memory:"),
]


@pytest.mark.parametrize("asked", COMMANDS, ids=lambda each: type(each).__name__)
def test_nothing_is_decided_without_a_living_keyring(asked: Command) -> None:
    """No keyring, or one that lives on elsewhere: each command says which."""
    with pytest.raises(KeyringNotFound):
        asked.decide(None, view())
    with pytest.raises(KeyringFrozen):
        asked.decide(made_ring(SIGNING, frozen_to="elsewhere"), view())


def test_rotation_by_hand_takes_the_longest_published() -> None:
    """It needs no due date, and no longer does anything once `replacing` no longer signs."""
    asked = command.Rotate(SIGNING.kid)
    after = asked.decide(ring(), view()).keyring
    assert after.active is not None
    assert after.active.kid == READY[0].kid
    again = asked.decide(after, view()).keyring
    assert again.active == after.active
    assert command.Rotate("").decide(ring(), view()).keyring == ring()


def test_rotation_by_hand_keeps_a_ready_standby() -> None:
    """I5 holds for an operator too, but for an emergency."""
    short = made_ring(SIGNING, READY[0], LATE)
    with pytest.raises(StandbyBroken):
        command.Rotate(SIGNING.kid).decide(short, view())
    decision = command.Rotate(SIGNING.kid, emergency=True).decide(short, view())
    assert decision.keyring.active == decision.keyring.record(READY[0].kid)
    assert decision.waived == frozenset()


@pytest.mark.parametrize("emergency", [False, True])
def test_no_ready_standby_tells_until_when_to_wait(*, emergency: bool) -> None:
    """I1 is not waived by haste: the error names the earliest time."""
    with pytest.raises(NoReadyKey) as caught:
        command.Rotate(SIGNING.kid, emergency=emergency).decide(made_ring(SIGNING, LATE), view())
    assert iso(NOW + 1) in caught.value.fix
    after = command.Rotate(SIGNING.kid, emergency=True).decide(made_ring(SIGNING, LATE), view(NOW + 1))
    assert after.keyring.active == after.keyring.record(LATE.kid)


def test_accepting_refusals_waives_the_lead_and_nothing_else() -> None:
    """A standby that is out but not for long signs, and the decision says what was given up."""
    asked = command.Rotate(SIGNING.kid, emergency=True, accept_refusals=True)
    decision = asked.decide(made_ring(SIGNING, UNPUBLISHED, LATE), view())
    assert decision.keyring.active == decision.keyring.record(LATE.kid)
    assert decision.waived == {Invariant.LEAD}
    assert asked.decide(ring(), view()).waived == frozenset()
    with pytest.raises(NoReadyKey):
        asked.decide(made_ring(SIGNING, UNPUBLISHED), view())
    with pytest.raises(NoReadyKey):
        asked.decide(made_ring(SIGNING, made_key(4, PRE, private=None)), view())


def test_revoking_the_active_key_promotes_a_ready_one_in_the_same_write() -> None:
    """What was signing is compromised, and the ready standby signs, without housekeeping first."""
    decision = command.Revoke(SIGNING.kid, "leaked").decide(made_ring(SIGNING, READY[0]), view(fresh={}))
    assert decision.needs is None
    assert decision.keyring.record(SIGNING.kid).state is COMPROMISED
    assert decision.keyring.active == decision.keyring.record(READY[0].kid)


def test_revoking_the_active_key_without_ready_standby_leaves_none() -> None:
    """A leaked key is worse than no key; refused tokens are the operator's to accept."""
    before = made_ring(SIGNING, LATE)
    decision = command.Revoke(SIGNING.kid, "leaked").decide(before, view())
    assert decision.keyring.active is None
    assert decision.keyring.record(SIGNING.kid).state is COMPROMISED
    accepted = command.Revoke(SIGNING.kid, "leaked", accept_refusals=True).decide(before, view())
    assert accepted.keyring.active == accepted.keyring.record(LATE.kid)
    assert accepted.waived == {Invariant.LEAD}


@pytest.mark.parametrize("kid", [READY[0].kid, made_key(9, DEACTIVATED).kid])
def test_revoking_another_key_leaves_the_active_one(kid: str) -> None:
    """A standby or a retired key goes by itself."""
    before = made_ring(SIGNING, *READY, made_key(9, DEACTIVATED))
    after = command.Revoke(kid, "leaked").decide(before, view()).keyring
    assert after.record(kid).state is COMPROMISED
    assert after.active == SIGNING


def test_repeated_revocation_writes_nothing_new() -> None:
    """The second time, the keyring comes back as it was."""
    asked = command.Revoke(SIGNING.kid, "leaked")
    first = made_ring(made_key(1, COMPROMISED), made_key(2, ACTIVE), READY[1], made_key(6, PRE))
    assert asked.decide(first, view()).keyring is first


def test_unconfirmed_removal_is_told_loudly() -> None:
    """Until the removal was read back, any failure is this one; a restored store is told as such."""
    asked, down = command.Revoke(SIGNING.kid, "leaked"), StoreUnavailable("no route")
    told = asked.unfinished(made_ring(made_key(1, COMPROMISED)), down)
    assert isinstance(told, RemovalUnconfirmed)
    assert "no route" in told.why
    assert asked.unfinished(made_ring(made_key(1, COMPROMISED, revoked=NOW)), down) is down
    assert asked.unfinished(ring(), down) is down
    assert asked.unfinished(None, down) is down
    back = RolledBack("restored")
    assert asked.unfinished(made_ring(made_key(1, COMPROMISED)), back) is back


@pytest.mark.parametrize(
    ("stopped", "late", "allowed"),
    [(NOW, 0, True), (NOW, WINDOW, True), (NOW, WINDOW + 1, False), (None, 400, True), (None, 401, False)],
)
def test_rollback_inside_its_window(stopped: int | None, late: int, *, allowed: bool) -> None:
    """The window ends at equality, counted from the observed stop, or the write before it is seen."""
    previous = made_key(9, DEACTIVATED, stopped=stopped, deactivated=NOW - 600)
    before, asked = made_ring(previous, SIGNING), command.Rollback(SIGNING.kid)
    if not allowed:
        with pytest.raises(RollbackRefused, match="window"):
            asked.decide(before, view(NOW + late))
        return
    after = asked.decide(before, view(NOW + late)).keyring
    assert after.active == after.record(previous.kid)


def test_repeated_rollback_does_not_swing_back() -> None:
    """It names what it replaces, so the second one finds its work done."""
    asked = command.Rollback(SIGNING.kid)
    after = asked.decide(made_ring(made_key(9, DEACTIVATED), SIGNING, *READY), view()).keyring
    assert asked.decide(after, view()).keyring.active == after.active


def test_rollback_where_nothing_signs() -> None:
    """After a revocation without a standby, the previous key is put back by naming None."""
    previous = made_key(9, DEACTIVATED)
    before = made_ring(previous, made_key(1, COMPROMISED))
    after = command.Rollback(None).decide(before, view()).keyring
    assert after.active == after.record(previous.kid)


def test_policy_without_room_is_refused_in_numbers() -> None:
    """I6 is judged with this store's S and caps, for a new keyring too."""
    tight = seconds_policy(rotate_every="5300ms")
    assert command.ChangePolicy(tight).decide(ring(), view()).keyring.policy == tight
    with pytest.raises(CapacityBroken):
        command.ChangePolicy(seconds_policy(rotate_every="5299ms")).decide(ring(), view())
    with pytest.raises(CapacityBroken):
        command.ChangePolicy(tight).decide(ring(), view(staleness=1))
    with pytest.raises(CapacityBroken):
        command.Create("ring", ISSUER, seconds_policy(rotate_every="5299ms")).decide(None, view())


def test_creation_asks_for_keys_and_refuses_a_second_one() -> None:
    """One key to sign and the standbys, all founding; a name is taken once."""
    asked = command.Create("ring", ISSUER, seconds_policy())
    assert asked.decide(None, view(fresh={})).needs == "Ed25519"
    made = asked.decide(None, view()).keyring
    assert [record.founding for record in made.records] == [True] * 3
    with pytest.raises(KeyringExists):
        asked.decide(ring(), view())
    assert asked.decide(ring(), view(committed=True)).keyring == ring()


def test_created_again_is_newer_than_all_that_was() -> None:
    """An epoch above the mark of the keyring that had the name before, else the time."""
    asked = command.Create("ring", ISSUER, seconds_policy())
    assert asked.decide(None, view()).keyring.epoch == NOW
    mark = Mark(NOW + 5, 7, ring().write_id)
    assert asked.decide(None, view(mark=mark)).keyring.epoch == NOW + 6


def test_import_is_a_standby_and_a_repetition_is_none() -> None:
    """It waits for its own lead; asked again with the same key, nothing is added."""
    asked = command.Import(counted_key("Ed25519", 9))
    after = asked.decide(ring(), view()).keyring
    assert (after.records[-1].imported, after.records[-1].published) == (True, None)
    assert asked.decide(after, view()).keyring is after


def test_freezing_twice_is_once_and_elsewhere_is_refused() -> None:
    """A copy to the same place may be repeated, to another not."""
    frozen = command.Freeze("memory:").decide(ring(), view()).keyring
    assert command.Freeze("memory:").decide(frozen, view()).keyring is frozen
    with pytest.raises(KeyringFrozen):
        command.Freeze("vault:").decide(frozen, view())


def test_migrate_with_and_without_confirm() -> None:
    """Keys are published either way; only `confirm` lets them sign."""
    keys = [made_key(number, PRE, "ES256") for number in (6, 7)]
    before = made_ring(SIGNING, *READY, *keys)
    begun = command.Migrate("ES256").decide(before, view()).keyring
    assert begun.active == SIGNING
    done = command.Migrate("ES256", confirm=True).decide(begun, view()).keyring
    assert done.active is not None
    assert done.active.algorithm == done.algorithm == "ES256"


def test_housekeeping_asks_for_fresh_keys_first() -> None:
    """A decision that lacks a key names its algorithm, and nothing is half done."""
    decision = command.Reconcile().decide(made_ring(SIGNING, READY[0]), view(fresh={}))
    assert decision.needs == "Ed25519"


def test_clock_behind_the_last_entry() -> None:
    """More than ε in the past is refused, ε itself is not."""
    last = ring().told(NOW, "noted")
    require_clock(last, NOW - 100)
    with pytest.raises(ClockBehind):
        require_clock(last, NOW - 101)


def test_what_is_urgent() -> None:
    """Only what must not wait goes before housekeeping and into the store's reserve."""
    assert [each.urgent for each in COMMANDS] == [False, False, True, True, False, False, False, False]
    assert command.Rotate("", emergency=True).urgent
    assert command.Recover("ring").urgent

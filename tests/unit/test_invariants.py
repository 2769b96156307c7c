"""Each inequality at the very millisecond, and what its terms count."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from keyvault_jwt import check as checks
from keyvault_jwt import invariants
from keyvault_jwt import keyring as keyrings
from keyvault_jwt.check import Check, Invariant
from keyvault_jwt.errors import InvariantBroken
from keyvault_jwt.keyring import Keyring, Superseded
from keyvault_jwt.keys import KeyRecord, KeyState, new_record
from keyvault_jwt.policy import RotationPolicy
from tests.model.counted_keys import counted_key
from tests.model.scenes import seconds_policy

T = 1_800_000_000_000
S = 40
LEAD = 3600 + S  # D + S + C + G + ε
RETIRE = 3800 + S  # P + S + L + W + 2ε
LEASE_END = 1700 + S  # P + S + 2ε
ROLLBACK = 1100  # rollback_window + ε


def record(number: int, state: KeyState, **stamps: object) -> KeyRecord:
    """Return a key that was made long ago, with a policy of seconds' L and P."""
    made = new_record(counted_key("Ed25519", number), T - 90_000)
    return msgspec.structs.replace(made, state=state, token_ttl_max=2000, lease_max=1500, **stamps)


def ring_of(*records: KeyRecord, policy: RotationPolicy | None = None) -> Keyring:
    """Return a keyring of these keys under the policy of seconds."""
    return keyrings.create("unit", "iss", policy or seconds_policy(), records, now=T - 90_000, epoch=T)


STANDBY = record(1, KeyState.PRE_ACTIVATION, published=T)
STOPPED = record(2, KeyState.DEACTIVATED, published=T - 9, activated=T - 8, deactivated=T, stopped=T)
REVOKED = record(3, KeyState.COMPROMISED, published=T - 9, compromised=T, revoked=T, private=None)


@pytest.mark.parametrize(
    ("rule", "key", "wait"),
    [
        (invariants.lead, STANDBY, LEAD),
        (invariants.lead, msgspec.structs.replace(STANDBY, founding=True), 0),
        (invariants.retire, STOPPED, RETIRE),
        (invariants.retire, msgspec.structs.replace(STOPPED, token_ttl_max=9000), RETIRE + 7000),
        (invariants.retire, msgspec.structs.replace(STOPPED, lease_max=2500), RETIRE + 1000),
        (invariants.private_half, STOPPED, LEASE_END),
        (invariants.revocation, REVOKED, LEAD),
    ],
    ids=["I1", "I1 founding", "I2", "I2 longer tokens", "I2 longer lease", "I2 private half", "I4"],
)
def test_the_boundary_is_exact(rule: Callable[..., Check], key: KeyRecord, wait: int) -> None:
    """At the earliest safe instant it holds with no slack; one millisecond before it is refused."""
    ring = ring_of(key)
    at = rule(ring, key, T + wait, S)
    assert (at.holds, at.slack, at.earliest) == (True, 0, T + wait)
    at.require()
    before = rule(ring, key, T + wait - 1, S)
    assert (before.holds, before.slack) == (False, -1)
    with pytest.raises(InvariantBroken) as broken:
        before.require()
    assert key.kid in broken.value.what
    assert checks.iso(T + wait) in broken.value.fix


@pytest.mark.parametrize(
    ("rule", "key"),
    [
        (invariants.lead, msgspec.structs.replace(STANDBY, published=None)),
        (invariants.lead, msgspec.structs.replace(STANDBY, published=None, founding=True)),
        (invariants.retire, msgspec.structs.replace(STOPPED, stopped=None)),
        (invariants.private_half, msgspec.structs.replace(STOPPED, stopped=None)),
        (invariants.revocation, msgspec.structs.replace(REVOKED, revoked=None)),
    ],
    ids=["I1", "I1 founding", "I2", "I2 private half", "I4"],
)
def test_no_stamp_no_deadline(rule: Callable[..., Check], key: KeyRecord) -> None:
    """What was not observed is not safe however long one waits, and no time is promised."""
    check = rule(ring_of(key), key, T + 10**12, S)
    assert (check.holds, check.right, check.earliest, check.slack) == (False, None, None, None)
    assert check.show(check.right) == "not observed yet"
    with pytest.raises(InvariantBroken):
        check.require()


def test_a_key_that_never_signed_may_go_at_once() -> None:
    """I2 asks nothing of a key that was never in a signing document."""
    assert invariants.retire(ring_of(STANDBY), STANDBY, STANDBY.created, S).holds


@pytest.mark.parametrize(("rule", "long"), [(invariants.retire, 60_100), (invariants.private_half, 60_100)])
def test_a_long_rollback_window_rules(rule: Callable[..., Check], long: int) -> None:
    """Where rollback_window + ε is the larger term, it decides."""
    ring = ring_of(STOPPED, policy=seconds_policy(rollback_window="1m"))
    assert rule(ring, STOPPED, T, S).right == T + long


def test_older_policies_count_until_they_ran_out() -> None:
    """I8: until t_change + old(D + S + C + G) + ε the longer of both leads counts, and then no more."""
    old = seconds_policy(jwks_max_age="5s")
    held = LEAD + 4000
    ring = msgspec.structs.replace(ring_of(STANDBY), superseded=(Superseded(old, T),))
    assert invariants.lead(ring, STANDBY, T + held - 1, S).right == T + held
    assert invariants.lead(ring, STANDBY, T + held, S).right == T + LEAD
    pending = msgspec.structs.replace(ring, superseded=(Superseded(old, None),))
    assert invariants.lead(pending, STANDBY, T + 10**9, S).right == T + held
    assert invariants.superseded(Superseded(old, None), T, S).right is None
    assert invariants.superseded(Superseded(old, T), T, S).right == T + held


def test_older_policies_lengthen_retirement() -> None:
    """I8 for I2: an older, larger leeway counts while verifiers may still obey it."""
    old = seconds_policy(leeway="5s")
    ring = msgspec.structs.replace(ring_of(STOPPED), superseded=(Superseded(old, None),))
    assert invariants.retire(ring, STOPPED, T, S).right == T + RETIRE + 4900


@pytest.mark.parametrize(("elapsed", "holds"), [(1499, True), (1500, True), (1501, False)])
def test_a_lease_holds_to_its_last_millisecond(elapsed: int, holds: bool) -> None:
    """I3: elapsed ≤ P."""
    assert invariants.lease(elapsed, 1500).holds is holds


@pytest.mark.parametrize(
    ("others", "holds"),
    [
        ((), False),
        ((record(4, KeyState.PRE_ACTIVATION, published=T),), True),
        ((record(4, KeyState.PRE_ACTIVATION, published=T + 1),), False),
        ((record(4, KeyState.PRE_ACTIVATION, published=T, private=None),), False),
        ((record(4, KeyState.DEACTIVATED, published=T, activated=T),), False),
    ],
    ids=["none", "ready", "a millisecond short", "can't sign", "no standby"],
)
def test_a_promotion_leaves_a_ready_standby(others: tuple[KeyRecord, ...], holds: bool) -> None:
    """I5: another standby that satisfies I1 itself."""
    check = invariants.standby(ring_of(STANDBY, *others), STANDBY, T + LEAD, S)
    assert check.holds is holds


# --- transitions -----------------------------------------------------------------------------

ACTIVE = record(5, KeyState.ACTIVE, published=T - 9, activated=T - 8)


def changed(key: KeyRecord, **changes: object) -> KeyRecord:
    """Return a key with some members changed."""
    return msgspec.structs.replace(key, **changes)


@pytest.mark.parametrize(
    ("before", "after", "error"),
    [
        (STANDBY, changed(STANDBY, state=KeyState.ACTIVE, activated=T), checks.LeadBroken),
        (
            changed(STANDBY, published=None),
            changed(STANDBY, published=None, state=KeyState.ACTIVE, activated=T),
            checks.OrderBroken,
        ),
        (STOPPED, changed(STOPPED, state=KeyState.DESTROYED, destroyed=T), checks.RetirementBroken),
        (STOPPED, changed(STOPPED, private=None), checks.RetirementBroken),
        (
            changed(STOPPED, stopped=None),
            changed(STOPPED, stopped=None, private=None),
            checks.OrderBroken,
        ),
        (ACTIVE, changed(ACTIVE, private=None), checks.OrderBroken),
        (REVOKED, changed(REVOKED, state=KeyState.DESTROYED, destroyed=T), checks.RevocationBroken),
        (
            changed(REVOKED, revoked=None, private=b"x"),
            changed(REVOKED, revoked=None, private=None),
            checks.OrderBroken,
        ),
        (REVOKED, changed(REVOKED, state=KeyState.ACTIVE), checks.IdentityBroken),
        (STOPPED, changed(STOPPED, state=KeyState.PRE_ACTIVATION), checks.IdentityBroken),
        (
            changed(STOPPED, barred=True),
            changed(STOPPED, barred=True, state=KeyState.ACTIVE, activated=T),
            checks.IdentityBroken,
        ),
        (STANDBY, changed(STANDBY, fingerprint="other"), checks.IdentityBroken),
        (
            ACTIVE,
            changed(ACTIVE, state=KeyState.DESTROYED, activated=T, deactivated=T, destroyed=T, removed=T),
            checks.CatchUpBroken,
        ),
    ],
    ids=[
        "I1 promotion too early",
        "I10 promotion unseen",
        "I2 destruction too early",
        "I2 private half too early",
        "I10 private half unseen",
        "I10 private half of the signing key",
        "I4 forgotten too early",
        "I10 private half of a published revoked key",
        "I9 revoked key returns",
        "I9 state walked back",
        "I9 barred key returns",
        "I9 kid rebound",
        "I7 two gated steps at once",
    ],
)
def test_a_write_that_breaks_a_rule_is_refused(
    before: KeyRecord, after: KeyRecord, error: type[InvariantBroken]
) -> None:
    """Whatever decided on it, `judge` stops the write with the rule's own error."""
    with pytest.raises(error):
        invariants.judge(ring_of(before), ring_of(after), T, S)


def test_a_lost_record_and_a_doubled_key_are_refused() -> None:
    """I9: a kid leaves the records only as a tombstone, and no key has two kids."""
    with pytest.raises(checks.IdentityBroken):
        invariants.judge(ring_of(STANDBY, STOPPED), ring_of(STANDBY), T, S)
    twin = changed(STANDBY, kid="twin")
    with pytest.raises(checks.IdentityBroken):
        invariants.judge(ring_of(STANDBY), ring_of(STANDBY, twin), T, S)
    tombstone = changed(STOPPED, state=KeyState.DESTROYED, destroyed=T, removed=T, private=None)
    invariants.judge(ring_of(STANDBY, tombstone), ring_of(STANDBY), T, S)


def test_two_signing_keys_are_refused() -> None:
    """I10: at most one active key."""
    other = changed(STANDBY, founding=True)
    after = changed(other, state=KeyState.ACTIVE, activated=T)
    with pytest.raises(checks.OrderBroken):
        invariants.judge(ring_of(ACTIVE, other), ring_of(ACTIVE, after), T + LEAD, S)


def test_a_rollback_is_the_one_way_back() -> None:
    """A deactivated key that is not barred may sign again."""
    invariants.judge(
        ring_of(STOPPED), ring_of(changed(STOPPED, state=KeyState.ACTIVE, activated=T, stopped=None)), T, S
    )


def test_what_the_operator_waived_is_not_required() -> None:
    """With I1 waived in words an early promotion passes, and nothing else does."""
    early = changed(STANDBY, state=KeyState.ACTIVE, activated=T)
    invariants.judge(ring_of(STANDBY), ring_of(early), T, S, waived=frozenset({Invariant.LEAD}))
    with pytest.raises(checks.IdentityBroken):
        invariants.judge(ring_of(STANDBY, STOPPED), ring_of(early), T, S, waived=frozenset({Invariant.LEAD}))


def test_a_policy_that_forgets_its_predecessor_is_refused() -> None:
    """I8: shorter caches make nothing safe earlier unless the old ones are kept in mind."""
    shorter = seconds_policy(max_stale="0s")
    ring = ring_of(STANDBY, STOPPED)
    invariants.judge(ring, ring.with_policy(shorter, T), T, S)
    with pytest.raises(checks.PolicyChangeBroken):
        invariants.judge(ring, ring.replaced(policy=shorter), T, S)


def test_a_stamp_withdrawn_with_a_policy_change_is_no_breach() -> None:
    """I8 is about policies: a lead that starts anew in the same write is later, not earlier."""
    ring = ring_of(STANDBY)
    after = ring.with_policy(seconds_policy(max_stale="2s", rotate_every="9s"), T)
    invariants.judge(ring, after.stamped(STANDBY.kid, published=None), T, S)

"""Keyring: every transition from every state, and the ledger entry that tells of it."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest

from keyvault_jwt import keyring as keyrings
from keyvault_jwt.errors import (
    GateError,
    KeyringFrozen,
    KidNotFound,
    KidReused,
    PolicyRefused,
    RollbackRefused,
    WrongKeyType,
)
from keyvault_jwt.keyring import LINEAGE_LENGTH, ArchiveRef, Commit, Keyring, Migration, Superseded
from keyvault_jwt.keys import KeyRecord, KeyState
from tests.made_rings import NOW, made_key, made_ring
from tests.model.counted_keys import counted_key
from tests.model.scenes import ISSUER, seconds_policy

PRE, ACTIVE, DEACTIVATED = KeyState.PRE_ACTIVATION, KeyState.ACTIVE, KeyState.DEACTIVATED
COMPROMISED, DESTROYED = KeyState.COMPROMISED, KeyState.DESTROYED

TRANSITIONS: dict[str, Callable[[Keyring, str], Keyring]] = {
    "promoted": lambda ring, kid: ring.promoted(kid, NOW, reason="due"),
    "revoked": lambda ring, kid: ring.revoked(kid, NOW, reason="leaked"),
    "destroyed": lambda ring, kid: ring.destroyed(kid, NOW),
    "rolled back": lambda ring, kid: ring.rolled_back(NOW),
}

# What each transition makes of a key in each state; None: it is refused.
TABLE: dict[str, dict[KeyState, KeyState | None]] = {
    "promoted": {PRE: ACTIVE, ACTIVE: None, DEACTIVATED: None, COMPROMISED: None, DESTROYED: None},
    "revoked": {
        PRE: COMPROMISED,
        ACTIVE: COMPROMISED,
        DEACTIVATED: COMPROMISED,
        COMPROMISED: COMPROMISED,
        DESTROYED: DESTROYED,
    },
    "destroyed": {
        PRE: DESTROYED,
        ACTIVE: None,
        DEACTIVATED: DESTROYED,
        COMPROMISED: DESTROYED,
        DESTROYED: None,
    },
    "rolled back": {PRE: None, ACTIVE: None, DEACTIVATED: ACTIVE, COMPROMISED: None, DESTROYED: None},
}


def states(ring: Keyring) -> dict[str, KeyState]:
    """Return each key's state."""
    return {record.kid: record.state for record in ring.records}


def actions(before: Keyring, after: Keyring) -> list[str]:
    """Return what the new ledger entries say was done."""
    return [entry.action for entry in after.ledger.entries[len(before.ledger.entries) :]]


@pytest.mark.parametrize(
    ("transition", "state"), [(name, state) for name, row in TABLE.items() for state in row]
)
def test_every_transition_from_every_state(transition: str, state: KeyState) -> None:
    """Each ends where the table says or is refused, and touches no third key."""
    key, other = made_key(1, state), made_key(3, DEACTIVATED, barred=True, deactivated=NOW - 9000)
    signing = () if state is ACTIVE else (made_key(2, ACTIVE),)
    ring, wanted = made_ring(key, *signing, other), TABLE[transition][state]
    if wanted is None:
        with pytest.raises(GateError):
            TRANSITIONS[transition](ring, key.kid)
        return
    after = TRANSITIONS[transition](ring, key.kid)
    assert after.record(key.kid).state is wanted
    assert after.record(other.kid) == other
    assert sum(found is ACTIVE for found in states(after).values()) <= 1
    after.ledger.verify()


def test_promotion_retires_what_signed() -> None:
    """The old key becomes deactivated in the same write, its `stopped` still to be observed."""
    old, new = made_key(1, ACTIVE), made_key(2, PRE)
    ring = made_ring(old, new)
    after = ring.promoted(new.kid, NOW, reason="rotation due")
    assert states(after) == {old.kid: DEACTIVATED, new.kid: ACTIVE}
    retired, active = after.record(old.kid), after.active
    assert (retired.deactivated, retired.stopped, retired.barred) == (NOW, None, False)
    assert active is not None
    assert (active.activated, active.token_ttl_max, active.lease_max) == (NOW, 2000, 1500)
    assert actions(ring, after) == ["deactivated", "promoted"]


def test_standby_without_private_half_is_not_promoted() -> None:
    """A key that can't sign never becomes the one that signs."""
    ring = made_ring(made_key(1, ACTIVE), made_key(2, PRE, private=None))
    with pytest.raises(GateError, match="can't be promoted"):
        ring.promoted(ring.records[1].kid, NOW, reason="due")


def test_rollback_swaps_and_bars() -> None:
    """The key rolled back from can never be rolled back to, so nothing swings to and fro."""
    old, new = made_key(1, DEACTIVATED), made_key(2, ACTIVE)
    ring = made_ring(old, new)
    after = ring.rolled_back(NOW)
    assert states(after) == {old.kid: ACTIVE, new.kid: DEACTIVATED}
    assert after.record(new.kid).barred
    back = after.record(old.kid)
    assert (back.activated, back.deactivated, back.stopped) == (NOW, None, None)
    assert actions(ring, after) == ["deactivated", "rolled-back"]
    with pytest.raises(RollbackRefused, match="itself replaced by a rollback"):
        after.rolled_back(NOW + 1)


def test_bar_stays_through_another_retirement() -> None:
    """A barred key is barred for good, however it stops signing again."""
    ring = made_ring(made_key(1, ACTIVE, barred=True), made_key(2, PRE))
    after = ring.promoted(ring.records[1].kid, NOW, reason="due")
    assert after.record(ring.records[0].kid).barred


@pytest.mark.parametrize(
    ("previous", "why"),
    [
        (made_key(1, COMPROMISED, deactivated=NOW - 700), "compromised"),
        (made_key(1, DEACTIVATED, barred=True), "itself replaced by a rollback"),
        (made_key(1, DEACTIVATED, private=None), "already dropped"),
        (made_key(1, DESTROYED), "no key signed before"),
        (made_key(1, PRE), "no key signed before"),
        (made_key(1, DEACTIVATED, activated=None), "no key signed before"),
    ],
)
def test_rollback_refused(previous: KeyRecord, why: str) -> None:
    """Compromised, barred, half dropped, gone, or never signed: each is refused for its own reason."""
    with pytest.raises(RollbackRefused, match=why):
        made_ring(previous, made_key(2, ACTIVE)).rollback_candidate()


def test_rollback_goes_to_the_latest_only() -> None:
    """A compromised predecessor is not jumped over to an older key."""
    older = made_key(1, DEACTIVATED, deactivated=NOW - 9000)
    latest = made_key(2, DEACTIVATED, deactivated=NOW - 10)
    assert made_ring(older, latest, made_key(3, ACTIVE)).rollback_candidate() == latest
    revoked = made_key(2, COMPROMISED, deactivated=NOW - 10, compromised=NOW - 5)
    with pytest.raises(RollbackRefused, match="compromised"):
        made_ring(older, revoked, made_key(3, ACTIVE)).rollback_candidate()


def test_rollback_where_nothing_signs_passes_over_the_revoked_key() -> None:
    """After the active key was revoked, what it had replaced can be put back."""
    old = made_key(1, DEACTIVATED)
    ring = made_ring(old, made_key(2, COMPROMISED))
    assert ring.rollback_candidate() == old
    assert ring.rolled_back(NOW).active == ring.rolled_back(NOW).record(old.kid)


def test_revoking_twice_changes_nothing() -> None:
    """Once compromised, the date and reason stand, and no second entry is written."""
    ring = made_ring(made_key(1, ACTIVE)).revoked(made_key(1, ACTIVE).kid, NOW, reason="leaked")
    kid = ring.records[0].kid
    assert (ring.record(kid).compromised, ring.record(kid).reason) == (NOW, "leaked")
    assert ring.revoked(kid, NOW + 1, reason="again") is ring


@pytest.mark.parametrize("state", [DESTROYED, DEACTIVATED])
def test_revoked_tombstone_stays_one(state: KeyState) -> None:
    """Revoking notes the compromise of a key that is gone, without bringing it back a state."""
    ring = made_ring(made_key(1, state))
    after = ring.revoked(ring.records[0].kid, NOW, reason="leaked").records[0]
    assert after.compromised == NOW
    assert after.is_tombstone is (state is DESTROYED)


def test_compromised_key_ends_with_its_removal_seen() -> None:
    """Its absence was read back before, so it is a tombstone at once; any other key must wait."""
    gone = made_ring(made_key(1, COMPROMISED, revoked=NOW - 500)).destroyed(made_key(1, COMPROMISED).kid, NOW)
    assert (gone.records[0].removed, gone.records[0].is_tombstone) == (NOW - 500, True)
    waiting = made_ring(made_key(1, DEACTIVATED)).destroyed(made_key(1, DEACTIVATED).kid, NOW)
    assert (waiting.records[0].removed, waiting.records[0].is_tombstone) == (None, False)


@pytest.mark.parametrize("state", KeyState)
def test_kid_and_key_bytes_never_come_twice(state: KeyState) -> None:
    """I9: neither the kid nor the bytes under another kid, whatever became of the first."""
    fresh, ring = counted_key("Ed25519", 1), made_ring(made_key(1, state))
    other_name = type(fresh)(
        kid="another", algorithm=fresh.algorithm, public=fresh.public, private=fresh.private
    )
    other = counted_key("Ed25519", 2)
    other_bytes = type(fresh)(
        kid=fresh.kid, algorithm=fresh.algorithm, public=other.public, private=other.private
    )
    for key in (fresh, other_name, other_bytes):
        with pytest.raises(KidReused):
            ring.added(key, NOW)


def test_added_waits_as_a_standby() -> None:
    """A new key is unpublished, and an imported one is told apart in the ledger."""
    ring = made_ring(made_key(1, ACTIVE))
    made, taken = (
        ring.added(counted_key("Ed25519", 2), NOW),
        ring.added(counted_key("Ed25519", 2), NOW, imported=True),
    )
    assert (made.records[1].state, made.records[1].published, made.records[1].created) == (PRE, None, NOW)
    assert (made.records[1].imported, taken.records[1].imported) == (False, True)
    assert (actions(ring, made), actions(ring, taken)) == (["added"], ["imported"])


def test_standbys_are_sorted_by_publication() -> None:
    """Oldest publication first, unpublished last, other algorithms and states not at all."""
    late, early = made_key(1, PRE, published=NOW - 1), made_key(2, PRE, published=NOW - 2)
    unknown, other = made_key(3, PRE, published=None), made_key(4, PRE, "ES256")
    ring = made_ring(unknown, late, other, early, made_key(5, ACTIVE))
    assert ring.standbys("Ed25519") == (early, late, unknown)
    assert ring.standbys("ES256") == (other,)


def test_resolve_takes_a_unique_prefix_of_eight() -> None:
    """A shorter or ambiguous prefix is refused; an exact kid always wins."""
    one = made_key(1, ACTIVE)
    ring = made_ring(one, made_key(2, PRE))
    assert ring.resolve(one.kid) == ring.resolve(one.kid[:8]) == one
    for bad in (one.kid[:7], "", one.kid + "x"):
        with pytest.raises(KidNotFound):
            ring.resolve(bad)
    twins = tuple(ring.amended(one, kid=kid).records[0] for kid in ("abcdefgh", "abcdefgh1", "abcdefgh2"))
    both = ring.replaced(records=twins)
    assert both.resolve("abcdefgh") == twins[0]
    with pytest.raises(KidNotFound, match="2 keys"):
        ring.replaced(records=twins[1:]).resolve("abcdefgh")


def test_policy_change_keeps_the_old_policy_and_raises_maxima() -> None:
    """The superseded values count until observed, and what was granted is never lowered (I8)."""
    ring = made_ring(made_key(1, ACTIVE))
    longer, shorter = seconds_policy(token_ttl="3s"), seconds_policy(token_ttl="1s")
    raised = ring.with_policy(longer, NOW)
    assert raised.superseded == (Superseded(ring.policy),)
    assert raised.records[0].token_ttl_max == 3000
    lowered = raised.with_policy(shorter, NOW)
    assert lowered.records[0].token_ttl_max == 3000
    assert lowered.policy_observed(NOW).policy_observed(NOW + 5).superseded == (
        Superseded(ring.policy, NOW),
        Superseded(longer, NOW),
    )
    assert ring.with_policy(seconds_policy(), NOW) is ring


def test_policy_change_never_changes_the_algorithm() -> None:
    """Only a migration does, since verifiers must hold the new keys first."""
    with pytest.raises(PolicyRefused, match="can't change the algorithm"):
        made_ring().with_policy(seconds_policy("ES256"), NOW)


def test_migration_begins_is_confirmed_and_is_cancelled() -> None:
    """Each step writes once, repeats change nothing, and a migration to oneself cancels."""
    ring = made_ring(made_key(1, ACTIVE))
    assert ring.migration_confirmed(NOW) is ring
    assert ring.migrating("Ed25519", NOW) is ring
    begun = ring.migrating("ES256", NOW)
    assert begun.migration == Migration("ES256")
    assert begun.migrating("ES256", NOW) is begun
    confirmed = begun.migration_confirmed(NOW)
    assert confirmed.migration == Migration("ES256", confirmed=True)
    assert confirmed.migration_confirmed(NOW) is confirmed
    assert confirmed.migrating("ES256", NOW) is confirmed
    assert confirmed.migrating("ES384", NOW).migration == Migration("ES384")
    assert actions(confirmed, confirmed.migrating("Ed25519", NOW)) == ["migration-cancelled"]
    assert confirmed.migrating("Ed25519", NOW).migration is None


def test_migration_ends_with_the_promotion() -> None:
    """The policy's algorithm follows the key that signs."""
    ring = made_ring(made_key(1, ACTIVE), made_key(2, PRE, "ES256")).migrating("ES256", NOW)
    after = ring.promoted(ring.records[1].kid, NOW, reason="migration")
    assert (after.algorithm, after.migration) == ("ES256", None)


def test_no_migration_between_symmetric_and_asymmetric() -> None:
    """Verifiers of the two read different documents."""
    with pytest.raises(PolicyRefused, match="symmetric"):
        made_ring().migrating("HS256", NOW)
    with pytest.raises(PolicyRefused, match="symmetric"):
        made_ring(policy=seconds_policy("HS256")).migrating("ES256", NOW)


def test_only_wanted_algorithms_are_taken_in() -> None:
    """A key for another algorithm needs the migration first."""
    ring = made_ring()
    ring.require_algorithm("Ed25519")
    with pytest.raises(WrongKeyType):
        ring.require_algorithm("ES256")
    ring.migrating("ES256", NOW).require_algorithm("ES256")


def test_frozen_keyring_takes_nothing_until_thawed() -> None:
    """It names the store where it lives on, and freezing twice writes once."""
    ring = made_ring()
    ring.require_thawed()
    frozen = ring.froze("memory:", NOW)
    assert frozen.froze("memory:", NOW) is frozen
    with pytest.raises(KeyringFrozen, match="memory:"):
        frozen.require_thawed()
    frozen.thawed("memory:", NOW).require_thawed()


def test_lineage_is_bounded_and_ends_with_the_latest_write() -> None:
    """Each commit is one revision more; only so many are carried along."""
    ring = made_ring()
    for number in range(2, LINEAGE_LENGTH + 10):
        ring = ring.committed(UUID(int=number))
    assert ring.revision == LINEAGE_LENGTH + 9
    assert len(ring.lineage) == LINEAGE_LENGTH
    assert ring.lineage[-1] == Commit(ring.revision, ring.write_id)
    assert ring.lineage[0].revision == ring.revision - LINEAGE_LENGTH + 1


def test_archived_takes_kids_and_first_entries_only() -> None:
    """The chain goes on from the last entry that left."""
    ring = made_ring(made_key(1, DESTROYED), made_key(2, ACTIVE)).told(NOW, "one").told(NOW, "two")
    after = ring.archived(ArchiveRef(1, "ab"), frozenset({ring.records[0].kid}), 2, NOW)
    assert after.records == ring.records[1:]
    assert [entry.action for entry in after.ledger.entries] == ["two", "archived"]
    assert after.ledger.base == ring.ledger.entries[1].hash
    after.ledger.verify()


def test_created_keyring_tells_of_each_founding_key() -> None:
    """The first entries name the algorithm and every key, imported ones as such."""
    founding = (made_key(1, PRE, founding=True, imported=True), made_key(2, PRE, founding=True))
    ring = keyrings.create("ring", ISSUER, seconds_policy(), founding, now=NOW, epoch=NOW)
    assert [entry.action for entry in ring.ledger.entries] == ["created", "imported", "added"]
    assert (ring.revision, ring.epoch, ring.active) == (0, NOW, None)


def test_nothing_touches_the_keyring_it_came_from() -> None:
    """Transitions return another keyring; the old value can still be compared with."""
    ring = made_ring(made_key(1, ACTIVE), made_key(2, PRE))
    copy = made_ring(made_key(1, ACTIVE), made_key(2, PRE))
    ring.promoted(ring.records[1].kid, NOW, reason="due").private_dropped(ring.records[0].kid, NOW)
    assert ring == copy

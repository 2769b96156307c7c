"""Every transition from every state: what it makes, and that the wrong ones are refused."""

from __future__ import annotations

from uuid import UUID

import msgspec
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
from keyvault_jwt.keyring import LINEAGE_LENGTH, Keyring
from keyvault_jwt.keys import KeyRecord, KeyState, new_record
from tests.model.counted_keys import counted_key
from tests.model.scenes import seconds_policy

NOW = 1_800_000_000_000


def key(number: int, state: KeyState, **changes: object) -> KeyRecord:
    """Return a key in a state, as if it had come there."""
    record = new_record(counted_key("Ed25519", number), NOW - 9000)
    stamps: dict[str, object] = {"published": NOW - 8000}
    if state is not KeyState.PRE_ACTIVATION:
        stamps |= {"activated": NOW - 7000}
    if state is KeyState.DEACTIVATED:
        stamps |= {"deactivated": NOW - 6000}
    if state is KeyState.COMPROMISED:
        stamps |= {"compromised": NOW - 5000}
    if state is KeyState.DESTROYED:
        stamps |= {"deactivated": NOW - 6000, "destroyed": NOW - 4000, "removed": NOW - 4000, "private": None}
    return msgspec.structs.replace(record, state=state, **(stamps | changes))


def ring_of(*records: KeyRecord) -> Keyring:
    """Return a keyring of these keys."""
    return keyrings.create("unit", "https://id.example", seconds_policy(), records, now=NOW, epoch=NOW)


ALL = tuple(key(number, state) for number, state in enumerate(KeyState))
KIDS = {record.state: record.kid for record in ALL}
ALLOWED = {
    "promoted": {KeyState.PRE_ACTIVATION},
    "destroyed": {KeyState.PRE_ACTIVATION, KeyState.DEACTIVATED, KeyState.COMPROMISED},
}


@pytest.mark.parametrize("state", KeyState)
def test_only_a_standby_is_promoted(state: KeyState) -> None:
    """From pre-activation a key signs and the one before it verifies on; from elsewhere it is refused."""
    ring = ring_of(*ALL)
    if state not in ALLOWED["promoted"]:
        with pytest.raises(GateError, match=state.value):
            ring.promoted(KIDS[state], NOW, reason="test")
        return
    after = ring.promoted(KIDS[state], NOW, reason="test")
    assert after.active is not None
    assert (after.active.kid, after.active.activated) == (KIDS[state], NOW)
    old = after.record(KIDS[KeyState.ACTIVE])
    assert (old.state, old.deactivated, old.stopped) == (KeyState.DEACTIVATED, NOW, None)
    assert [entry.action for entry in after.ledger.entries[-2:]] == ["deactivated", "promoted"]


def test_a_standby_without_private_half_is_not_promoted() -> None:
    """What can't sign is not made to."""
    ring = ring_of(key(1, KeyState.PRE_ACTIVATION, private=None))
    with pytest.raises(GateError):
        ring.promoted(ring.records[0].kid, NOW, reason="test")


@pytest.mark.parametrize("state", KeyState)
def test_destruction_skips_no_state(state: KeyState) -> None:
    """The signing key is never destroyed, and a tombstone not twice."""
    ring = ring_of(*ALL)
    if state not in ALLOWED["destroyed"]:
        with pytest.raises(GateError, match=state.value):
            ring.destroyed(KIDS[state], NOW)
        return
    record = ring.destroyed(KIDS[state], NOW).record(KIDS[state])
    assert (record.state, record.destroyed) == (KeyState.DESTROYED, NOW)
    assert not record.is_tombstone, "its removal was not read back yet"


def test_a_revoked_key_that_was_seen_gone_needs_no_second_look() -> None:
    """Its `revoked` stamp is its `removed` stamp."""
    ring = ring_of(key(1, KeyState.COMPROMISED, revoked=NOW - 10, private=None))
    assert ring.destroyed(ring.records[0].kid, NOW).records[0].removed == NOW - 10


@pytest.mark.parametrize("state", KeyState)
def test_any_key_is_revoked_once(state: KeyState) -> None:
    """A revocation counts from every state, a tombstone's too, is told once, and never undone."""
    ring = ring_of(*ALL)
    once = ring.revoked(KIDS[state], NOW, reason="leaked")
    record = once.record(KIDS[state])
    if state is KeyState.COMPROMISED:
        assert once is ring
        return
    assert (record.compromised, record.reason) == (NOW, "leaked")
    assert record.state is (state if state is KeyState.DESTROYED else KeyState.COMPROMISED)
    assert once.ledger.entries[-1].action == "revoked"
    assert once.revoked(KIDS[state], NOW + 1, reason="again") is once


def test_rollback_puts_the_previous_key_back_and_bars_the_other() -> None:
    """The key that signed before signs again with a new start; the one it replaces never does."""
    ring = ring_of(key(1, KeyState.DEACTIVATED, stopped=NOW - 5), key(2, KeyState.ACTIVE))
    after = ring.rolled_back(NOW)
    back, barred = after.records
    assert (back.state, back.activated, back.deactivated, back.stopped) == (KeyState.ACTIVE, NOW, None, None)
    assert (barred.state, barred.barred) == (KeyState.DEACTIVATED, True)
    with pytest.raises(RollbackRefused, match="itself replaced by a rollback"):
        after.rolled_back(NOW + 1)


@pytest.mark.parametrize(
    ("previous", "why"),
    [
        (None, "no key signed before"),
        (key(1, KeyState.COMPROMISED, deactivated=NOW - 6000), "compromised"),
        (key(1, KeyState.COMPROMISED), "compromised"),
        (key(1, KeyState.DEACTIVATED, private=None), "already dropped"),
        (key(1, KeyState.DEACTIVATED, barred=True), "replaced by a rollback"),
        (key(1, KeyState.DESTROYED), "no key signed before"),
    ],
)
def test_a_rollback_without_a_candidate_is_refused(previous: KeyRecord | None, why: str) -> None:
    """Never a compromised key, nor one without its private half, nor one already barred."""
    records = [key(2, KeyState.ACTIVE)] + ([previous] if previous is not None else [])
    with pytest.raises(RollbackRefused, match=why):
        ring_of(*records).rollback_candidate()


def test_rollback_takes_the_latest_key_that_signed() -> None:
    """Of several, the one that signed last; an older one is not reached past a compromised one."""
    older, newer = (
        key(1, KeyState.DEACTIVATED, deactivated=NOW - 900),
        key(2, KeyState.DEACTIVATED, deactivated=NOW - 100),
    )
    ring = ring_of(older, newer, key(3, KeyState.ACTIVE))
    assert ring.rollback_candidate().kid == newer.kid
    with pytest.raises(RollbackRefused):
        ring.revoked(newer.kid, NOW, reason="leaked").rollback_candidate()


def test_where_the_signing_key_was_revoked_its_predecessor_can_return() -> None:
    """With nothing signing, what the revoked key had replaced is the candidate."""
    ring = ring_of(key(1, KeyState.DEACTIVATED), key(2, KeyState.COMPROMISED))
    assert ring.rolled_back(NOW).active == ring.rolled_back(NOW).records[0]


def test_kids_and_keys_come_once() -> None:
    """I9: neither a known kid with other bytes nor known bytes under another kid are added."""
    ring = ring_of(*ALL)
    known, other = counted_key("Ed25519", 4), counted_key("Ed25519", 99)
    for fresh in (
        known,
        msgspec.structs.replace(other, kid=known.kid),
        msgspec.structs.replace(known, kid="another"),
    ):
        with pytest.raises(KidReused):
            ring.added(fresh, NOW)
    assert ring.added(other, NOW).record(other.kid).state is KeyState.PRE_ACTIVATION


def test_secrets_come_once_too() -> None:
    """I9 for symmetric keys, whose fingerprint is a hash of the secret."""
    policy = seconds_policy("HS256")
    first = counted_key("HS256", 1)
    ring = keyrings.create("unit", "iss", policy, [new_record(first, NOW)], now=NOW, epoch=NOW)
    with pytest.raises(KidReused):
        ring.added(msgspec.structs.replace(first, kid="another"), NOW)


@pytest.mark.parametrize(("prefix", "found"), [(8, True), (7, False), (43, True)])
def test_a_unique_prefix_of_eight_names_a_key(prefix: int, found: bool) -> None:
    """Shorter ones name nothing."""
    ring = ring_of(*ALL)
    kid = ALL[0].kid
    if found:
        assert ring.resolve(kid[:prefix]).kid == kid
        return
    with pytest.raises(KidNotFound):
        ring.resolve(kid[:prefix])


def test_an_ambiguous_prefix_names_nothing_but_a_whole_kid_does() -> None:
    """Two kids with one beginning are told apart only whole, even if one is the other's prefix."""
    one, two = counted_key("Ed25519", 1), counted_key("Ed25519", 2)
    records = [
        new_record(msgspec.structs.replace(one, kid="signing-key"), NOW),
        new_record(msgspec.structs.replace(two, kid="signing-key-2"), NOW),
    ]
    ring = ring_of(*records)
    assert ring.resolve("signing-key").kid == "signing-key"
    with pytest.raises(KidNotFound, match="2 keys of"):
        ring.resolve("signing-")
    with pytest.raises(KidNotFound):
        ring.record("signing")


def test_a_policy_change_keeps_the_old_one_in_mind() -> None:
    """The old policy counts on, L_max and P_max of the signing key only rise, and the same policy is none."""
    ring = ring_of(key(1, KeyState.ACTIVE, token_ttl_max=9000, lease_max=100))
    after = ring.with_policy(seconds_policy(signer_lease="500ms", signer_poll="100ms"), NOW)
    assert after.superseded[0].policy == ring.policy
    assert after.superseded[0].changed is None
    assert (after.records[0].token_ttl_max, after.records[0].lease_max) == (9000, 500)
    assert after.with_policy(after.policy, NOW) is after
    with pytest.raises(PolicyRefused, match="migrate"):
        ring.with_policy(seconds_policy("ES256"), NOW)


def test_a_migration_starts_once_and_is_called_off_by_naming_the_present_algorithm() -> None:
    """Repeats change nothing; another target starts anew, unconfirmed; symmetric targets are refused."""
    ring = ring_of(key(1, KeyState.ACTIVE))
    moving = ring.migrating("ES256", NOW)
    assert moving.migrating("ES256", NOW) is moving
    confirmed = moving.migration_confirmed(NOW)
    assert confirmed.migration_confirmed(NOW) is confirmed
    assert confirmed.migrating("ES384", NOW).migration == keyrings.Migration("ES384")
    assert confirmed.migrating("Ed25519", NOW).migration is None
    assert ring.migrating("Ed25519", NOW) is ring
    assert ring.migration_confirmed(NOW) is ring
    with pytest.raises(PolicyRefused, match="symmetric"):
        ring.migrating("HS256", NOW)
    with pytest.raises(WrongKeyType):
        ring.migrating("ES1", NOW)


def test_signing_with_the_new_algorithm_ends_the_migration() -> None:
    """The first promoted key of the target makes its algorithm the policy's."""
    target = new_record(counted_key("ES256", 1), NOW)
    ring = ring_of(key(1, KeyState.ACTIVE), target).migrating("ES256", NOW)
    after = ring.promoted(target.kid, NOW, reason="migration")
    assert (after.algorithm, after.migration) == ("ES256", None)
    assert after.policy == seconds_policy("ES256")


def test_keys_of_other_algorithms_are_no_standbys() -> None:
    """Only the present algorithm and a migration's target are taken."""
    ring = ring_of(key(1, KeyState.ACTIVE))
    ring.require_algorithm("Ed25519")
    with pytest.raises(WrongKeyType, match="takes keys for Ed25519, not ES256"):
        ring.require_algorithm("ES256")
    ring.migrating("ES256", NOW).require_algorithm("ES256")


def test_a_frozen_keyring_says_where_it_lives() -> None:
    """Freezing is told once; thawing brings it back."""
    frozen = ring_of(*ALL).froze("vault://kv/prod", NOW)
    assert frozen.froze("vault://kv/prod", NOW) is frozen
    with pytest.raises(KeyringFrozen, match="vault://kv/prod"):
        frozen.require_thawed()
    frozen.thawed("file:keys", NOW).require_thawed()


def test_the_lineage_holds_the_latest_commits() -> None:
    """64 (revision, write id) pairs, the present one last."""
    ring = ring_of(*ALL)
    for number in range(1, 100):
        ring = ring.committed(UUID(int=number))
    assert ring.revision == 99
    assert [commit.revision for commit in ring.lineage] == list(range(100 - LINEAGE_LENGTH, 100))
    assert ring.lineage[-1] == keyrings.Commit(99, UUID(int=99))


def test_standbys_come_in_the_order_of_their_publication() -> None:
    """The longest published first; those not yet published last."""
    late, first, never = (
        key(1, KeyState.PRE_ACTIVATION, published=NOW - 10),
        key(2, KeyState.PRE_ACTIVATION, published=NOW - 20),
        key(3, KeyState.PRE_ACTIVATION, published=None),
    )
    assert ring_of(never, late, first).standbys("Ed25519") == (first, late, never)
    assert ring_of(never, late, first).standbys("ES256") == ()


def test_nothing_private_shows_in_a_repr() -> None:
    """A keyring's repr tells kids and states, never bytes."""
    ring = ring_of(*ALL)
    assert ALL[1].kid in repr(ring)
    assert all(repr(record.private)[2:20] not in repr(ring) for record in ALL if record.private)

"""recover: a new epoch in which nothing retired comes back and one key signs at most."""

from __future__ import annotations

import itertools
from uuid import UUID

import pytest

from keyvault_jwt import document
from keyvault_jwt.document import Archive, Derived
from keyvault_jwt.errors import KeyringNotFound
from keyvault_jwt.invariants import exposure
from keyvault_jwt.keyring import ArchiveRef, Keyring
from keyvault_jwt.keys import KeyState
from keyvault_jwt.marks import Mark
from keyvault_jwt.recovery import recovered
from keyvault_jwt.store import DocumentKind
from tests.made_rings import NOW, made_key, made_ring
from tests.model.scenes import seconds_policy

PRE, ACTIVE, DEACTIVATED = KeyState.PRE_ACTIVATION, KeyState.ACTIVE, KeyState.DEACTIVATED
COMPROMISED, DESTROYED = KeyState.COMPROMISED, KeyState.DESTROYED


def public(keyring: Keyring) -> Derived:
    """Return what the public document shows of a keyring."""
    return document.derive(DocumentKind.PUBLIC, keyring)


def later(keyring: Keyring, commits: int = 3) -> Keyring:
    """Return the keyring some revisions on."""
    for number in range(commits):
        keyring = keyring.committed(UUID(int=100 + number))
    return keyring


@pytest.mark.parametrize(("restored", "shown"), list(itertools.product(KeyState, repeat=2)))
def test_nothing_retired_comes_back(restored: KeyState, shown: KeyState) -> None:
    """Of an older authority and a newer public document, the most retired state counts."""
    key = made_key(1, restored)
    newer = later(made_ring(made_key(1, shown)))
    after = recovered("ring", made_ring(key), (public(newer),), None, NOW).record(key.kid)
    assert after.state is max(restored, shown, key=lambda state: state.retirement)
    assert after.fingerprint == key.fingerprint


def test_one_active_at_most() -> None:
    """The key activated last goes on; the other is deactivated, its stop unseen, and barred."""
    restored, newer = made_key(1, ACTIVE, activated=NOW - 5000), made_key(2, ACTIVE, activated=NOW - 100)
    after = recovered("ring", made_ring(newer, restored), (), None, NOW)
    assert after.active is not None
    assert after.active.kid == newer.kid
    other = after.record(restored.kid)
    assert (other.state, other.stopped, other.barred) == (DEACTIVATED, None, True)


def test_active_key_without_private_half_signs_no_more() -> None:
    """It verifies on, but nothing signs."""
    after = recovered("ring", made_ring(made_key(1, ACTIVE, private=None)), (), None, NOW)
    assert (after.active, after.records[0].state) == (None, DEACTIVATED)


def test_key_known_only_to_public_verifies_but_never_signs() -> None:
    """Its tokens stay valid; it can't be rolled back to."""
    unknown = made_key(2, ACTIVE)
    after = recovered("ring", made_ring(made_key(1, ACTIVE)), (public(made_ring(unknown)),), None, NOW)
    adopted = after.record(unknown.kid)
    assert (adopted.state, adopted.public, adopted.private) == (DEACTIVATED, unknown.public, None)
    assert adopted.barred
    assert (adopted.deactivated, adopted.stopped) == (NOW, None)


def test_active_key_signs_on_though_authority_is_gone() -> None:
    """Its private half is in `signing`: signers need not wait for a whole lead."""
    lost = later(made_ring(made_key(1, ACTIVE), made_key(2, PRE)))
    signing = document.derive(DocumentKind.SIGNING, lost)
    after = recovered("ring", None, (public(lost), signing), None, NOW)
    assert after.active is not None
    assert after.active.private == lost.record(after.active.kid).private
    assert after.record(made_key(2, PRE).kid).state is DEACTIVATED


@pytest.mark.parametrize("shown", [DEACTIVATED, COMPROMISED, DESTROYED])
def test_signing_brings_nothing_retired_back(shown: KeyState) -> None:
    """A `signing` that lags behind what public tells of its key gives it no new life."""
    signing = document.derive(DocumentKind.SIGNING, made_ring(made_key(1, ACTIVE)))
    after = recovered("ring", None, (public(later(made_ring(made_key(1, shown)))), signing), None, NOW)
    assert after.active is None
    assert after.records[0].state is shown


def test_authority_gone_is_built_anew_from_public() -> None:
    """Every public half stays, no private one is there, and the ledger goes on."""
    lost = later(made_ring(made_key(1, ACTIVE), made_key(2, PRE), made_key(3, COMPROMISED)))
    after = recovered("ring", None, (public(lost),), None, NOW)
    assert [record.state for record in after.records] == [DEACTIVATED, DEACTIVATED, COMPROMISED]
    assert not any(record.can_sign for record in after.records)
    assert after.issuer == lost.issuer
    assert after.policy == lost.policy
    after.ledger.verify()
    assert after.ledger.next_seq == lost.ledger.next_seq + 1


def test_lost_secret_is_taken_from_the_verification_document() -> None:
    """A symmetric keyring's secrets stand there, so its tokens stay valid; without it the key is gone."""
    key = made_key(1, ACTIVE, "HS256")
    lost = made_ring(key, policy=seconds_policy("HS256"))
    verification = document.derive(DocumentKind.VERIFICATION, lost)
    after = recovered("ring", None, (verification, public(lost)), None, NOW).record(key.kid)
    assert (after.state, after.private, after.fingerprint) == (DEACTIVATED, key.private, key.fingerprint)
    without = recovered("ring", None, (public(lost),), None, NOW).record(key.kid)
    assert (without.state, without.removed) == (DESTROYED, None)


def test_nothing_to_go_by() -> None:
    """Neither authority nor public document: there is nothing to recover, whatever the mark says."""
    signing = document.derive(DocumentKind.SIGNING, made_ring(made_key(1, ACTIVE)))
    with pytest.raises(KeyringNotFound):
        recovered("ring", None, (signing,), Mark(1, 1, UUID(int=1)), NOW)


@pytest.mark.parametrize("state", KeyState)
def test_mark_knows_what_was_revoked(state: KeyState) -> None:
    """A revocation remembered outside the store holds, even for a key that came back alive."""
    key = made_key(1, state)
    mark = Mark(NOW, 9, UUID(int=9), frozenset({key.kid, "unknown"}))
    after = recovered("ring", made_ring(key), (), mark, NOW)
    assert after.record(key.kid).state is (DESTROYED if state is DESTROYED else COMPROMISED)
    assert after.record(key.kid).compromised is not None
    assert after.active is None


@pytest.mark.parametrize(
    ("was", "usable", "verifying", "wanted"),
    [
        (PRE, True, False, PRE),
        (ACTIVE, True, False, ACTIVE),
        (DEACTIVATED, True, False, DEACTIVATED),  # rolled back since
        (PRE, False, True, DEACTIVATED),
        (ACTIVE, False, True, DEACTIVATED),
        (DEACTIVATED, False, True, DEACTIVATED),
        (PRE, False, False, DESTROYED),
        (ACTIVE, False, False, DESTROYED),
        (DEACTIVATED, False, False, DESTROYED),
        (COMPROMISED, False, False, COMPROMISED),
    ],
)
def test_mark_knows_what_retired_since(
    was: KeyState, usable: bool, verifying: bool, wanted: KeyState
) -> None:
    """In a store older than the mark a key that verifiers may have let go of never signs again."""
    key = made_key(1, was)
    kids = frozenset({key.kid})
    mark = Mark(
        NOW,
        9,
        UUID(int=9),
        usable=kids if usable else frozenset(),
        verifying=kids if verifying else frozenset(),
    )
    after = recovered("ring", made_ring(key), (), mark, NOW).record(key.kid)
    assert after.state is wanted
    assert after.barred == (was is not wanted and wanted is DEACTIVATED)


def test_mark_says_nothing_of_what_came_after_it() -> None:
    """A key that only a document newer than the mark shows is as that document says."""
    key = made_key(1, ACTIVE)
    ring = made_ring(key)
    mark = Mark(ring.epoch, ring.revision, UUID(int=9), usable=frozenset())
    assert recovered("ring", ring, (), mark, NOW).record(key.kid).state is ACTIVE


def test_epoch_and_revision_are_above_all_evidence() -> None:
    """Readers of whatever document, and holders of the mark, see what follows as newer."""
    old, newer = made_ring(made_key(1, ACTIVE)), later(made_ring(made_key(1, ACTIVE)))
    ahead = public(newer.replaced(epoch=NOW + 10))
    mark = Mark(NOW + 20, 77, UUID(int=9))
    assert recovered("ring", old, (), None, NOW).epoch == NOW
    assert recovered("ring", old, (ahead,), None, NOW).epoch == NOW + 11
    assert recovered("ring", old, (ahead,), None, NOW).revision == newer.revision
    both = recovered("ring", old, (ahead,), mark, NOW)
    assert (both.epoch, both.revision, both.lineage) == (NOW + 21, 77, ())
    assert both.ledger.entries[-1].action == "recovered"


def test_stamps_that_must_be_proven_again() -> None:
    """A stop, an absence and a publication that a document denies are to be observed anew."""
    standby, unseen, old = made_key(1, PRE), made_key(2, PRE), made_key(3, DEACTIVATED)
    gone = made_key(4, COMPROMISED, revoked=NOW - 500)
    back = public(made_ring(standby, old, made_key(4, ACTIVE)))
    after = recovered("ring", made_ring(standby, unseen, old, gone), (back,), None, NOW)
    assert after.record(standby.kid).published == standby.published
    assert after.record(unseen.kid).published is None
    assert after.record(old.kid).stopped is None
    assert after.record(gone.kid).revoked is None


def archive_of(keyring: Keyring, number: int) -> Archive:
    """Return the archive of every record of a keyring."""
    draft = document.archive_draft(keyring, number, keyring.records, 0)
    return document.decode_archive("ring", draft.data)


def test_archived_tombstones_stay_out_but_unlisted_ones_come_in() -> None:
    """What a listed archive holds is not taken back; one that was lost from the list still tells."""
    tomb = made_key(1, DESTROYED)
    archive = archive_of(made_ring(tomb), 1)
    listed = made_ring(made_key(1, ACTIVE), archives=(ArchiveRef(1, "ab"),))
    assert recovered("ring", listed, (archive,), None, NOW).records == ()
    unlisted = recovered("ring", made_ring(made_key(1, ACTIVE)), (archive,), None, NOW)
    assert unlisted.record(tomb.kid).state is DESTROYED
    assert unlisted.record(tomb.kid).removed is None  # it still holds a private half, and may be out again


def test_recovered_keyring_is_alive() -> None:
    """A copy that was frozen may be the only one left."""
    assert recovered("ring", made_ring(frozen_to="memory:"), (), None, NOW).frozen_to is None


def test_policies_that_only_a_lost_revision_had_still_count() -> None:
    """Verifiers obey the caches that a newer public document promised, though its policy is lost (I8)."""
    slower = seconds_policy(max_stale="5s")
    shown = later(made_ring(made_key(1, ACTIVE)).with_policy(slower, NOW))
    after = recovered("ring", made_ring(made_key(1, ACTIVE)), (public(shown), public(shown)), None, NOW)
    assert [old.policy for old in after.superseded] == [slower]
    assert after.superseded[0].changed is None, "it counts until its replacement is read back"
    assert exposure(after, NOW, 0) == slower.timing(0).exposure


def test_a_policy_shown_again_counts_anew_though_its_end_is_on_record() -> None:
    """I8: the authority knows a later policy than what is shown: an earlier restore put the old one back."""
    old = made_ring()
    quicker = seconds_policy(max_stale="0s", rotate_every="9s")
    changed = old.with_policy(quicker, NOW).policy_observed(NOW)
    after = recovered("ring", changed, (public(old),), None, NOW + 99_000)
    assert [(each.policy, each.changed) for each in after.superseded] == [(old.policy, None)]


def test_the_end_of_a_policy_in_a_restored_authority_is_not_believed() -> None:
    """I8: verifiers may have been shown the older policy again after the backup was made."""
    slower = made_ring().with_policy(seconds_policy(max_stale="5s"), NOW)
    changed = slower.with_policy(made_ring().policy, NOW).policy_observed(NOW)
    assert {old.changed for old in changed.superseded} == {NOW}
    after = recovered("ring", changed, (public(later(changed)),), None, NOW + 99_000)
    assert [(old.policy, old.changed) for old in after.superseded] == [
        (old.policy, None) for old in changed.superseded
    ]


def test_a_key_outlasts_every_policy_it_may_have_signed_under() -> None:
    """L_max and P_max are those of the restored policy, too, whatever the newer document says (I2)."""
    restored = made_ring(made_key(1, ACTIVE), made_key(2, PRE))
    longer = restored.replaced(policy=seconds_policy(token_ttl="4s", signer_lease="3s"))
    after = recovered("ring", longer, (public(later(made_ring(made_key(1, DEACTIVATED)))),), None, NOW)
    key = after.record(made_key(1, ACTIVE).kid)
    assert (key.token_ttl_max, key.lease_max) == (4000, 3000)
    assert after.record(made_key(2, PRE).kid).token_ttl_max == 0, "it never signed"

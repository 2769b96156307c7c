"""What the derived documents prove, and when a proof is withdrawn."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from keyvault_jwt import document
from keyvault_jwt.document import Derived
from keyvault_jwt.keyring import Keyring
from keyvault_jwt.keys import KeyState
from keyvault_jwt.observation import observe
from keyvault_jwt.store import DocumentKind
from tests.model.scenes import active, kid_in, ready, rotated, seconds_policy
from tests.model.witness import Witness
from tests.model.world import World

LATER = ready().now + 12_345


def all_of(ring: Keyring) -> dict[DocumentKind, Derived]:
    """Return what every derived document says once it is written."""
    return {kind: document.derive(kind, ring) for kind in document.derived_kinds(ring)}


def unstamped(world: World) -> Keyring:
    """Return the keyring without any observed fact."""
    ring = world.keyring
    for record in ring.records:
        ring = ring.stamped(record.kid, published=None, stopped=None, revoked=None, removed=None)
    return ring


@pytest.fixture(params=["Ed25519", "HS256"])
def world(request: pytest.FixtureRequest) -> World:
    """A second after a rotation, with a revoked and a destroyed key."""
    world = rotated(request.param)
    ring = world.keyring
    ring = ring.revoked(kid_in(world, KeyState.PRE_ACTIVATION), world.now, reason="leaked")
    return replace(world, witness=Witness(0, latest=ring))


def test_current_documents_prove_everything(world: World) -> None:
    """Standbys published, the old key stopped, the revoked and the destroyed gone: stamped now."""
    ring = unstamped(world)
    seen = observe(ring, all_of(ring), LATER)
    stamps = {
        KeyState.PRE_ACTIVATION: "published",
        KeyState.DEACTIVATED: "stopped",
        KeyState.COMPROMISED: "revoked",
        KeyState.DESTROYED: "removed",
    }
    told = {r.state: getattr(r, stamps[r.state]) for r in seen.records if r.state in stamps}
    assert told == dict.fromkeys(stamps, LATER)


def test_a_key_seen_gone_loses_its_private_half_with_the_stamp(world: World) -> None:
    """I10: the stamp and the drop are one write, told in the ledger."""
    ring = unstamped(world)
    kid = next(record.kid for record in ring.records if record.state is KeyState.COMPROMISED)
    assert ring.record(kid).can_sign
    seen = observe(ring, all_of(ring), LATER)
    assert not seen.record(kid).can_sign
    assert seen.ledger.entries[-1].action == "private-half-dropped"
    assert seen.record(active(world)).can_sign


def test_nothing_new_is_the_same_object(world: World) -> None:
    """Where every fact is stamped, nothing changes."""
    ring = unstamped(world)
    seen = observe(ring, all_of(ring), LATER)
    assert observe(seen, all_of(seen), LATER + 1) is seen
    assert observe(ring, {}, LATER) is ring


def test_a_lagging_document_proves_nothing() -> None:
    """Before a slower writer is shut out by a newer document, no clock starts, stopped or published."""
    world = ready()
    before = world.keyring
    after = before.promoted(before.standbys("Ed25519")[0].kid, LATER, reason="test")
    again = after.promoted(after.standbys("Ed25519")[0].kid, LATER, reason="test")
    assert observe(again, all_of(before), LATER) is again, "the key between the two was never seen to stop"
    seen = observe(again, all_of(again), LATER)
    assert seen.record(active(world)).stopped == LATER


@pytest.mark.parametrize("algorithm", ["Ed25519", "HS256"])
def test_a_state_that_came_back_is_not_the_one_before(algorithm: str) -> None:
    """After a rollback the signing document must be written anew, though the same key signs."""
    world = rotated(algorithm)
    before = world.keyring
    after = before.promoted(before.standbys(algorithm)[0].kid, LATER, reason="test")
    back = after.rolled_back(LATER)
    old, new = all_of(before)[DocumentKind.SIGNING], all_of(back)[DocumentKind.SIGNING]
    assert isinstance(old, document.SigningDocument)
    assert isinstance(new, document.SigningDocument)
    assert old.key == new.key
    assert not document.says_the_same(old, new)


def test_a_fact_that_is_denied_loses_its_stamp(world: World) -> None:
    """A document of before, restored, withdraws what was seen after it, even though it lags."""
    ring = unstamped(world)
    seen = observe(ring, all_of(ring), LATER)
    kids = {state: next(r.kid for r in seen.records if r.state is state) for state in KeyState}
    revived = seen.replaced(
        records=tuple(
            msgspec.structs.replace(ring.record(r.kid), state=KeyState.DEACTIVATED)
            if r.state is KeyState.COMPROMISED
            else r
            for r in seen.records
        )
    )
    denied = observe(seen, all_of(revived), LATER + 1)
    assert denied.record(kids[KeyState.COMPROMISED]).revoked is None
    bare = seen.replaced(
        records=tuple(record for record in seen.records if record.state is not KeyState.PRE_ACTIVATION)
    )
    denied = observe(seen, all_of(bare), LATER + 1)
    assert denied.record(kids[KeyState.PRE_ACTIVATION]).published is None


def test_a_policy_counts_as_changed_once_public_shows_it() -> None:
    """I8: not from the commit on, but from the first read of `public` with the new policy."""
    before = ready().keyring
    after = before.with_policy(seconds_policy(max_stale="2s", rotate_every="9s"), LATER)
    assert observe(after, all_of(before), LATER).superseded[0].changed is None
    seen = observe(after, all_of(after), LATER)
    assert seen.superseded[0].changed == LATER
    assert observe(seen, all_of(seen), LATER + 5).superseded[0].changed == LATER


@pytest.mark.parametrize("algorithm", ["Ed25519", "HS256"])
@pytest.mark.parametrize("forgotten", [False, True])
def test_an_older_policy_that_is_shown_again_counts_anew(algorithm: str, *, forgotten: bool) -> None:
    """I8: what verifiers read is put back to before a policy change: old values count until the repair."""
    before = ready(algorithm).keyring
    policy = seconds_policy(algorithm=algorithm, max_stale="0s", rotate_every="9s")
    after = before.with_policy(policy, LATER)
    changed = observe(after, all_of(after), LATER)
    changed = changed.without_expired(()) if forgotten else changed
    for restored in all_of(before):
        shown = observe(changed, {**all_of(changed), restored: all_of(before)[restored]}, LATER + 7)
        counts = [(old.policy, old.changed) for old in shown.superseded]
        if restored is DocumentKind.SIGNING:
            assert counts == [(old.policy, old.changed) for old in changed.superseded]
        else:
            assert counts == [(before.policy, None)]
            assert observe(shown, all_of(shown), LATER + 9).superseded[0].changed == LATER + 9


def test_the_end_of_a_migration_is_no_policy_change() -> None:
    """A public document that lags behind a change of algorithm alone has the same times: no wait."""
    before = ready().keyring
    other = before.policy.model_copy(update={"algorithm": "ES256"})
    after = before.replaced(policy=other)
    assert observe(after, all_of(before), LATER).superseded == ()

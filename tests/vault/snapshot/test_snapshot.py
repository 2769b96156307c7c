"""An older raft snapshot is put back: everybody notices, nobody acts on it, and no key comes back."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from keyvault_jwt.errors import PublisherLeaseExpired, RolledBack, SignerLeaseExpired
from keyvault_jwt.keys import KeyState
from tests.vault.snapshot.parties import RING, Parties
from tests.vault.snapshot.solo_node import SoloNode

LEASE = 1500


@dataclass(frozen=True)
class Lost:
    """What happened after the snapshot: `retired` signed before it, `revoked` after it; both are gone."""

    retired: str
    revoked: str
    retired_token: str
    revoked_token: str
    epoch: int
    revision: int


@pytest.fixture
def lost(parties: Parties, node: SoloNode) -> Lost:
    """The server is put back to before a rotation, the end of its old key, and a revocation."""
    parties.live_until(lambda: all(r.published is not None for r in parties.keyring.records))
    snapshot = node.snapshot()
    retired, retired_token = parties.active(), parties.token()
    parties.live_until(lambda: parties.keyring.record(retired).state is KeyState.DESTROYED)
    revoked = parties.active()
    revoked_token = parties.token()
    assert parties.accepted(revoked_token)
    parties.manager.revoke(RING, revoked, reason="leaked in a log")
    parties.live_until(lambda: parties.signer.kid not in {None, revoked})
    now = parties.keyring
    node.restore(snapshot)
    return Lost(retired, revoked, retired_token, revoked_token, now.epoch, now.revision)


def test_the_scheduler_leaves_it_alone(parties: Parties, lost: Lost) -> None:
    """No pass and no command writes anything, by this process or the next; the event says what is wrong."""
    assert parties.active() == lost.retired
    there = parties.documents()
    parties.events.clear()
    parties.clock.advance(60_000)
    parties.scheduler.run_pending()
    codes = [event.facts.get("code") for event in parties.events if event.name == "scheduler.keyring-failed"]
    assert codes == [RolledBack.code]
    for manager in (parties.manager, parties.another_manager()):
        with pytest.raises(RolledBack):
            manager.reconcile(RING)
        with pytest.raises(RolledBack):
            manager.rotate(RING, replacing=lost.retired, emergency=True)
    assert parties.documents() == there


def test_signers_and_publishers_serve_their_last_good_set(parties: Parties, lost: Lost) -> None:
    """Within their leases they serve what they had, then nothing; after a restart nothing at once."""
    kid, published = parties.signer.kid, parties.publisher.current()
    parties.events.clear()
    parties.signer.refresh()
    parties.publisher.refresh()
    told = {event.facts.get("code") for event in parties.events}
    assert told == {RolledBack.code}
    assert parties.publisher.status().failure == RolledBack.code
    assert (parties.signer.kid, parties.publisher.current()) == (kid, published)
    assert parties.accepted(parties.token())
    assert not parties.accepted(lost.revoked_token)
    for restarted in (parties.another_signer().start, parties.another_publisher().start):
        with pytest.raises(RolledBack):
            restarted()
    parties.clock.advance(LEASE + 1)
    with pytest.raises(SignerLeaseExpired):
        parties.token()
    with pytest.raises(PublisherLeaseExpired):
        parties.publisher.current()


def test_recover_brings_no_key_back(parties: Parties, lost: Lost) -> None:
    """A new epoch above all that was seen; who signs and publishes goes on, and the old keys never do."""
    parties.clock.advance(60_000)
    parties.manager.recover(RING)
    recovered = parties.keyring
    assert (recovered.epoch, recovered.revision) > (lost.epoch, lost.revision)
    assert recovered.epoch > lost.epoch
    assert recovered.record(lost.revoked).compromised is not None
    signed: set[str | None] = set()

    def look() -> bool:
        signed.add(parties.signer.kid)
        assert not parties.accepted(lost.revoked_token)
        return len(signed - {None}) > 2

    parties.signer.refresh()
    parties.publisher.refresh()
    assert parties.accepted(parties.token())
    parties.live_until(look)
    assert not signed & {lost.retired, lost.revoked}
    for kid in (lost.retired, lost.revoked):
        assert not parties.keyring.record(kid).can_sign

"""Followers that lag: a little, as they always do, or much, after they were stopped (SIGSTOP)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from uuid import uuid4

import pytest

import keyvault_jwt as kj
from keyvault_jwt.errors import SignerLeaseExpired, StoreUnavailable
from keyvault_jwt.events import Event
from keyvault_jwt.store import DocumentKind, DocumentName
from keyvault_jwt.testing.bao_cluster import BaoCluster
from tests.chaos_vault.logins import logins
from tests.vault.fleet.works import ISSUER, POLICY, RING
from tests.waiting import until

UNHURRIED = POLICY.model_copy(update={"rotate_every": timedelta(hours=1)})
"""Nothing falls due by itself."""
LOGINS = 60
"""Without care one in ten is denied."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[BaoCluster]:
    """Three nodes, all of which run before and after each test."""
    with BaoCluster() as running:
        yield running


def test_follower_that_has_not_heard_of_a_login(
    cluster: BaoCluster, settle: Callable[[dict[str, str]], None]
) -> None:
    """Whoever logs in at a follower is served at once, though the follower learns of the token only then."""
    url = f"vault://secret/{uuid4().hex}"
    name = DocumentName(RING, DocumentKind.SIGNING)
    settle({"BAO_ADDR": cluster.followers[0].url, **logins(cluster, url)["signer"]})
    for _ in range(LOGINS):
        with kj.open_store(f"{url}?auth=approle") as store:
            assert store.read(name) is None


def test_follower_that_serves_stale_reads(
    cluster: BaoCluster, settle: Callable[[dict[str, str]], None]
) -> None:
    """What it repeats renews no lease and decides nothing; who declared S takes it as merely late."""
    url, events = f"vault://secret/{uuid4().hex}?deadline=1s&read_timeout=500ms", list[Event]()
    with ExitStack() as stack:
        leader, (lagging, other) = cluster.leader, cluster.followers

        def at(node: dict[str, str], declared: str = "") -> kj.KeyManager:
            settle(node)
            return stack.enter_context(kj.KeyManager(kj.open_store(url + declared)))

        manager = at(cluster.environment(leader))
        founded = manager.create(RING, UNHURRIED, issuer=ISSUER).keyring
        assert founded.active is not None
        strict = at(cluster.environment(lagging))
        declared = at(cluster.environment(lagging), "&staleness=100ms")
        signer = stack.enter_context(kj.Signer(strict.store, RING))
        publisher = kj.Publisher(declared.store, RING, listener=events.append, background=False)
        old = manager.keyring(RING)
        until(lambda: _revision(publisher) == old.revision)
        assert signer.kid == founded.active.kid

        lagging.pause()
        rotated = manager.rotate(RING, emergency=True).keyring
        assert rotated.active is not None
        leader.pause()
        other.pause()
        lagging.resume()
        try:
            assert _revision(publisher) == old.revision, "the follower was to lag: the test proves nothing"
            assert _revision(publisher) == old.revision
            assert publisher.status().failure == ""
            assert not any(event.name == "publisher.rolled-back" for event in events)
            with pytest.raises(StoreUnavailable):
                strict.reconcile(RING)
            with pytest.raises(kj.KeyvaultJWTError):
                declared.rotate(RING, replacing=founded.active.kid, emergency=True)
            until(lambda: _expired(signer))
        finally:
            leader.resume()
            other.resume()
        until(lambda: signer.kid == rotated.active.kid and not _expired(signer))
        until(lambda: (_revision(publisher) or 0) >= rotated.revision)
        assert declared.rotate(RING, replacing=founded.active.kid, emergency=True).keyring.active is not None
        after = manager.keyring(RING)
        assert [entry.kid for entry in after.ledger.entries if entry.action == "promoted"][-1:] == [
            rotated.active.kid
        ]
        assert {record.kid for record in rotated.records} <= {record.kid for record in after.records}


def _revision(publisher: kj.Publisher) -> int | None:
    """Return the revision that a read shows now; the last one shown if it fails."""
    publisher.refresh()
    held = publisher.status().published
    return None if held is None else held.revision


def _expired(signer: kj.Signer) -> bool:
    try:
        signer.sign({"sub": "u1"})
    except SignerLeaseExpired:
        return True
    return False

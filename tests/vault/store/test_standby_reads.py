"""On raft storage: reads show what was last written or fail, and sizes are what a raft entry takes."""

from __future__ import annotations

import os
from typing import Any
from uuid import uuid4

import pytest

from keyvault_jwt.errors import DocumentTooLarge, StoreTimeout, StoreUnavailable
from keyvault_jwt.store import DocumentKind, DocumentName, Draft, Limits
from keyvault_jwt.testing.bao_cluster import BaoCluster, BaoNode
from keyvault_jwt_vault import Address, Session, StaticToken, VaultStore
from keyvault_jwt_vault.address import parse_url
from keyvault_jwt_vault.kv_store import LIMITS
from tests.waiting import until

NAME = DocumentName("payments", DocumentKind.AUTHORITY)
OLD, NEW = (Draft(text, revision, uuid4()) for revision, text in enumerate((b"old", b"new"), 1))
ROUNDS = 20
"""How often a standby is cut off at most: it may take in what was on its way, and then does not lag."""


def test_a_lagging_standby_never_answers_for_the_active_node(cluster: BaoCluster) -> None:
    """A standby cut off from a leader that wrote since shows the old state only to whoever allows that."""
    try:
        lagged = any(_lags(cluster) for _ in range(ROUNDS))
    finally:
        cluster.settle()
    assert lagged, "no standby lagged: the test proves nothing"


def _lags(cluster: BaoCluster) -> bool:
    """Cut a standby off and check how it answers; False if it did not lag."""
    cluster.settle()
    leader = cluster.leader
    lagging, other = (node for node in cluster.nodes if node is not leader)
    place = uuid4().hex
    hasty = {"deadline": 2_000, "read_timeout": 1_000}
    with (
        _at(leader, cluster.token, place) as writer,
        _at(lagging, cluster.token, place, **hasty) as strict,
        _at(lagging, cluster.token, place, **hasty, staleness=3_600_000) as lenient,
    ):
        try:
            version = writer.replace(NAME, OLD, expected=None)
            until(lambda: _sees(strict) == OLD)
            until(lambda: _sees(lenient) == OLD)
            lagging.pause()
            writer.replace(NAME, NEW, expected=version)
            leader.pause()
            other.pause()
            lagging.resume()
            lags = _sees(lenient) == OLD
            if lags:
                with pytest.raises(StoreUnavailable):
                    strict.read(NAME)
        except (StoreUnavailable, StoreTimeout):
            return False  # the nodes were at an election of their own
        finally:
            for node in cluster.nodes:
                node.resume()
        until(lambda: _sees_no_other_than_new(strict))
    return lags


def _at(node: BaoNode, token: str, prefix: str, **more: Any) -> VaultStore:
    """Return a store by way of one node."""
    address = Address(server=node.url, mount="secret", prefix=prefix, **more)
    return VaultStore(Session(address, StaticToken(token)))


def _sees_no_other_than_new(store: VaultStore) -> bool:
    seen = _sees(store)
    assert seen in (None, NEW), "the old state was shown after all"
    return seen == NEW


def _sees(store: VaultStore) -> Draft | None:
    """Return what a store reads; None while it can't."""
    try:
        seen = store.read(NAME)
    except StoreUnavailable:
        return None
    return None if seen is None else seen.draft


def test_a_document_of_the_limit_fits_into_an_entry_of_raft(
    cluster: BaoCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The declared limit is one that raft's entry takes in the worst form; its refusal is typed."""
    for name, value in cluster.environment(cluster.leader).items():
        monkeypatch.setenv(name, value)
    address, _ = parse_url(f"vault://secret/{uuid4().hex}")
    worst = (os.urandom(LIMITS.document_bytes), b"<" * LIMITS.document_bytes, b"a" * LIMITS.document_bytes)
    with VaultStore(Session(address, StaticToken(cluster.token)), limits=Limits(2_000_000)) as store:
        version = None
        for revision, data in enumerate(worst, 1):
            version = store.replace(NAME, Draft(data, revision, uuid4()), expected=version)
        with pytest.raises(DocumentTooLarge):
            store.replace(NAME, Draft(bytes(1_200_000), 4, uuid4()), expected=version)
        seen = store.read(NAME)
        assert seen is not None
        assert seen.version == version

"""On raft storage: reads show what was last written or fail, and sizes are what a raft entry takes."""

from __future__ import annotations

import os
from uuid import uuid4

import pytest

from keyvault_jwt.errors import DocumentTooLarge, StoreUnavailable
from keyvault_jwt.store import DocumentKind, DocumentName, Draft, Limits
from keyvault_jwt.testing.bao_cluster import BaoCluster
from keyvault_jwt_vault import Session, StaticToken, VaultStore, open_url
from keyvault_jwt_vault.address import parse_url
from keyvault_jwt_vault.kv_store import LIMITS
from tests.waiting import until

NAME = DocumentName("payments", DocumentKind.AUTHORITY)
OLD, NEW = (Draft(text, revision, uuid4()) for revision, text in enumerate((b"old", b"new"), 1))


def test_a_lagging_standby_never_answers_for_the_active_node(
    cluster: BaoCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A standby cut off from a leader that wrote since shows the old state only to whoever allows that."""
    leader, (lagging, other) = cluster.leader, cluster.followers
    for name, value in cluster.environment(lagging).items():
        monkeypatch.setenv(name, value)
    url = f"vault://secret/{uuid4().hex}?deadline=2s&read_timeout=1s"
    with open_url(url) as strict, open_url(f"{url}&staleness=1h") as lenient:
        version = strict.replace(NAME, OLD, expected=None)
        until(lambda: (seen := lenient.read(NAME)) is not None and seen.draft == OLD)
        lagging.pause()
        for name, value in cluster.environment(leader).items():
            monkeypatch.setenv(name, value)
        with open_url(url) as writer:
            writer.replace(NAME, NEW, expected=version)
        leader.pause()
        other.pause()
        lagging.resume()
        try:
            stale = lenient.read(NAME)
            assert stale is not None
            assert stale.draft == OLD, "the standby was to lag: the test proves nothing"
            with pytest.raises(StoreUnavailable):
                strict.read(NAME)
        finally:
            leader.resume()
            other.resume()
        cluster.leader  # noqa: B018  (waits for one)

        def sees_new() -> bool:
            try:
                seen = strict.read(NAME)
            except StoreUnavailable:
                return False
            assert seen is not None
            assert seen.draft == NEW
            return True

        until(sees_new)


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

"""Three nodes: standbys sign by what they have replicated, and we ask the active one."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator

import pytest

from keyvault_jwt.errors import StoreUnavailable
from keyvault_jwt.testing.bao_cluster import BaoCluster, BaoNode
from keyvault_jwt_vault import TransitStore, open_url
from tests.vault.transit.conftest import MOUNT, RING, name, version
from tests.waiting import until


@pytest.fixture(scope="module")
def cluster() -> Iterator[BaoCluster]:
    """Three nodes with Transit, on each of which it can be asked."""
    with BaoCluster() as running:
        running.leader.ask("POST", f"sys/mounts/{MOUNT}", {"type": "transit"}, running.token)
        for node in running.nodes:
            until(lambda node=node: mounted(node, running.token))
        yield running


def mounted(node: BaoNode, token: str) -> bool:
    """Return whether the node knows the mount."""
    try:
        return bool(node.ask("GET", f"sys/internal/ui/mounts/{MOUNT}", token=token))
    except OSError:
        return False


def at(cluster: BaoCluster, node: BaoNode, environment: pytest.MonkeyPatch) -> None:
    """Let what is opened from here on talk to that node."""
    for key, value in cluster.environment(node).items():
        environment.setenv(key, value)


def opened(options: str = "") -> TransitStore:
    """Return a store with short time-outs."""
    store = open_url(f"vault://secret/jwt?transit={MOUNT}&deadline=2s&read_timeout=1s{options}")
    assert isinstance(store, TransitStore)
    return store


def own_words(node: BaoNode, token: str, reference: str) -> str:
    """Return what the node itself says when asked to sign."""
    body = {"input": b64encode(b"x").decode(), "key_version": version(reference)}
    asked = urllib.request.Request(
        f"{node.url}/v1/{MOUNT}/sign/{name(reference)}",
        method="POST",
        data=json.dumps(body).encode(),
        headers={"X-Vault-Token": token},
    )
    try:
        with urllib.request.urlopen(asked, timeout=5) as answer:
            return str(answer.read())
    except urllib.error.HTTPError as refused:
        return str(refused.read())


def test_a_lagging_standby_does_not_answer_for_the_active_node(
    cluster: BaoCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A standby that never heard of a version refuses it; through it we ask the active node, or nobody."""
    leader, (lagging, other) = cluster.leader, cluster.followers
    at(cluster, lagging, monkeypatch)
    with opened() as store:
        first = store.key_factory(RING).make("ES256").reference
        assert first is not None
        assert store.sign(first, "ES256", b"x")
        until(lambda: "vault:v2:" in own_words(lagging, cluster.token, first))
        lagging.pause()
        at(cluster, leader, monkeypatch)
        with opened() as elsewhere:
            second = elsewhere.key_factory(RING).make("ES256").reference
        assert second is not None
        leader.pause()
        other.pause()
        lagging.resume()
        try:
            said = own_words(lagging, cluster.token, second)
            assert "higher than the latest key version" in said, "the standby was to lag"
            for reference in (first, second):
                with pytest.raises(StoreUnavailable):
                    store.sign(reference, "ES256", b"x")
        finally:
            leader.resume()
            other.resume()
        cluster.leader  # noqa: B018  (waits for one)

        def signs() -> bool:
            try:
                return bool(store.sign(second, "ES256", b"x"))
            except StoreUnavailable:
                return False

        until(signs)

"""What a read asks of other servers than the one at hand, whose own words are played back by a proxy."""

from __future__ import annotations

import json
from typing import Any

import pytest

from keyvault_jwt.store import DocumentKind, DocumentName
from keyvault_jwt.testing.bao_server import BaoServer
from keyvault_jwt_vault import errors, open_url
from tests.vault.store.fault_proxy import Answers, FaultProxy

NAME = DocumentName("payments", DocumentKind.PUBLIC)
HEALTH = {"initialized": True, "sealed": False, "standby": False}
BAO_25 = HEALTH | {"version": "2.5.3"}
BAO_24 = HEALTH | {"version": "2.4.4"}
VAULT = HEALTH | {"version": "1.20.4", "performance_standby": False, "enterprise": False}
ENTERPRISE = HEALTH | {"version": "1.20.4+ent", "performance_standby": False, "enterprise": True}


def cluster_of(proxy: FaultProxy, health: dict[str, Any]) -> None:
    """Let the server pass for a cluster of that health: leader and health come after token and mount."""
    leader = {"ha_enabled": True, "is_self": True, "leader_address": "http://127.0.0.1:1"}
    proxy.next("GET", None, None, *(Answers(200, json.dumps(told).encode()) for told in (leader, health)))


def test_standbys_that_answer_reads_are_refused(proxy: FaultProxy, prefix_url: str) -> None:
    """OpenBao 2.5 and 2.6 have no way to the active node: an error says what to declare, before any read."""
    cluster_of(proxy, BAO_25)
    with open_url(prefix_url) as store, pytest.raises(errors.StandbyReads, match="staleness=5s"):
        store.read(NAME)
    assert not [request for request in proxy.requests if "/data/" in request]


@pytest.mark.parametrize(("declared", "staleness"), [("0s", 0), ("5s", 5000)])
def test_declared_staleness_asks_no_more(
    proxy: FaultProxy, prefix_url: str, declared: str, staleness: int
) -> None:
    """Who declares how old a read may be has it as the store's S, and nothing is asked about the cluster."""
    with open_url(f"{prefix_url}?staleness={declared}") as store:
        assert store.staleness == staleness
        assert store.read(NAME) is None
    assert proxy.count("GET") == 3, "of the token, the mount and the document"


@pytest.mark.parametrize("health", [BAO_24, VAULT], ids=["openbao-2.4", "vault"])
def test_standbys_that_pass_everything_on(proxy: FaultProxy, prefix_url: str, health: dict[str, Any]) -> None:
    """Where standbys answer nothing themselves, reads need nothing special."""
    cluster_of(proxy, health)
    with open_url(prefix_url) as store:
        assert store.read(NAME) is None
        assert store.staleness == 0
    assert not {"X-Vault-Forward", "X-Vault-Index"} & set(proxy.headers[-1])


def test_vault_enterprise_is_told_to_forward(proxy: FaultProxy, prefix_url: str) -> None:
    """Performance standbys have a header of their own; where that is not allowed, the error says how to."""
    cluster_of(proxy, ENTERPRISE)
    with open_url(prefix_url) as store:
        assert store.read(NAME) is None
        assert proxy.headers[-1]["X-Vault-Forward"] == "active-node"
        refusal = {"errors": ["forwarding via header X-Vault-Forward disabled"]}
        proxy.next("GET", Answers(400, json.dumps(refusal).encode()))
        with pytest.raises(errors.StandbyReads, match="allow_forwarding_via_header"):
            store.read(NAME)


def test_a_refused_listing_is_no_empty_store(proxy: FaultProxy, prefix_url: str) -> None:
    """A 400 to a listing is an error, never "no keyrings"."""
    with open_url(prefix_url) as store:
        assert store.names() == []
        proxy.next("GET", Answers(400, b'{"errors":["unsupported operation"]}'))
        with pytest.raises(errors.ServerFailed, match="unsupported operation"):
            store.names()


def test_another_cluster_behind_the_same_address(proxy: FaultProxy, prefix_url: str) -> None:
    """An answer with the index of another cluster is not believed: the read is made again for that one."""
    first, second = (
        "eyJjbHVzdGVyIjoiYSIsInZhbHVlIjoiMSJ9",  # {"cluster":"a","value":"1"}
        "eyJjbHVzdGVyIjoiYiIsInZhbHVlIjoiMSJ9",  # {"cluster":"b","value":"1"}
    )
    mount = {"type": "kv", "path": "secret/", "options": {"version": "2"}}
    told = json.dumps({"data": mount}).encode()
    stale = json.dumps(
        {"data": {"data": {}, "metadata": {"version": 1, "created_time": "long ago"}}}
    ).encode()
    proxy.next(
        "GET",
        None,
        Answers(200, told, {"X-Vault-Index": first}),
        Answers(200, stale, {"X-Vault-Index": second}),
    )
    with open_url(prefix_url) as store:
        assert store.read(NAME) is None
    sent = [headers.get("X-Vault-Index", "") for headers in proxy.headers][1:]
    assert sent[0] == ""
    assert len(set(sent)) == 3, "the repeated read must name the other cluster"


def test_a_proxy_on_the_way(
    bao: BaoServer, proxy: FaultProxy, prefix_url: str, environment: pytest.MonkeyPatch
) -> None:
    """Requests go through the proxy that the environment names."""
    environment.setenv("BAO_ADDR", bao.url)
    environment.setenv("VAULT_PROXY_ADDR", proxy.url)
    with open_url(prefix_url) as store:
        assert store.read(NAME) is None
    assert any(request.startswith(f"GET {bao.url}/v1/secret/data/") for request in proxy.requests)

"""Requests that the active node answers, though standbys of OpenBao and Vault Enterprise answer some, too.

A standby shows what it has replicated so far, which may be long ago, and says nothing of it.
OpenBao 2.7 forwards a request to the active node if it comes with a storage index that the
standby has not reached: https://openbao.org/docs/next/concepts/consistency/.  We send one that no
node ever reaches.  An index of another cluster is ignored, so the cluster in each answer is
compared.  Vault Enterprise has a header of its own for it, which its operator must allow:
https://developer.hashicorp.com/vault/docs/enterprise/consistency.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from keyvault_jwt.errors import StoreError
from keyvault_jwt.per_process import PerProcess

from .answer import Answer
from .errors import LaggingNode, ServerFailed, StandbyReads
from .session import Session
from .storage_index import beyond, parse_index

_NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})
_TRIES: Final = 3


class ActiveNode:
    """Asks the active node; for reads alone, not if the store URL declares how old one may be."""

    def __init__(self, session: Session) -> None:
        self._session, self._staleness = session, session.address.staleness
        self._headers: PerProcess[dict[str, str]] = PerProcess(dict)
        self._cluster: PerProcess[list[str]] = PerProcess(list)

    def learn(self, answer: Answer) -> None:
        """Find out from any answer, and by asking on, how requests to this server reach the active node.

        Raises `StandbyReads` if there is no such way and none was declared to be needless.
        """
        index = parse_index(answer.index)
        if index is not None and index.value.isdecimal():
            self._cluster.get()[:] = [index.cluster]
            self._headers.get().update(beyond(index))
        elif self._staleness is None:
            self._headers.get().update(self._by_kind())

    def read(self, method: str, path: str) -> Answer:
        """Return the answer to GET or LIST, of status 200, 204 or 404; `learn` comes before it."""
        for _ in range(_TRIES):
            headers = {} if self._staleness else self._headers.get()
            answer = self._session.request(method, path, headers=headers)
            if answer.status == 400:
                raise self._refused(answer)
            if not headers or self._is_known(answer):
                return answer
            self.learn(answer)
        raise LaggingNode(
            f"{self._session.address.server} leads to more than one cluster",
            why="its answers carry indices of different clusters",
            fix="let VAULT_ADDR name one cluster",
        )

    def write(self, path: str, body: Mapping[str, Any], *, repeatable: bool = False) -> Answer:
        """Return the answer to a POST, of status 200, 204, 400 or 404.

        A standby would compare check-and-set with its own old memory, and refuse what is right.
        """
        answer = self._session.request(
            "POST", path, body=body, headers=self._headers.get(), repeatable=repeatable
        )
        if not self._is_known(answer):
            self.learn(answer)
        return answer

    def _is_known(self, answer: Answer) -> bool:
        index, cluster = parse_index(answer.index), self._cluster.get()
        return not cluster or index is None or index.cluster == cluster[0]

    def _refused(self, answer: Answer) -> StoreError:
        server = self._session.address.server
        if "X-Vault-Forward" in answer.errors:
            return StandbyReads(
                f"standbys of {server} may answer reads, and are not allowed to ask the active node",
                why=answer.errors,
                fix="set `allow_forwarding_via_header` in its `replication` stanza, or declare in the store "
                "URL how old a read may be: ?staleness=5s",
            )
        return ServerFailed(f"{server} refuses a read", why=answer.errors, fix="see its log, and its version")

    def _by_kind(self) -> Mapping[str, str]:
        leader = self._session.request("GET", "sys/leader", unauthenticated=True).body
        if not leader.get("ha_enabled"):
            return _NO_HEADERS
        health = self._session.request(
            "GET", "sys/health?standbyok=true&perfstandbyok=true", unauthenticated=True
        ).body
        version = str(health.get("version", ""))
        if "performance_standby" in health:  # Vault; OpenBao's answer has no such member
            enterprise = health.get("enterprise") or "+ent" in version or "+prem" in version
            return {"X-Vault-Forward": "active-node"} if enterprise else _NO_HEADERS
        if version.startswith(("2.0.", "2.1.", "2.2.", "2.3.", "2.4.")):
            return _NO_HEADERS  # its standbys pass every request on
        raise StandbyReads(
            f"standbys of {self._session.address.server} may answer reads, and can't be told not to",
            why=f"OpenBao {version} has no way to ask the active node over this storage",
            fix="upgrade to OpenBao 2.7 on raft; or declare in the store URL how old a read may be: "
            "?staleness=5s, or ?staleness=0s if disable_standby_reads is set",
        )

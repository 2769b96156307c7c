"""One real server on raft storage, whose snapshots can be taken and put back."""

from __future__ import annotations

import json
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any

from keyvault_jwt.testing.bao_cluster import BaoNode
from tests.waiting import until

_TIMEOUT = 30.0
_GLANCE = 0.5
"""Seconds after which a request is made again: one that comes amid a restoration is never answered."""


class SoloNode:
    """A node that is the whole cluster, unsealed, with KV version 2 at `secret/`."""

    def __init__(self, directory: Path) -> None:
        self._node = BaoNode(directory, "solo", "")
        self._token = ""

    @property
    def environment(self) -> dict[str, str]:
        """The variables under which a client runs as root."""
        return {"BAO_ADDR": self._node.url, "BAO_TOKEN": self._token}

    def start(self) -> None:
        """Start it and wait until it serves the mount."""
        self._node.start()
        made = self._insist("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1})
        self._token = made["root_token"]
        self._insist("PUT", "sys/unseal", {"key": made["keys"][0]})
        self._insist("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": "2"}})
        self._insist("POST", "secret/data/probe", {"data": {"written": True}})

    def stop(self) -> None:
        """End it at once."""
        self._node.kill()

    def snapshot(self) -> bytes:
        """Return everything that the server holds."""
        return self._exchange("GET", "sys/storage/raft/snapshot")

    def restore(self, snapshot: bytes) -> None:
        """Put everything back to a snapshot, whatever happened since; return when it is served again."""
        self._exchange("POST", "sys/storage/raft/snapshot-force", snapshot)
        self._insist("GET", "secret/data/probe", within=_GLANCE)

    def _exchange(self, method: str, path: str, body: bytes | None = None, within: float = _TIMEOUT) -> bytes:
        asked = urllib.request.Request(
            f"{self._node.url}/v1/{path}", method=method, data=body, headers={"X-Vault-Token": self._token}
        )
        with urllib.request.urlopen(asked, timeout=within) as answer:
            content: bytes = answer.read()
        return content

    def _insist(
        self, method: str, path: str, body: dict[str, Any] | None = None, within: float = _TIMEOUT
    ) -> dict[str, Any]:
        answers: list[bytes] = []
        data = None if body is None else json.dumps(body).encode()

        def answered() -> bool:
            with suppress(OSError):
                answers.append(self._exchange(method, path, data, within))
            return bool(answers)

        until(answered)
        told: dict[str, Any] = json.loads(answers[0] or b"{}")
        return told

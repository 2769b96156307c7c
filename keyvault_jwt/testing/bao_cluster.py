"""Three real OpenBao servers on raft storage, for tests of failover and of standbys that lag."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from .bao_server import PATIENCE, bao_command, free_port, stand_still

_CONFIGURATION = """
storage "raft" {{
  path = "{directory}"
  node_id = "{name}"
  performance_multiplier = 1
  autopilot_reconcile_interval = "200ms"
  autopilot_update_interval = "200ms"
  {join}
}}
listener "tcp" {{
  address = "127.0.0.1:{port}"
  cluster_address = "127.0.0.1:{cluster_port}"
  tls_disable = true
}}
api_addr = "http://127.0.0.1:{port}"
cluster_addr = "https://127.0.0.1:{cluster_port}"
"""


class BaoNode:
    """One server of the cluster; its data outlive it, and `start` after `kill` takes them up again."""

    def __init__(self, directory: Path, name: str, leader: str) -> None:
        port, cluster_port = free_port(), free_port()
        self.name, self.url = name, f"http://127.0.0.1:{port}"
        self._directory = directory / name
        (self._directory / "raft").mkdir(parents=True)
        join = f'retry_join {{ leader_api_addr = "{leader}" }}' if leader else ""
        (self._directory / "server.hcl").write_text(
            _CONFIGURATION.format(
                directory=self._directory / "raft", name=name, port=port, cluster_port=cluster_port, join=join
            )
        )
        self._process: subprocess.Popen[bytes] | None = None

    def __repr__(self) -> str:
        return f"BaoNode({self.name!r}, {self.url!r})"

    @property
    def log(self) -> str:
        """What the server has written so far."""
        return (self._directory / "server.log").read_text(errors="replace")

    def start(self) -> None:
        """Start the server; it is sealed."""
        with (self._directory / "server.log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  (a command of this environment)
                [bao_command(), "server", f"-config={self._directory / 'server.hcl'}"],
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "HOME": str(self._directory)},
            )

    def kill(self) -> None:
        """End the server at once, as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def pause(self) -> None:
        """Let the server stand still, with its connections open, until `resume`."""
        assert self._process is not None
        stand_still(self._process)

    def resume(self) -> None:
        """Let a paused server go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def ask(
        self, method: str, path: str, body: dict[str, Any] | None = None, token: str = ""
    ) -> dict[str, Any]:
        """Return this very server's JSON answer; raises `OSError`, also for a status of 400 and above."""
        asked = urllib.request.Request(  # noqa: S310  (this server's own URL)
            f"{self.url}/v1/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"X-Vault-Token": token} if token else {},
        )
        with urllib.request.urlopen(asked, timeout=5) as answer:  # noqa: S310
            text = answer.read()
        return json.loads(text) if text else {}


class BaoCluster:
    """Three nodes, unsealed, with KV version 2 at `secret/`; gone when the context is left."""

    def __init__(self) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="bao-", ignore_cleanup_errors=True)
        self.nodes: list[BaoNode] = []
        self.token = self._unseal_key = ""

    @property
    def leader(self) -> BaoNode:
        """The active node, once most nodes name the same one, itself among them."""
        found: list[BaoNode] = []

        def led() -> bool:
            named = [_leader_by(node) for node in self.nodes]
            most = [node for node in self.nodes if 2 * named.count(node.url) > len(named)]
            found[:] = [node for node in most if named[self.nodes.index(node)] == node.url]
            return bool(found)

        _until(led, "a leader")
        return found[0]

    @property
    def followers(self) -> list[BaoNode]:
        """The nodes that are not the active one."""
        leader = self.leader
        return [node for node in self.nodes if node is not leader]

    def environment(self, node: BaoNode) -> dict[str, str]:
        """The variables under which a client of that node runs as root."""
        return {"BAO_ADDR": node.url, "BAO_TOKEN": self.token}

    def start(self) -> None:
        """Make the cluster and wait until every node is a voter that answers."""
        for number in range(3):
            leader = self.nodes[0].url if self.nodes else ""
            self.nodes.append(BaoNode(Path(self._directory.name), f"node-{number}", leader))
            self.nodes[-1].start()
        first = self.nodes[0]
        made: dict[str, Any] = {}

        def initialized() -> bool:
            made.update(first.ask("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1}))
            return True

        _until(initialized, "the first node")
        self.token, self._unseal_key = made["root_token"], made["keys"][0]
        self.unseal(first)
        _until(self._hurried, "autopilot")
        for node in self.nodes[1:]:
            self.unseal(node)
        _until(lambda: self._voters() == 3, "three voters")
        _until(self._mounted, "the mount")
        _until(lambda: all(self._reads(node) for node in self.nodes), "every node to serve the mount")

    def unseal(self, node: BaoNode) -> None:
        """Unseal a node, once it is up and has joined."""

        def unsealed() -> bool:
            return not node.ask("PUT", "sys/unseal", {"key": self._unseal_key})["sealed"]

        _until(unsealed, f"{node} to unseal")

    def settle(self) -> None:
        """Wait until every node names the same leader, after some of them stood still.

        One that was active before may go on as if it still were, for good, though raft has deposed it
        (seen in OpenBao 2.7.2); such a node is started anew.
        """
        try:
            _until(self._is_agreed, "agreement", 5)
        except RuntimeError:
            leader = self.leader
            for node in self.nodes:
                if node is not leader and _leader_by(node) != leader.url:
                    node.kill()
                    node.start()
                    self.unseal(node)
            _until(self._is_agreed, "agreement")

    def stop(self) -> None:
        """End all nodes at once."""
        for node in self.nodes:
            node.kill()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._directory.cleanup()

    def _is_agreed(self) -> bool:
        named = {_leader_by(node) for node in self.nodes}
        return len(named) == 1 and "" not in named

    def _voters(self) -> int:
        told = self.nodes[0].ask("GET", "sys/storage/raft/configuration", token=self.token)
        return sum(1 for server in told["data"]["config"]["servers"] if server["voter"])

    def _hurried(self) -> bool:
        """Let new nodes vote as soon as they are healthy; as it comes, they must be so for 10 s."""
        body = {"server_stabilization_time": "100ms"}
        self.nodes[0].ask("POST", "sys/storage/raft/autopilot/configuration", body, token=self.token)
        return True

    def _mounted(self) -> bool:
        mounts = self.leader.ask("GET", "sys/mounts", token=self.token)["data"]
        if "secret/" not in mounts:
            body = {"type": "kv", "options": {"version": "2"}}
            self.leader.ask("POST", "sys/mounts/secret", body, token=self.token)
        return True

    def _reads(self, node: BaoNode) -> bool:
        return bool(node.ask("GET", "sys/internal/ui/mounts/secret", token=self.token))


def _leader_by(node: BaoNode) -> str:
    """Return the address of the leader as the node knows it; empty if it knows none or is away."""
    try:
        return str(node.ask("GET", "sys/leader").get("leader_address", ""))
    except (OSError, ValueError):
        return ""


def _until(state: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
    deadline, last = time.monotonic() + patience, ""
    while time.monotonic() < deadline:
        try:
            if state():
                return
        except (OSError, ValueError, KeyError) as failure:
            last = f": {failure}"
        time.sleep(0.02)
    raise RuntimeError(f"waited {patience} s in vain for {what}{last}")

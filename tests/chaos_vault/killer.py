"""Killer: ends the raft leader with SIGKILL, at moments drawn at random, and brings the node back."""

from __future__ import annotations

import random
import threading
import time
from types import TracebackType
from typing import Final, Self

from keyvault_jwt.testing.bao_cluster import BaoCluster, BaoNode
from tests.chaos.ledgers import Ledgers
from tests.waiting import until

LONGEST_PAUSE: Final = 4.0
"""How many seconds pass at most between a cluster made whole and the next kill at a random moment."""
_PATIENCE: Final = 60.0


class Killer:
    """Kills `kills` times, in a thread of its own; `done` when all nodes are back for the last time.

    Every other kill waits for a rotation and falls into one of its writes; the rest fall anywhere.
    """

    def __init__(self, cluster: BaoCluster, ledgers: Ledgers, kills: int, seed: int) -> None:
        self._cluster, self._ledgers, self._asked = cluster, ledgers, kills
        self._random = random.Random(seed)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="killer")
        self.kills = self.struck = 0
        self.away: list[float] = []
        self.failure: BaseException | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def end(self) -> None:
        """Kill no more, and wait until the last node is back."""
        self._ended.set()
        self._ledgers.release()
        if self._thread.ident is not None:
            self._thread.join()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    @property
    def done(self) -> bool:
        """Whether it has killed as often as was asked; raises what went wrong."""
        if self.failure is not None:
            raise self.failure
        return self._thread.ident is not None and not self._thread.is_alive()

    def _run(self) -> None:
        try:
            while self.kills < self._asked and not self._ended.is_set():
                self._kill_once(in_a_rotation=self.kills % 2 == 1)
        except BaseException as failure:
            self.failure = failure

    def _kill_once(self, *, in_a_rotation: bool) -> None:
        leader = self._cluster.leader
        if in_a_rotation:
            self._ledgers.await_rotation(self._random.choice(("authority", "signing", "public")))
        else:
            self._ended.wait(self._random.uniform(0, LONGEST_PAUSE))
        if self._ended.is_set():
            return
        began = time.monotonic()
        leader.kill()
        self.struck += self._ledgers.writing
        self.kills += 1
        if self._random.random() < 0.5:
            self._await_another_leader()
        leader.start()
        self._cluster.unseal(leader)
        self._await_another_leader()
        self.away.append(time.monotonic() - began)
        until(lambda: self._is_whole(leader), within=_PATIENCE)

    def _await_another_leader(self) -> None:
        assert self._cluster.leader is not None

    def _is_whole(self, node: BaoNode) -> bool:
        """Whether the node has all that the leader had when it was asked, so that another may go."""
        try:
            ahead = self._cluster.leader.ask("GET", "sys/leader")["raft_committed_index"]
            told = node.ask("GET", "sys/leader")
            return bool(told["leader_address"]) and told["raft_applied_index"] >= ahead
        except (OSError, ValueError, KeyError):
            return False

"""Storm: one trouble after another, in an order drawn at random, and a scheduler killed amid each round."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Final, Self

from tests.aws.faults import THROTTLED, Answers, Breaks, Fault
from tests.chaos_aws.stormy_layer import StormyLayer, Weather, calm

PRIMARY: Final = "us-east-1"
PARTS: Final = {"scheduler": "AKIASCHEDULER", "signer": "AKIASIGNER", "server": "AKIASERVER"}
"""The access keys of those who take part."""
TROUBLES: Final = (
    "throttling",
    "replies lost",
    "5xx",
    "access denied",
    "versions pruned",
    "region down",
    "nothing answers",
)
_WRITES: Final = frozenset({"CreateSecret", "PutSecretValue", "UpdateSecretVersionStage"})
_LASTS: Final = 3.0
_SHORT: Final = 2.0
_LONGEST: Final = 20.0
"""How many seconds a trouble waits for somebody whom it befalls: writes may be a while off."""
_PAUSE: Final = 1.0


class Storm:
    """Goes through every trouble `rounds` times, in a thread of its own; `done` when it is over.

    In each round schedulers are killed by `kill`, the first as soon as one is about to commit a rotation
    (`await_rotation` returns then), and rivals race by `rival`.
    """

    def __init__(
        self,
        layer: StormyLayer,
        rounds: int,
        seed: int,
        *,
        kill: Callable[[], None],
        await_rotation: Callable[[], None],
        rival: Callable[[], None],
    ) -> None:
        self._layer, self._rounds = layer, rounds
        self._kill, self._await_rotation, self._rival = kill, await_rotation, rival
        self._random = random.Random(seed)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="storm")
        self.passed = 0
        self.failure: BaseException | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def end(self) -> None:
        """Let the sky clear, and wait until it has."""
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join()

    @property
    def done(self) -> bool:
        """Whether every trouble came as often as was asked; raises what went wrong."""
        if self.failure is not None:
            raise self.failure
        return self._thread.ident is not None and not self._thread.is_alive()

    def _run(self) -> None:
        try:
            for _ in range(self._rounds):
                self._one_round()
                self.passed += not self._ended.is_set()
        except BaseException as failure:
            self.failure = failure

    def _one_round(self) -> None:
        for trouble in self._random.sample(TROUBLES, len(TROUBLES)):
            if self._ended.is_set():
                return
            print(f"trouble: {trouble}", flush=True)
            with self._befalls(trouble):
                self._let_it_be_felt(trouble, self._layer.felt[trouble])
            self._rival()
            self._ended.wait(_PAUSE)
        self._await_rotation()
        self._kill()
        self._ended.wait(_PAUSE)
        self._kill()

    def _let_it_be_felt(self, trouble: str, before: int) -> None:
        began = time.monotonic()
        self._ended.wait(_SHORT if trouble == "nothing answers" else _LASTS)
        while self._layer.felt[trouble] == before and time.monotonic() < began + _LONGEST:
            if self._ended.wait(_SHORT):
                return

    @contextmanager
    def _befalls(self, trouble: str) -> Iterator[None]:
        layer = self._layer
        layer.weather = (trouble, self._weather(trouble))
        denied = [self._random.choice(list(PARTS.values()))] if trouble == "access denied" else []
        for key in denied:
            layer.withhold(key)
        if trouble == "versions pruned":
            layer.prune(PRIMARY)
        try:
            yield
        finally:
            for key in denied:
                layer.give_back(key)
            layer.weather = ("calm", calm)

    def _weather(self, trouble: str) -> Weather:
        def sometimes(fault: Fault, often: float) -> Weather:
            return lambda _operation, _region: fault if self._random.random() < often else None

        def lost(operation: str, _region: str) -> Fault | None:
            return Breaks(True) if operation in _WRITES and self._random.random() < 0.5 else None

        def pruned(operation: str, _region: str) -> Fault | None:
            if operation == "PutSecretValue" and self._random.random() < 0.3:
                self._layer.prune(PRIMARY)
            return None

        return {
            "throttling": sometimes(THROTTLED, 0.7),
            "replies lost": lost,
            "5xx": sometimes(Answers("InternalServiceError", status=500), 0.6),
            "versions pruned": pruned,
            "region down": lambda _operation, region: Breaks(False) if region == PRIMARY else None,
            "nothing answers": sometimes(Breaks(False), 1.0),
        }.get(trouble, calm)

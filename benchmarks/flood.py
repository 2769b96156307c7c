"""Flood: tokens of made-up kids from many threads, as fast as a verifier refuses them."""

from __future__ import annotations

import itertools
import time
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from keyvault_jwt import base64url
from keyvault_jwt.verification_errors import UnknownKey
from keyvault_jwt.verifier import Verifier

THREADS = 40
"""More than may wait for a kid at a time, so that some throw on while the others wait."""


class Flood:
    """Throws `tokens` tokens once it begins, each of a kid of its own, for `seconds` at least.

    A context manager, whose block is left when each of them was refused.
    """

    def __init__(self, verifier: Verifier, good: str, *, tokens: int, seconds: float = 0) -> None:
        self._verifier, self._tokens, self._seconds = verifier, tokens, seconds
        self._rest = good.partition(".")[2]
        self._count = itertools.count()
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="flood")
        self._throwers: list[Future[None]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown()
        for thrower in self._throwers:
            thrower.result()

    def begin(self) -> None:
        """Let it come."""
        until = time.monotonic() + self._seconds
        self._throwers = [self._pool.submit(self._throw, until) for _ in range(THREADS)]

    @property
    def over(self) -> bool:
        """Whether every token was thrown; some of them may be waiting for the endpoint still."""
        return any(thrower.done() for thrower in self._throwers)

    def token(self, kid: str) -> str:
        """Return the good token under another kid."""
        header = base64url.encode(f'{{"alg":"ES256","kid":"{kid}"}}'.encode())
        return f"{header}.{self._rest}"

    def _throw(self, until: float) -> None:
        for number in self._count:
            if number >= self._tokens and time.monotonic() >= until:
                return
            try:
                self._verifier.verify(self.token(f"made-up-{number}"))
            except UnknownKey:
                continue
            raise AssertionError("a token of a made-up kid was accepted")

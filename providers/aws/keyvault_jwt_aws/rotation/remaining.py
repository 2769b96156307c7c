"""Remaining: how much of a Lambda function's time is left."""

from __future__ import annotations

import threading
from collections.abc import Callable

from keyvault_jwt.clock import Milliseconds

from ..errors import OutOfTime


class Remaining:
    """The time of one invocation; `left` tells how many milliseconds of it remain.

    `needed` is what a request may take with its repetitions: none begins that could not end in time.
    """

    def __init__(self, left: Callable[[], Milliseconds], needed: Milliseconds) -> None:
        self._left, self._needed = left, needed

    def require(self) -> None:
        """Raise `OutOfTime` unless another request fits in."""
        left = self._left()
        if left < self._needed:
            raise OutOfTime(
                "the function's time does not suffice for another request",
                why=f"{left} ms are left, and the store URL's deadline for one is {self._needed} ms",
                fix="give the function a longer Timeout, or the store URL a shorter deadline; what was "
                "begun is taken up again",
            )

    def wait(self, seconds: float) -> None:
        """Let time go by, but no more than is left."""
        threading.Event().wait(min(seconds, max(0, self._left()) / 1000))

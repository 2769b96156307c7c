"""Waiting for a state, with a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable


def until(state: Callable[[], object], *, within: float = 30) -> None:
    """Return as soon as `state()` is true; fail when it isn't within so many seconds."""
    deadline = time.monotonic() + within
    while not state():
        assert time.monotonic() < deadline, f"not reached within {within} s"
        time.sleep(0.002)

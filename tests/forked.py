"""What a child process finds that was forked from the test's own."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable


def in_a_child(act: Callable[[], bool]) -> bool:
    """Return what `act` returns in a forked child; False if it raises, or isn't back within a minute."""
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        good = False
        try:
            good = act()
        finally:
            os._exit(not good)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

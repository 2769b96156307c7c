"""wrk: how many requests a second an address answers, to kept connections from another core."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import Final

from .figure import NotMeasurable

CONNECTIONS: Final = 16
_RATE: Final = re.compile(r"Requests/sec: *([0-9.]+)")
_PACKAGES: Final = {"nginx": "nginx", "wrk": "wrk", "taskset": "util-linux"}
_PATH: Final = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin"


def tool(name: str) -> str:
    """Return where a program of Debian's is; raises `NotMeasurable` with the command that installs it."""
    found = shutil.which(name, path=_PATH)
    if found is None:
        raise NotMeasurable(f"{name} is not here; do: as root, apt-get install {_PACKAGES[name]}")
    return found


def on_first_core(*command: str) -> list[str]:
    """Return the command so that it keeps to the first core: the servers', which need no more.

    Raises `NotMeasurable` where no other core is left for wrk.
    """
    return _on_core(_cores()[0], command)


def requests_per_second(url: str, seconds: int) -> float:
    """Return the rate; every answer has to be a success."""
    words = ("--threads", "1", "--connections", str(CONNECTIONS), "--duration", f"{seconds}s", url)
    command = _on_core(_cores()[1], (tool("wrk"), *words))
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rate = _RATE.search(said)
    assert rate, said
    assert "Non-2xx" not in said, said
    assert "Socket errors" not in said, said
    return float(rate[1])


def _cores() -> tuple[int, int]:
    """Return the servers' core and wrk's."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise NotMeasurable("a server and wrk need a core each, and there is one for both")
    return cores[0], cores[-1]


def _on_core(core: int, command: tuple[str, ...]) -> list[str]:
    return [tool("taskset"), "--cpu-list", str(core), *command]

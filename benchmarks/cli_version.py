"""How long a person waits for the smallest command."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

from .figure import Figure

RUNS = 15
COMMAND = Path(sys.executable).with_name("keyvault-jwt")


def measure() -> float:
    """Return the median milliseconds of a whole `keyvault-jwt --version` process."""
    _run()  # fills the page cache and writes the bytecode, as any earlier use has
    return statistics.median(_run() for _ in range(RUNS))


def _run() -> float:
    start = time.perf_counter()
    subprocess.run([COMMAND, "--version"], stdout=subprocess.DEVNULL, check=True)
    return (time.perf_counter() - start) * 1000


FIGURE = Figure("cli_version_ms", f"median of {RUNS} `keyvault-jwt --version` processes", 150, measure)

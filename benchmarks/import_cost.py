"""What our import costs on top of the packages that a user of keys and tokens imports anyway."""

from __future__ import annotations

import statistics
import subprocess
import sys

from .figure import Figure

PAIRS = 15

OURS = "import keyvault_jwt as kj; kj.Verifier; kj.Signer; kj.KeyManager"
# The parts that do the work: the bare package names load next to nothing of pydantic and APScheduler.
DEPENDENCIES = """
import jwt
from apscheduler.schedulers.background import BackgroundScheduler
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_private_key
from pydantic import BaseModel
"""


def measure() -> float:
    """Return the median ratio of our import's time to our dependencies', in fresh interpreters.

    The two are timed inside their processes, so that the interpreter's own start doesn't
    soften the ratio, and in turn, so that a busy moment meets both.
    """
    for imports in (OURS, DEPENDENCIES):
        _import_seconds(imports)  # writes the bytecode, as any earlier use has
    return statistics.median(_import_seconds(OURS) / _import_seconds(DEPENDENCIES) for _ in range(PAIRS))


def _import_seconds(imports: str) -> float:
    script = f"import time; start = time.perf_counter()\n{imports}\nprint(time.perf_counter() - start)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return float(done.stdout)


FIGURE = Figure("import_vs_deps", f"import time over that of the dependencies, {PAIRS} pairs", 1.3, measure)

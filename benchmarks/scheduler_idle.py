"""What a scheduler costs that watches many keyrings while nothing is due."""

from __future__ import annotations

import subprocess
import sys
import time

from keyvault_jwt import document
from keyvault_jwt.key_manager import KeyManager
from keyvault_jwt.policy import RotationPolicy
from keyvault_jwt.scheduler import RotationScheduler
from keyvault_jwt.store import DocumentKind, DocumentName
from keyvault_jwt.stores.memory import MemoryStore

from .figure import Figure

KEYRINGS = 10_000
SECONDS = 65
"""How long it is watched: two of the wakes that list every name, and its share of re-readings."""


def measure() -> float:
    """Return the CPU percent of a process whose scheduler watches the keyrings, once it has read each.

    The keyrings lie in a memory store of the same process, so their store's work counts too.
    """
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.scheduler_idle"], capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def _measure_here() -> float:
    manager = KeyManager(MemoryStore())
    manager.create("ring-00000", RotationPolicy(), issuer="https://id.example")
    _multiply(manager)
    with RotationScheduler(manager) as scheduler:
        while not scheduler.settled:
            time.sleep(0.1)
        before, began = time.process_time(), time.monotonic()
        time.sleep(SECONDS)
        return 100 * (time.process_time() - before) / (time.monotonic() - began)


def _multiply(manager: KeyManager) -> None:
    """Copy the first keyring under other names; to make the keys of each would take minutes."""
    first = manager.keyring("ring-00000")
    for number in range(1, KEYRINGS):
        copy = first.replaced(ring=f"ring-{number:05}")
        drafts = {DocumentKind.AUTHORITY: document.authority_draft(copy)}
        for kind in document.derived_kinds(copy):
            drafts[kind] = document.derived_draft(kind, document.derive(kind, copy))
        for kind, draft in drafts.items():
            manager.store.replace(DocumentName(copy.ring, kind), draft, expected=None)


FIGURE = Figure(
    "scheduler_10k_idle_cpu_pct",
    f"CPU percent of a scheduler of {KEYRINGS:,} idle keyrings, over {SECONDS} s",
    1,
    measure,
)

if __name__ == "__main__":
    print(_measure_here())

"""Rotators that make keys at once: no key that is needed goes, and none stays that is not."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from keyvault_jwt.errors import Conflict, StoreError
from tests.aws.kms.conftest import RING, Workshop, opened
from tests.aws.kms.test_retiring import require_rest


def promotions(workshop: Workshop) -> int:
    """Return how many promotions the ledger tells of."""
    entries = workshop.manager.keyring(RING).ledger.entries
    return sum(1 for entry in entries if entry.action == "promoted")


def test_managers_that_race(workshop: Workshop) -> None:
    """Four threads that rotate one key promote one, what is named can sign, and nothing else is left."""
    workshop.create()
    workshop.pass_by(5000)
    for _ in range(2):
        replaced, before = workshop.active.kid, promotions(workshop)
        start = threading.Barrier(4)

        def rotate(number: int, replaced: str = replaced, start: threading.Barrier = start) -> None:
            with opened(workshop.url) as store:
                manager = workshop.manages(store)
                start.wait()
                with suppress(Conflict, StoreError):
                    manager.rotate(RING, replacing=replaced)
                manager.reconcile(RING)

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(rotate, range(4)))
        assert workshop.active.kid != replaced
        assert promotions(workshop) == before + 1
        assert workshop.named <= workshop.kms.usable(workshop.keyring_tag)
        assert workshop.claims(workshop.token())["sub"] == "u1"
        require_rest(workshop)
        workshop.pass_by(5000)
    require_rest(workshop)


RACER = """
    import sys
    from contextlib import suppress
    import keyvault_jwt as kj
    from keyvault_jwt.testing import FakeClock
    from keyvault_jwt.errors import Conflict, StoreError
    store = kj.open_store(sys.argv[1])
    manager = kj.KeyManager(store, clock=FakeClock(wall=int(sys.argv[2])), wait=lambda seconds: None)
    print("ready", flush=True)
    sys.stdin.readline()
    with suppress(Conflict, StoreError):
        manager.rotate(sys.argv[3], replacing=sys.argv[4])
    manager.reconcile(sys.argv[3])
"""


def test_processes_that_race(workshop: Workshop) -> None:
    """Three processes that rotate at once leave what one alone would have."""
    workshop.create()
    workshop.pass_by(5000)
    replaced, before = workshop.active.kid, promotions(workshop)
    words = [
        sys.executable,
        "-c",
        textwrap.dedent(RACER),
        workshop.url,
        str(workshop.clock.wall()),
        RING,
        replaced,
    ]
    racers = [
        subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    try:
        for racer in racers:
            assert racer.stdout is not None
            assert racer.stdout.readline() == "ready\n"
        for racer in racers:
            assert racer.stdin is not None
            racer.stdin.write("go\n")
            racer.stdin.flush()
        assert [racer.wait(60) for racer in racers] == [0, 0, 0]
    finally:
        for racer in racers:
            racer.kill()
            racer.communicate()
    assert promotions(workshop) == before + 1
    require_rest(workshop)
    assert workshop.claims(workshop.token())["sub"] == "u1"

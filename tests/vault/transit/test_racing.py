"""Rotators that make keys at once: nobody takes another's version, and nothing that is committed dies."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from keyvault_jwt.errors import Conflict, StoreError
from keyvault_jwt.key_factory import FreshKey
from keyvault_jwt_vault import TransitStore, open_url
from tests.vault.transit.conftest import RING, Workshop


def test_no_two_makers_get_the_same_version(workshop: Workshop) -> None:
    """Six threads that make keys at once, the first of all included, each get versions of their own."""
    start = threading.Barrier(6)

    def make(number: int) -> list[FreshKey]:
        with open_url(workshop.url) as store:
            assert isinstance(store, TransitStore)
            maker = store.key_factory(RING)
            start.wait()
            made: list[FreshKey] = []
            for _ in range(100):
                with suppress(StoreError):  # too many at once: OpenBao lets one of them commit
                    made.append(maker.make("Ed25519"))
                if len(made) == 4:
                    break
            return made

    with ThreadPoolExecutor(6) as pool:
        keys = [key for made in pool.map(make, range(6)) for key in made]
    assert len({key.reference for key in keys}) == len({key.kid for key in keys}) == 24
    for key in keys:
        assert key.reference is not None
        assert workshop.store.sign(key.reference, "Ed25519", b"x")


def test_managers_that_race(workshop: Workshop) -> None:
    """Six managers that rotate and trim at once promote one key, and every key that is left can sign."""
    workshop.create()
    workshop.pass_by(8000)
    for _ in range(3):
        replaced = workshop.active.kid
        promotions = _promotions(workshop)
        start = threading.Barrier(6)

        def rotate(number: int, replaced: str = replaced, start: threading.Barrier = start) -> None:
            with open_url(workshop.url) as store:
                manager = workshop.manages(store)
                start.wait()
                with suppress(Conflict, StoreError):
                    manager.rotate(RING, replacing=replaced, emergency=True)

        with ThreadPoolExecutor(6) as pool:
            list(pool.map(rotate, range(6)))
        assert workshop.active.kid != replaced
        assert _promotions(workshop) == promotions + 1
        for record in workshop.manager.keyring(RING).records:
            if record.reference is not None:
                assert workshop.store.sign(record.reference, "ES256", b"x")
        assert workshop.claims(workshop.token())["sub"] == "u1"
        workshop.pass_by(8000)


def _promotions(workshop: Workshop) -> int:
    entries = workshop.manager.keyring(RING).ledger.entries
    return sum(1 for entry in entries if entry.action == "promoted")


def test_a_rotator_that_slept_with_a_fresh_key(workshop: Workshop) -> None:
    """Stopped between making a key and committing it, a rotator commits no version that was trimmed since."""
    workshop.create()
    workshop.pass_by(4000)
    sleeper = """
        import os, signal, sys
        import keyvault_jwt as kj
        from keyvault_jwt.testing import FakeClock
        from keyvault_jwt_vault.transit.key_maker import TransitKeyMaker

        class Sleepy(TransitKeyMaker):
            made = 0
            def make(self, algorithm):
                fresh = super().make(algorithm)
                Sleepy.made += 1
                if Sleepy.made == 1:
                    print(fresh.reference, flush=True)
                    clock.advance(int(sys.stdin.readline()))
                return fresh

        store = kj.open_store(sys.argv[1])
        clock = FakeClock(wall=int(sys.argv[2]))
        type(store).key_factory = lambda self, ring: Sleepy(self._mount, self._address, ring)
        manager = kj.KeyManager(store, clock=clock, wait=lambda seconds: None)
        report = manager.rotate(sys.argv[3])
        print(" ".join(r.reference for r in report.keyring.records if r.reference), flush=True)
    """
    words = [sys.executable, "-c", textwrap.dedent(sleeper), workshop.url, str(workshop.clock.wall()), RING]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as asleep:
        try:
            assert asleep.stdin is not None
            assert asleep.stdout is not None
            made = asleep.stdout.readline().strip()
            began = workshop.clock.wall()
            while not workshop.key(made)["min_available_version"] > int(made.partition("#")[2]):
                workshop.pass_by(2000)
                assert workshop.clock.wall() - began < 120_000
            asleep.stdin.write(f"{workshop.clock.wall() - began + 8000}\n")  # a rotation is due again
            asleep.stdin.flush()
            committed = asleep.stdout.readline().split()
            assert asleep.wait(30) == 0
        finally:
            asleep.kill()
    assert committed
    assert made not in committed
    for reference in workshop.references:
        assert workshop.store.sign(reference, "ES256", b"x")

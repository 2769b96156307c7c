"""Schedulers as processes: side by side, killed, and stopped for a while."""

from __future__ import annotations

import signal
import subprocess
from itertools import pairwise
from pathlib import Path

import keyvault_jwt as kj
from keyvault_jwt.clock import SystemClock
from tests.faulty_store import FAST
from tests.integration.conftest import Spawn
from tests.waiting import until

ISSUER = "https://id.example"
R_MS, LEAD_MS = 6_000, 3_600


def promotions(manager: kj.KeyManager, ring: str = "payments") -> list[int]:
    """Return when each key was promoted, the founding one first."""
    return [e.at for e in manager.keyring(ring).ledger.entries if e.action == "promoted"]


def running(process: subprocess.Popen[str]) -> subprocess.Popen[str]:
    """Wait until the program says that it runs."""
    assert process.stdout is not None
    assert process.stdout.readline() == "running\n"
    return process


def require_leads(manager: kj.KeyManager, ring: str = "payments") -> None:
    """Every key that was promoted since the start had been published for the lead."""
    for record in manager.keyring(ring).records:
        if record.activated is not None and not record.founding:
            assert record.published is not None
            assert record.activated >= record.published + LEAD_MS


def test_three_side_by_side_rotate_as_one_and_survive_a_kill(payments: kj.KeyManager, spawn: Spawn) -> None:
    """Of three schedulers one is killed with -9 in the middle; each due date is one promotion."""
    first, *others = [running(spawn("rotator")) for _ in range(3)]
    until(lambda: len(promotions(payments)) == 2, within=60)
    first.kill()
    until(lambda: len(promotions(payments)) == 3, within=60)
    for process in others:
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=60)
        assert (process.returncode, out) == (0, "ended\n")
    times = promotions(payments)
    assert all(later - earlier >= R_MS for earlier, later in pairwise(times))
    require_leads(payments)


def test_a_scheduler_that_was_stopped_catches_up(payments: kj.KeyManager, spawn: Spawn) -> None:
    """Stopped over two due dates, as a suspended machine is, it rotates at once when it goes on."""
    process = running(spawn("rotator"))
    process.send_signal(signal.SIGSTOP)
    start, clock = promotions(payments)[0], SystemClock()
    until(lambda: clock.wall() > start + 2 * R_MS + 500, within=60)
    assert len(promotions(payments)) == 1
    woken = clock.wall()
    process.send_signal(signal.SIGCONT)
    until(lambda: len(promotions(payments)) == 3, within=60)
    times = promotions(payments)
    assert times[1] >= woken
    assert times[2] - times[1] >= R_MS
    require_leads(payments)


def test_a_corrupt_keyring_stops_no_other(payments: kj.KeyManager, spawn: Spawn, tmp_path: Path) -> None:
    """With one keyring's authority torn, the other is rotated, and the torn bytes are left as they are."""
    payments.create("torn", FAST, issuer=ISSUER)
    authority = tmp_path / "keys" / "torn" / "authority.sealed"
    bytes_left = authority.read_bytes()[:-40]
    authority.write_bytes(bytes_left)
    process = running(spawn("rotator"))
    until(lambda: len(promotions(payments)) == 2, within=60)
    assert authority.read_bytes() == bytes_left
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    told = (tmp_path / "stderr-0").read_text()
    assert "scheduler.keyring-failed ring=torn code=document_corrupt" in told
    assert "ring=payments" not in told


def test_a_keyring_made_by_another_process_is_picked_up(payments: kj.KeyManager, spawn: Spawn) -> None:
    """A keyring created while the scheduler runs in another process is rotated in time."""
    running(spawn("rotator"))
    payments.create("orders", FAST, issuer=ISSUER)
    until(lambda: len(promotions(payments, "orders")) == 2, within=60)
    require_leads(payments, "orders")

"""A signer's thread, its forks, and its secrets."""

from __future__ import annotations

import os
import threading
from datetime import timedelta

import pytest

from keyvault_jwt.errors import (
    StoreError,
    UsageError,
)
from keyvault_jwt.events import Event
from keyvault_jwt.key_manager import KeyManager
from keyvault_jwt.policy import RotationPolicy
from keyvault_jwt.signer import Signer
from keyvault_jwt.testing import FakeClock
from tests.faulty_store import FaultyStore
from tests.unit.signer.conftest import CLAIMS, ISSUER, LEASE_MS
from tests.waiting import until


def test_no_thread_is_left_after_close(store: FaultyStore, manager: KeyManager) -> None:
    """The poller lives from the first use to `close`; a closed signer signs nothing."""
    before = set(threading.enumerate())
    signer = Signer(store, "payments", clock=FakeClock())
    signer.sign(CLAIMS)
    (thread,) = set(threading.enumerate()) - before
    assert thread.daemon
    assert "payments" in thread.name
    signer.close()
    assert set(threading.enumerate()) <= before
    with pytest.raises(UsageError, match="closed"):
        signer.sign(CLAIMS)
    assert set(threading.enumerate()) <= before


def test_a_forgotten_signer_takes_its_thread_along(store: FaultyStore, manager: KeyManager) -> None:
    """A signer that nobody holds any more doesn't poll for ever."""
    before = set(threading.enumerate())
    signer = Signer(store, "payments", clock=FakeClock())
    signer.sign(CLAIMS)
    (thread,) = set(threading.enumerate()) - before
    del signer
    thread.join(10)
    assert not thread.is_alive()


def test_a_silent_store_does_not_hang_callers(store: FaultyStore, manager: KeyManager) -> None:
    """Callers wait for a store that doesn't answer as long as their patience says, and so does `close`."""
    store.open.clear()
    store.reads.clear()
    signer = Signer(store, "payments", patience=timedelta(milliseconds=50))
    try:
        for _ in range(3):
            with pytest.raises(StoreError, match="did not answer within 50ms"):
                signer.sign(CLAIMS)
        assert store.reads.total() == 1
        signer.close()
    finally:
        store.open.set()


def test_past_the_lease_the_poller_is_woken(store: FaultyStore, clock: FakeClock) -> None:
    """A caller past the lease doesn't wait for the next poll, half a minute away: it is read at once."""
    KeyManager(store, clock=clock).create("slow", RotationPolicy(), issuer=ISSUER)
    with Signer(store, "slow", clock=clock) as signer:
        clock.advance(timedelta(hours=2))
        signer.sign(CLAIMS)


def test_many_threads_share_one_first_read(store: FaultyStore, manager: KeyManager) -> None:
    """Twenty threads that sign at once cause one read, and all get their token."""
    store.open.clear()
    store.reads.clear()
    tokens: list[str] = []
    signer = Signer(store, "payments", clock=FakeClock())
    threads = [threading.Thread(target=lambda: tokens.append(signer.sign(CLAIMS))) for _ in range(20)]
    for thread in threads:
        thread.start()
    until(store.reads.total)
    store.open.set()
    for thread in threads:
        thread.join(10)
    signer.close()
    assert len(tokens) == 20
    assert store.reads.total() <= 2


def test_a_listener_that_fails_does_not_end_the_polling(
    store: FaultyStore, manager: KeyManager, caplog: pytest.LogCaptureFixture
) -> None:
    """An observer's bug is logged, and the key is switched all the same."""

    def broken(event: Event) -> None:
        raise ValueError("a bug")

    with Signer(store, "payments", listener=broken) as signer:
        old = signer.kid
        KeyManager(store).rotate("payments", emergency=True)
        until(lambda: signer.kid != old)
    assert "the listener of a signer failed" in caplog.text


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_signs_with_a_poller_of_its_own(store: FaultyStore, manager: KeyManager) -> None:
    """A child forked while the parent's read hangs, its lock held, reads and signs by itself."""
    signer = Signer(store, "payments", clock=(clock := FakeClock()))
    signer.sign(CLAIMS)
    clock.advance(LEASE_MS + 1)
    hung, reads = store.open, store.reads.total()
    hung.clear()
    until(lambda: store.reads.total() > reads)
    store.open = threading.Event()
    store.open.set()
    child = os.fork()
    if child == 0:
        try:
            signer.sign(CLAIMS)
            signer.close()
            os._exit(0 if threading.active_count() == 1 else 3)
        except BaseException:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    hung.set()
    signer.close()
    assert os.waitstatus_to_exitcode(status) == 0


def test_no_representation_shows_a_secret(
    store: FaultyStore, manager: KeyManager, signer: Signer, caplog: pytest.LogCaptureFixture
) -> None:
    """The private half is in no repr of the signer or of anything it holds."""
    active = manager.keyring("payments").active
    assert active is not None
    assert active.private is not None
    signer.sign(CLAIMS)
    held = signer._follower.held
    assert held is not None
    shown = f"{signer!r}{signer._follower!r}{held!r}{held.reading!r}{held.reading.value!r}{caplog.text}"
    for secret in (active.private, active.private[-40:]):
        assert secret.hex() not in shown
        assert repr(secret)[2:-1] not in shown


def test_a_listener_that_reads_again_is_refused(store: FaultyStore, manager: KeyManager) -> None:
    """A listener that would wait for the read which tells it is refused, and the read comes through."""
    refused: list[UsageError] = []

    def listener(event: Event) -> None:
        try:
            signer.refresh()
        except UsageError as error:
            refused.append(error)

    signer = Signer(store, "payments", listener=listener, background=False)
    reader = threading.Thread(target=signer.refresh, daemon=True)
    reader.start()
    reader.join(5)
    assert not reader.is_alive()
    assert "listener" in refused[0].what
    KeyManager(store).rotate("payments", emergency=True)
    signer.refresh()
    assert len(refused) == 2

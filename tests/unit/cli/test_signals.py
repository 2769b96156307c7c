"""A service ends when it is asked to."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from keyvault_jwt.cli.signals import ending

DEADLINE = 10


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_asks_for_the_end(number: signal.Signals) -> None:
    """Either signal is told, and leaves the second one to end the process at once."""
    before = signal.getsignal(number)
    with ending() as asked:
        assert not asked.wait(0)
        os.kill(os.getpid(), number)
        assert asked.wait(DEADLINE)
        assert asked.wait(0)
        assert signal.getsignal(number) is signal.SIG_DFL
    assert signal.getsignal(number) is before


def test_a_signal_that_another_thread_is_given_is_heard_too() -> None:
    """The kernel chooses the thread; the one that waits is woken all the same."""
    over = threading.Event()
    other = threading.Thread(target=over.wait, daemon=True)
    other.start()
    assert other.ident is not None
    with ending() as asked:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        try:
            signal.pthread_kill(other.ident, signal.SIGTERM)
            assert asked.wait(DEADLINE)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    over.set()
    other.join()


def test_what_was_before_is_put_back() -> None:
    """Handlers and wake-up descriptor of whoever runs us are theirs again."""
    before = signal.getsignal(signal.SIGTERM)
    with ending():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before
    assert signal.set_wakeup_fd(-1) == -1

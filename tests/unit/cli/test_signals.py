"""A service ends when it is asked to."""

from __future__ import annotations

import os
import signal

import pytest

from keyvault_jwt.cli.signals import ending


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_asks_for_the_end(number: signal.Signals) -> None:
    """Either signal sets the event, and leaves the second one to end the process at once."""
    before = signal.getsignal(number)
    with ending() as asked:
        assert not asked.is_set()
        os.kill(os.getpid(), number)
        assert asked.wait(10)
        assert signal.getsignal(number) is signal.SIG_DFL
    assert signal.getsignal(number) is before

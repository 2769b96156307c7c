"""The testing package needs pytest only for its contracts."""

from __future__ import annotations

import subprocess
import sys

import pytest

import keyvault_jwt.testing


def test_every_public_name_resolves() -> None:
    """Each name in __all__ is there and listed."""
    for name in keyvault_jwt.testing.__all__:
        assert getattr(keyvault_jwt.testing, name).__name__ == name
        assert name in dir(keyvault_jwt.testing)


def test_unknown_name_is_an_attribute_error() -> None:
    """A name that is not there is the usual error."""
    with pytest.raises(AttributeError, match="FakeClok"):
        keyvault_jwt.testing.FakeClok  # noqa: B018


def test_clock_and_uncertain_store_come_without_pytest() -> None:
    """A program can use the clock and the uncertain store where pytest is not installed."""
    script = (
        "import sys; sys.modules['pytest'] = None\n"
        "from keyvault_jwt.testing import FakeClock, UncertainStore\n"
        "print(FakeClock().wall())"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1767225600000"

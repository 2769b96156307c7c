"""What happens while a service runs is told, line by line."""

from __future__ import annotations

import json

import pytest

from keyvault_jwt.cli.chronicle import Chronicle
from keyvault_jwt.events import Event
from keyvault_jwt.testing import FakeClock

AT = "2026-01-01T00:00:00.000Z"


def test_a_change_and_an_alarm_are_told_and_the_rest_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    """People read of keyrings that changed and of what needs them, not of each poll."""
    tell = Chronicle(as_json=False, clock=FakeClock())
    tell(Event("keyring.promoted", "payments", {"kid": "k1", "revision": 7}))
    tell(Event("publisher.read", "payments", {"keys": 3}))
    tell(Event("scheduler.list-failed", facts={"code": "store_unavailable"}, alarm=True))
    assert capsys.readouterr().err.splitlines() == [
        f"{AT} payments keyring.promoted kid=k1 revision=7",
        f"{AT} ALARM - scheduler.list-failed code=store_unavailable",
    ]


def test_with_json_each_event_is_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    """A line can be read by a program."""
    Chronicle(as_json=True, clock=FakeClock())(
        Event("keyring.alarm", "payments", {"what": "fork"}, alarm=True)
    )
    shown = capsys.readouterr()
    assert shown.out == ""
    assert json.loads(shown.err) == {
        "at": AT,
        "event": "keyring.alarm",
        "ring": "payments",
        "alarm": True,
        "facts": {"what": "fork"},
    }

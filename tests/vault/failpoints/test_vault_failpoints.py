"""kill -9 before and after the requests of commands on Vault: what comes after converges.

Here at the first and the last of each kind of request, and around each write, of a part of the
commands; `make failpoints ARGS='--store vault'` goes through them all.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from keyvault_jwt.testing.bao_server import BaoServer
from tests.failpoints.runs import run_on_server

COMMANDS = ("create", "promote", "rotate", "emergency", "revoke-active", "drop-private", "destroy", "recover")


@pytest.mark.parametrize("name", COMMANDS)
def test_killed(name: str, tmp_path: Path, bao: BaoServer) -> None:
    """Killed, it leaves whole documents and no history of private ones; its repetition reaches the same."""
    points = run_on_server("vault", name, tmp_path, bao.environment)
    assert not [str(point) for point in points if point.failure]
    assert {point.ended for point in points} == {"killed"}
    written = [point.point for point in points if "/POST data/" in point.point]
    assert {name.rsplit("/", 1)[1] for name in written} == {"before", "after"}

"""kill -9 before and after the requests of commands on Secrets Manager: what comes after converges.

Here at the first and the last of each kind of request, and around each move of AWSCURRENT, of a
part of the commands; `make failpoints ARGS='--store aws'` goes through them all.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.aws.strict_secretsmanager import StrictSecretsManager
from tests.failpoints.runs import run_on_server


@pytest.mark.parametrize(
    ("store", "name"), [("aws", "create"), ("aws", "promote"), ("aws-separate", "promote")]
)
def test_killed(store: str, name: str, tmp_path: Path, strict: StrictSecretsManager) -> None:
    """Killed, it leaves whole documents and no candidate behind; its repetition reaches the same."""
    points = run_on_server(store, name, tmp_path, strict.environment)
    assert not [str(point) for point in points if point.failure]
    assert {point.ended for point in points} == {"killed"}
    landing = "create_secret" if name == "create" else "move_label"
    around = [point.point for point in points if f"/{landing}/" in point.point]
    assert {name.rsplit("/", 1)[1] for name in around} == {"before", "after"}

"""kill -9 and a full disk at the system calls of every lifecycle command: what comes after converges.

Here at the first and the last of each kind of call, and around each rename; `make failpoints`
goes through them all.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.failpoints.lifecycle import LIFECYCLE
from tests.failpoints.runs import run
from tests.failpoints.small_disk import own_mounts


@pytest.mark.parametrize("name", LIFECYCLE)
def test_disturbed(name: str, tmp_path: Path) -> None:
    """Killed, or met by a full disk, it leaves whole documents, and its repetition reaches the same state."""
    points = run(name, tmp_path)
    assert not [str(point) for point in points if point.failure]
    assert {point.ended for point in points if point.how == "kill"} == {"killed"}
    if own_mounts() is not None:
        endings = {point.ended for point in points if point.how == "fill"}
        assert {"done", "store_full"} <= endings <= {"done", "store_full", "removal_unconfirmed"}


def test_disks_were_filled() -> None:
    """Where no disk can be mounted, none was filled, which must be seen."""
    if own_mounts() is None:
        pytest.skip("this machine lets nobody mount a disk in a namespace, so none can be filled")

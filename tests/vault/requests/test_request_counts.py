"""What a keyring's care costs in Vault: the counts that `make bench` prints, and what is in them."""

from __future__ import annotations

import pytest

from benchmarks.figure import Figure
from benchmarks.vault_requests import FIGURES, household


@pytest.mark.parametrize("figure", FIGURES, ids=[figure.name for figure in FIGURES])
def test_within_its_bound(figure: Figure) -> None:
    """A count is no timing: it is the same on every machine, and must not grow."""
    assert 0 < figure.measure() <= figure.at_most


def test_stamps_leave_signing_alone() -> None:
    """A rotation's second revision, which only stamps, is written to `authority` and `public` alone."""
    with household() as home:
        report = home.next_rotation()
        assert report.commits == 2
        written = [request for request in home.sent if request.startswith("POST ")]
    assert written == ["POST authority", "POST public", "POST signing", "POST authority", "POST public"]

"""What a keyring's care costs in Secrets Manager: the counts of `make bench`, and what is in them."""

from __future__ import annotations

import pytest

from benchmarks.aws_requests import FIGURES, household
from benchmarks.figure import Figure


@pytest.mark.parametrize("figure", FIGURES, ids=[figure.name for figure in FIGURES])
def test_within_its_bound(figure: Figure, environment: pytest.MonkeyPatch) -> None:
    """A count is no timing: it is the same on every machine, and must not grow."""
    assert 0 < figure.measure() <= figure.at_most


def test_a_pass_looks_at_versions_once(environment: pytest.MonkeyPatch) -> None:
    """A rotation looks at versions before its first write and no other; its stamps leave signing alone."""
    with household() as home:
        report = home.next_rotation()
        assert report.commits == 2
        asked = [request for request in home.sent if not request.startswith("get_secret_value")]
    put, moved = "put_secret_value", "update_secret_version_stage"
    documents = ["authority", "public", "signing", "authority", "public"]
    writes = [f"{step} {document}" for document in documents for step in (put, moved)]
    assert asked == ["list_secret_version_ids authority", *writes]

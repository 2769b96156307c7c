"""Processes race for one rotation in Secrets Manager: one of them wins each."""

from __future__ import annotations

import pytest

from tests.race.course import course
from tests.race.ground import aws_ground


def test_one_winner_each(environment: pytest.MonkeyPatch) -> None:
    """In each round exactly one promotes, the others find it done, and nobody meets an error."""
    raced = 0
    with aws_ground() as ground, course(ground, 12) as track:
        for _ in range(4):
            result = track.run()
            assert len(result.winners) == 1
            assert result.errors == ()
            assert result.gave_up == ()
            raced += result.raced
    assert raced > 4, "nobody met anybody: it was no race"

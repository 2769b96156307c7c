"""Lengths of time read as people say them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyvault_jwt.cli.ages import about, dated, iso_or_none, seen_from

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000


@pytest.mark.parametrize(
    ("length", "units", "text"),
    [
        (0, 1, "0.0s"),
        (400, 1, "0.4s"),
        (59 * SECOND, 1, "59s"),
        (59_600, 1, "1m"),
        (MINUTE, 1, "1m"),
        (90 * MINUTE, 2, "1h30m"),
        (2 * HOUR + 5 * MINUTE + 31 * SECOND, 2, "2h6m"),
        (30 * DAY - 1, 1, "30d"),
        (30 * DAY - 1, 2, "30d"),
        (400 * DAY, 1, "400d"),
        (-3 * DAY, 1, "3d"),
    ],
)
def test_a_length_is_rounded_to_the_units_asked_for(length: int, units: int, text: str) -> None:
    """The nearest whole number of the finest unit shown, carried over where it fills the next one."""
    assert about(length, units) == text


@given(st.integers(min_value=10_000, max_value=10**12), st.sampled_from([1, 2]))
def test_no_more_units_are_shown_than_asked_for(length: int, units: int) -> None:
    """However long, a length is short to read."""
    assert 1 <= sum(character.isalpha() for character in about(length, units)) <= units


def test_an_instant_says_on_which_side_of_now_it_lies() -> None:
    """Future and past read differently, and the exact instant stands beside."""
    assert seen_from(DAY, 3 * DAY) == "in 2d"
    assert seen_from(3 * DAY, DAY) == "2d ago"
    assert dated(0, HOUR) == "1970-01-01T01:00:00.000Z (in 1h)"


def test_a_missing_instant_stays_missing() -> None:
    """JSON output has null where nothing was observed."""
    assert iso_or_none(None) is None
    assert iso_or_none(0) == "1970-01-01T00:00:00.000Z"

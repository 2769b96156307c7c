"""Durations: text to milliseconds and back, and what is refused."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyvault_jwt.duration import LONGEST, format_duration, milliseconds, parse_duration
from keyvault_jwt.errors import BadDuration, UsageError

LONGEST_MS = 100 * 365 * 86_400_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0s", 0),
        ("1ms", 1),
        ("500ms", 500),
        ("30s", 30_000),
        ("15m", 900_000),
        ("1h30m", 5_400_000),
        ("90d", 90 * 86_400_000),
        ("2w", 14 * 86_400_000),
        ("1m1ms", 60_001),
        ("1ms1m", 60_001),
        ("1h1h", 7_200_000),
        ("007s", 7_000),
        ("999999999999ms", 999_999_999_999),
        ("36500d", LONGEST_MS),
    ],
)
def test_what_people_write_is_read(text: str, expected: int) -> None:
    """Every unit counts, in any order and more than once, up to 100 years to the millisecond."""
    assert parse_duration(text) == timedelta(milliseconds=expected)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "5",
        "s",
        "5 s",
        " 5s",
        "5s ",
        "5s\n",
        "-5s",
        "+5s",
        "1.5h",
        "5S",
        "5M",
        "5y",
        "5us",
        "1_000s",
        "5s5",
        "5ss",
        "PT5S",
        "\N{ARABIC-INDIC DIGIT FIVE}s",
        "\N{FULLWIDTH DIGIT FIVE}s",
        "1000000000000ms",
        "36500d1ms",
        "5215w",
        "999999999999w",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    """No unit, a sign, a fraction, white space, other digits or over 100 years: `bad_duration`, exit 2."""
    with pytest.raises(BadDuration) as caught:
        parse_duration(text)
    error = caught.value
    assert isinstance(error, UsageError)
    assert (error.code, error.exit_status) == ("bad_duration", 2)
    assert repr(text)[:40] in error.what
    assert "100 years" in error.why
    assert "90d" in error.fix


def test_a_long_text_is_not_repeated() -> None:
    """A message quotes 40 characters at most."""
    with pytest.raises(BadDuration) as caught:
        parse_duration("x" * 41)
    assert caught.value.what == f"{'x' * 40!r} is not a duration"


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (0, "0s"),
        (timedelta(), "0s"),
        (1, "1ms"),
        (999, "999ms"),
        (1000, "1s"),
        (60_000, "1m"),
        (59_999, "59s999ms"),
        (86_400_000, "1d"),
        (7 * 86_400_000, "7d"),
        (90_061_001, "1d1h1m1s1ms"),
        (-1, "-1ms"),
        (-90_000, "-1m30s"),
        (timedelta(microseconds=1), "1ms"),
        (timedelta(hours=-1), "-1h"),
        (LONGEST, "36500d"),
    ],
)
def test_spelling_is_short_and_exact(duration: timedelta | int, text: str) -> None:
    """Units of zero are left out, weeks read as days, a negative has one sign in front."""
    assert format_duration(duration) == text


@given(st.integers(0, LONGEST_MS))
def test_every_duration_comes_back(length: int) -> None:
    """What is written is read as the same number of milliseconds, and has one spelling."""
    text = format_duration(length)
    assert milliseconds(parse_duration(text)) == length
    assert format_duration(timedelta(milliseconds=length)) == text
    assert format_duration(-length) == ("0s" if length == 0 else f"-{text}")


@given(st.text("0123456789wdhms \n-.", max_size=12))
def test_reading_ends_in_a_duration_or_its_own_error(text: str) -> None:
    """No text leads to another exception, nor to a duration outside 0 to 100 years."""
    with suppress(BadDuration):
        assert timedelta() <= parse_duration(text) <= LONGEST


@given(st.timedeltas())
def test_a_finer_remainder_is_rounded_up(duration: timedelta) -> None:
    """Whole milliseconds are the least that are not shorter, so that no wait is cut short."""
    rounded = milliseconds(duration)
    assert timedelta(milliseconds=rounded - 1) < duration
    assert duration - timedelta(milliseconds=rounded - 1) <= timedelta(milliseconds=1)

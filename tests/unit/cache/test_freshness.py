"""Freshness: C, G and age from headers, and when a set is asked for again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from keyvault_jwt.cache.freshness import Bounds, Lifetime, Moment, lifetime_of, next_refresh, next_retry
from keyvault_jwt.errors import UsageError

BOUNDS = Bounds()
HOUR = 3_600_000


@pytest.mark.parametrize(
    ("headers", "lifetime"),
    [
        ({}, Lifetime(300_000, HOUR)),
        ({"cache-control": ""}, Lifetime(300_000, HOUR)),
        ({"cache-control": "public"}, Lifetime(300_000, HOUR)),
        ({"cache-control": "public, max-age=600"}, Lifetime(600_000, HOUR)),
        ({"cache-control": "MAX-AGE=600"}, Lifetime(600_000, HOUR)),
        ({"cache-control": 'max-age="600"'}, Lifetime(600_000, HOUR)),
        ({"cache-control": "max-age = 600"}, Lifetime(600_000, HOUR)),
        ({"cache-control": "max-age=1"}, Lifetime(1_000, HOUR)),
        ({"cache-control": "max-age=0"}, Lifetime(0, HOUR)),
        ({"cache-control": "max-age=86400"}, Lifetime(HOUR, HOUR)),
        ({"cache-control": "max-age=99999999999999"}, Lifetime(0, HOUR)),
        ({"cache-control": "max-age=-5"}, Lifetime(0, HOUR)),
        ({"cache-control": "max-age=5m"}, Lifetime(0, HOUR)),
        ({"cache-control": "max-age"}, Lifetime(0, HOUR)),
        ({"cache-control": "max-age=600, max-age=60"}, Lifetime(60_000, HOUR)),
        ({"cache-control": "s-maxage=10, max-age=600"}, Lifetime(600_000, HOUR)),
        ({"cache-control": 'ext="max-age=5"'}, Lifetime(300_000, HOUR)),
        ({"cache-control": "no-store"}, Lifetime(10_000, HOUR)),
        ({"cache-control": "no-cache, max-age=600"}, Lifetime(10_000, HOUR)),
        ({"cache-control": "max-age=600, must-revalidate"}, Lifetime(600_000, HOUR)),
        ({"cache-control": "max-age=600, stale-if-error=60"}, Lifetime(600_000, 60_000)),
        ({"cache-control": "max-age=600, stale-if-error=0"}, Lifetime(600_000, 0)),
        ({"cache-control": "max-age=600, stale-if-error=86400"}, Lifetime(600_000, HOUR)),
        ({"cache-control": "max-age=600, stale-if-error=x"}, Lifetime(600_000, 0)),
        ({"age": "7"}, Lifetime(300_000, HOUR, 7_000)),
        ({"age": "7, 9"}, Lifetime(300_000, HOUR, 7_000)),
        ({"age": "soon"}, Lifetime(300_000, HOUR, 0)),
        ({"age": "9" * 11}, Lifetime(300_000, HOUR, 2**31 * 1_000)),
    ],
    ids=str,
)
def test_headers(headers: dict[str, str], lifetime: Lifetime) -> None:
    """What a publisher says counts within the operator's bounds; what can't be read counts as 0."""
    assert lifetime_of(headers, BOUNDS) == lifetime


def test_not_modified_without_cache_control() -> None:
    """An answer that says nothing of caching leaves what was said before, but for its own age."""
    before = Lifetime(60_000, 30_000, 5_000)
    assert lifetime_of({"age": "1"}, BOUNDS, before) == Lifetime(60_000, 30_000, 1_000)
    assert lifetime_of({"cache-control": "max-age=9"}, BOUNDS, before) == Lifetime(9_000, HOUR)


@pytest.mark.parametrize("ttl", [1_000, 3_000, 60_000, 300_000, HOUR])
@pytest.mark.parametrize("jitter", [0.0, 0.5, 1.0])
def test_refresh_is_ahead(ttl: int, jitter: float) -> None:
    """Our own sets are asked for again before C, a stranger's not more often than `min_ttl`."""
    ours = next_refresh(Lifetime(ttl, HOUR), BOUNDS, ours=True, jitter=jitter)
    assert 0.5 * ttl <= ours <= 0.9 * ttl
    strangers = next_refresh(Lifetime(ttl, HOUR), BOUNDS, ours=False, jitter=jitter)
    assert strangers == max(ours, BOUNDS.min_ttl)


def test_refresh_is_spread() -> None:
    """Two verifiers that started together don't ask together."""
    first, last = (next_refresh(Lifetime(300_000, 0), BOUNDS, ours=True, jitter=j) for j in (0.0, 1.0))
    assert last - first >= 40_000


@pytest.mark.parametrize(
    "lifetime",
    [
        Lifetime(1_000, 1_000),
        Lifetime(0, 5_000),
        Lifetime(5_000, 0),
        Lifetime(5_000, 0, 4_000),
        Lifetime(300_000, 1_000, 300_500),
    ],
)
@pytest.mark.parametrize("ours", [True, False])
def test_refresh_comes_before_the_end(lifetime: Lifetime, ours: bool) -> None:
    """However short its life, a set is asked for again while it may still be used."""
    for jitter in (0.0, 1.0):
        assert 0 < next_refresh(lifetime, BOUNDS, ours=ours, jitter=jitter) < lifetime.end - lifetime.age


def test_set_that_may_not_be_used_at_all() -> None:
    """With C + G = 0 there is nothing to keep fresh, and no storm of requests."""
    assert next_refresh(Lifetime(0, 0), BOUNDS, ours=False, jitter=0) == BOUNDS.min_ttl


def test_retries_back_off() -> None:
    """Failures are retried after 1, 2, 4 … 30 s, give or take a fifth."""
    pauses = [next_retry(failures, None, jitter=0.5) for failures in range(1, 9)]
    assert pauses == [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]
    assert next_retry(1, None, jitter=0) == 800
    assert next_retry(1, None, jitter=1) == 1_200


def test_retries_fit_into_short_lives() -> None:
    """A set of 2 s gets several retries before its end."""
    assert [next_retry(failures, Lifetime(1_000, 1_000), jitter=0.5) for failures in (1, 9)] == [200, 200]
    assert next_retry(9, Lifetime(60_000, 60_000), jitter=0.5) == 12_000


def test_either_clock_is_believed() -> None:
    """A moment has come when either clock says so, and the larger elapsed time counts."""
    moment = Moment(1_000, 50).later(100)
    assert not moment.has_come(Moment(1_099, 149))
    assert moment.has_come(Moment(1_100, 0))
    assert moment.has_come(Moment(0, 150))
    assert Moment(5_000, 60).since(Moment(1_000, 50)) == 4_000
    assert Moment(900, 75).since(Moment(1_000, 50)) == 25


def test_bounds_are_not_negative() -> None:
    """A bound below zero is refused."""
    assert Bounds.of(max_stale=timedelta(0)).max_stale == 0
    with pytest.raises(UsageError):
        Bounds.of(max_stale=timedelta(seconds=-1))

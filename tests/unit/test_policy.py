"""RotationPolicy: every parameter at its edges, and the lengths that follow from them."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from keyvault_jwt import RotationPolicy
from keyvault_jwt.duration import LONGEST, format_duration
from keyvault_jwt.errors import BadDuration, GateError, PolicyRefused
from keyvault_jwt.policy import MAX_STANDBYS, Timing

MS = timedelta(milliseconds=1)
DEFAULTS = {
    "rotate_every": timedelta(days=30),
    "token_ttl": timedelta(minutes=15),
    "leeway": timedelta(seconds=30),
    "clock_skew": timedelta(seconds=30),
    "signer_poll": timedelta(seconds=30),
    "publisher_poll": timedelta(seconds=30),
    "signer_lease": timedelta(hours=1),
    "publisher_lease": timedelta(hours=1),
    "jwks_max_age": timedelta(minutes=5),
    "max_stale": timedelta(hours=1),
    "rollback_window": timedelta(hours=1),
}
MAY_BE_ZERO = {"leeway", "clock_skew", "max_stale", "rollback_window"}
SECONDS: dict[str, Any] = {
    "rotate_every": "6s",
    "token_ttl": "2s",
    "leeway": "100ms",
    "clock_skew": "100ms",
    "signer_poll": "200ms",
    "publisher_poll": "200ms",
    "signer_lease": "1500ms",
    "publisher_lease": "1500ms",
    "jwks_max_age": "1s",
    "max_stale": "1s",
    "rollback_window": "1s",
}
INEQUALITIES = [
    ("clock_skew", "leeway", 1),
    ("signer_poll", "signer_lease", 2),
    ("publisher_poll", "publisher_lease", 2),
]


def refused(**parameters: Any) -> PolicyRefused:
    """Return the refusal of a policy, and check what every refusal has."""
    with pytest.raises(PolicyRefused) as caught:
        RotationPolicy(**parameters)
    error = caught.value
    assert isinstance(error, GateError)
    assert (error.code, error.exit_status) == ("policy_refused", 3)
    assert error.what == "the policy is refused"
    assert "docs/concepts.md" in error.fix
    return error


def retirement(policy: RotationPolicy, staleness: int = 0) -> int:
    """Return how long a key stays after it stopped, by the policy's own L and P."""
    timing = policy.timing(staleness)
    return timing.retirement(token_ttl_max=timing.token_ttl, lease_max=timing.signer_lease)


def test_defaults() -> None:
    """Every default that docs/concepts.md names, and no parameter besides these."""
    policy = RotationPolicy()
    expected = DEFAULTS | {"algorithm": "ES256", "standbys": 2}
    assert {name: getattr(policy, name) for name in RotationPolicy.model_fields} == expected


def test_lengths_under_the_defaults() -> None:
    """Lead and revocation bound 2 h 5.5 min, retirement 1 h 16.5 min; an undeclared store adds its 5 s."""
    policy = RotationPolicy()
    assert policy.timing(0).exposure == 2 * 3_600_000 + 330_000
    assert retirement(policy) == 3_600_000 + 990_000
    assert policy.timing(0).handover == 3_600_000 + 60_000
    assert policy.timing(5000).exposure == policy.timing(0).exposure + 5000
    assert retirement(policy, 5000) == retirement(policy) + 5000
    assert policy.timing(5000).handover == policy.timing(0).handover + 5000


def test_lengths_under_a_policy_of_seconds() -> None:
    """The policy for tests and the demo: lead 3.6 s, retirement 3.8 s."""
    policy = RotationPolicy(**SECONDS)
    assert policy.timing(0).exposure == 3600
    assert retirement(policy) == 3800
    assert policy.timing(0).handover == 1700


def test_rollback_window_may_be_what_keeps_a_key() -> None:
    """I2 takes the later of the last token and the rollback window plus ε; at equality they agree."""
    even = timedelta(milliseconds=3700)
    for window, expected in ((even - MS, 3800), (even, 3800), (even + MS, 3801), (even * 2, 7500)):
        assert retirement(RotationPolicy(**SECONDS | {"rollback_window": window})) == expected


def test_retirement_counts_the_highest_values_a_key_has_seen() -> None:
    """L_max and P_max are the key's, not the policy's of today."""
    timing = RotationPolicy(**SECONDS).timing(0)
    assert timing.retirement(token_ttl_max=10_000, lease_max=20_000) == 30_000 + 100 + 200


@given(st.lists(st.integers(0, 10**10), min_size=9, max_size=9))
def test_lengths_follow_the_formulas(numbers: list[int]) -> None:
    """D + S + C + G + ε, P + S + 2ε, and max(P + S + L + W + 2ε, rollback + ε), whatever the numbers."""
    ttl, leeway, skew, lease_p, lease_d, age, stale, rollback, store = numbers
    timing = Timing(0, ttl, leeway, skew, lease_p, lease_d, age, stale, rollback, store)
    assert timing.exposure == lease_d + store + age + stale + skew
    assert timing.handover == lease_p + store + 2 * skew
    assert timing.retirement(token_ttl_max=ttl, lease_max=lease_p) == max(
        lease_p + store + ttl + leeway + 2 * skew, rollback + skew
    )


def test_timing_is_the_policy_in_milliseconds() -> None:
    """Every duration, and the store's staleness, which is no policy field."""
    timing = RotationPolicy().timing(7)
    counted = DEFAULTS.keys() - {"signer_poll", "publisher_poll"}
    assert {name: getattr(timing, name) for name in counted} == {
        name: DEFAULTS[name] // MS for name in counted
    }
    assert (timing.staleness, RotationPolicy().timing(0).staleness) == (7, 0)


@pytest.mark.parametrize("name", DEFAULTS)
def test_durations_are_read_as_text_or_timedelta(name: str) -> None:
    """`90d` and a timedelta of 90 days make one policy."""
    roomy: dict[str, Any] = {"leeway": "90d", "signer_lease": "180d", "publisher_lease": "180d"}
    text = RotationPolicy(**roomy | {name: "90d"})
    assert text == RotationPolicy(**roomy | {name: timedelta(days=90)})
    assert getattr(text, name) == timedelta(days=90)


@pytest.mark.parametrize("name", DEFAULTS)
@pytest.mark.parametrize("text", ["", "soon", "-5s", "1.5h", "36501d"])
def test_text_that_is_no_duration_is_refused(name: str, text: str) -> None:
    """It is misspelt, which is another error than a policy that contradicts itself."""
    with pytest.raises(BadDuration, match=f"^{text!r} is not a duration"):
        RotationPolicy(**{name: text})


@pytest.mark.parametrize("name", DEFAULTS)
@pytest.mark.parametrize("value", [None, [], {}, float("nan"), float("inf")])
def test_what_is_no_duration_is_refused(name: str, value: object) -> None:
    """The refusal names the parameter."""
    assert f"{name}: " in refused(**{name: value}).why


@pytest.mark.parametrize("name", DEFAULTS)
def test_zero_and_negative_durations(name: str) -> None:
    """Zero is taken where a wait may be none; a negative never is."""
    if name in MAY_BE_ZERO:
        others = {"clock_skew": "0s"} if name == "leeway" else {}
        assert getattr(RotationPolicy(**others | {name: "0s"}), name) == timedelta()
    else:
        assert f"{name}: " in refused(**{name: timedelta()}).why
    assert f"{name}: " in refused(**{name: -MS}).why


@pytest.mark.parametrize("name", DEFAULTS)
def test_the_longest_duration(name: str) -> None:
    """100 years are taken, a millisecond more is not, and the refusal has the numbers."""
    roomy: dict[str, Any] = {"leeway": LONGEST, "signer_lease": LONGEST, "publisher_lease": LONGEST}
    if name not in {"signer_poll", "publisher_poll"}:
        assert getattr(RotationPolicy(**roomy | {name: LONGEST}), name) == LONGEST
    why = refused(**roomy | {name: LONGEST + MS}).why
    assert f"{name}: 36500d1ms is longer than 36500d" in why
    assert f"{name}: " in refused(**{name: timedelta.max}).why


@pytest.mark.parametrize(("low", "high", "factor"), INEQUALITIES)
def test_inequalities_at_equality_and_past_it(low: str, high: str, factor: int) -> None:
    """W ≥ ε, and each poll at most half its lease: equality holds, a millisecond past it does not."""
    bound = timedelta(seconds=10)
    RotationPolicy(**{low: bound / factor, high: bound})
    right = bound - MS
    why = refused(**{low: bound / factor, high: right}).why
    times = "2 * " if factor == 2 else ""
    assert why == f"{times}{low} ≤ {high} is broken: 10s > 9s999ms"
    why = refused(**{low: bound / factor + MS, high: bound}).why
    assert why == f"{times}{low} ≤ {high} is broken: {format_duration(bound + factor * MS)} > 10s"


@pytest.mark.parametrize("name", ["jwks_max_age", "max_stale"])
def test_what_travels_in_a_header_is_whole_seconds(name: str) -> None:
    """A second is taken; a millisecond more or less is not."""
    assert getattr(RotationPolicy(**{name: "1s"}), name) == timedelta(seconds=1)
    for value in ("999ms", "1001ms", "1s1ms", timedelta(seconds=1, microseconds=1)):
        assert refused(**{name: value}).why == f"{name} travels as a header in whole seconds"


@pytest.mark.parametrize("name", sorted(set(DEFAULTS) - {"jwks_max_age", "max_stale"}))
def test_finer_durations_are_rounded_up(name: str) -> None:
    """The core counts whole milliseconds, and no wait is cut short."""
    value = DEFAULTS[name]
    others: dict[str, Any] = {"leeway": "1m", "signer_lease": "2h", "publisher_lease": "2h"}
    policy = RotationPolicy(**others | {name: value + timedelta(microseconds=1)})
    assert getattr(policy, name) == value + MS
    assert policy.timing(0) == RotationPolicy(**others | {name: value + MS}).timing(0)


@pytest.mark.parametrize(
    ("standbys", "accepted"), [(1, False), (2, True), (MAX_STANDBYS, True), (MAX_STANDBYS + 1, False)]
)
def test_bounds_of_the_standbys(standbys: int, accepted: bool) -> None:
    """Two at least, so that a rotation leaves a ready key behind; 16 at most."""
    if accepted:
        assert RotationPolicy(standbys=standbys).standbys == standbys
    else:
        assert "standbys: " in refused(standbys=standbys).why


@pytest.mark.parametrize("name", ["none", "EdDSA", "es256", ""])
def test_unknown_algorithms_are_refused(name: str) -> None:
    """By name, exactly; `EdDSA` is known for verifying alone."""
    assert refused(algorithm=name).why == f"algorithm: {name!r} is not an algorithm we know"


def test_unknown_parameters_are_refused() -> None:
    """A misspelt parameter does not silently fall back to the default."""
    assert "rotate_evry: " in refused(rotate_evry="90d").why


def test_every_fault_is_told_at_once() -> None:
    """A refusal lists all parameters at fault, and quotes no value that was given for one."""
    error = refused(rotate_every=["canary"], token_ttl=-MS, standbys=0, algorithm="none")
    named = {part.partition(":")[0] for part in error.why.split("; ")}
    assert named == {"rotate_every", "token_ttl", "standbys", "algorithm"}
    assert "canary" not in str(error)


def test_a_changed_copy_is_a_policy_like_any_other() -> None:
    """Its milliseconds are its own parameters', and what may not be made may not be copied into being."""
    seconds = RotationPolicy(**SECONDS)
    changed = seconds.model_copy(update={"rotate_every": timedelta(hours=1)})
    assert changed == RotationPolicy(**{**SECONDS, "rotate_every": "1h"})
    assert changed.timing(0).rotate_every == 3_600_000
    with pytest.raises(PolicyRefused):
        seconds.model_copy(update={"signer_poll": seconds.signer_lease})


def test_policies_are_frozen() -> None:
    """A policy is replaced, never changed."""
    policy = RotationPolicy()
    with pytest.raises(ValidationError, match="frozen"):
        policy.standbys = 3  # type: ignore[misc]


DURATIONS = st.integers(1, 10**11)


@given(
    numbers=st.lists(DURATIONS, min_size=5, max_size=5),
    seconds=st.tuples(st.integers(1, 10**8), st.integers(0, 10**8)),
    halves=st.tuples(DURATIONS, DURATIONS),
    standbys=st.integers(2, MAX_STANDBYS),
)
def test_stored_policies_come_back(
    numbers: list[int], seconds: tuple[int, int], halves: tuple[int, int], standbys: int
) -> None:
    """As stored text, a policy reads back equal, down to the millisecond."""
    rotate, ttl, rollback, one, other = (timedelta(milliseconds=number) for number in numbers)
    policy = RotationPolicy(
        rotate_every=rotate,
        token_ttl=ttl,
        rollback_window=rollback,
        clock_skew=min(one, other),
        leeway=max(one, other),
        signer_poll=halves[0] * MS,
        signer_lease=2 * halves[0] * MS,
        publisher_poll=halves[1] * MS,
        publisher_lease=2 * halves[1] * MS,
        jwks_max_age=timedelta(seconds=seconds[0]),
        max_stale=timedelta(seconds=seconds[1]),
        standbys=standbys,
    )
    stored = json.loads(json.dumps(policy.model_dump(mode="json")))
    assert all(isinstance(stored[name], str) for name in DEFAULTS)
    back = RotationPolicy(**stored)
    assert back == policy
    assert back.timing(3) == policy.timing(3)

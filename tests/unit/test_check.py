"""Check: one inequality, at equality and on either side of it, and the error of each invariant."""

from __future__ import annotations

import dataclasses
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyvault_jwt import check
from keyvault_jwt.check import Check, Invariant, Unit
from keyvault_jwt.clock import iso
from keyvault_jwt.errors import GateError, InvariantBroken, PolicyRefused
from keyvault_jwt.testing.fake_clock import START

ERRORS = {
    Invariant.LEAD: (check.LeadBroken, "i1_lead"),
    Invariant.RETIRE: (check.RetirementBroken, "i2_retire"),
    Invariant.LEASE: (check.LeaseBroken, "i3_lease"),
    Invariant.REVOCATION: (check.RevocationBroken, "i4_revocation"),
    Invariant.STANDBY: (check.StandbyBroken, "i5_standby"),
    Invariant.CAPACITY: (check.CapacityBroken, "i6_capacity"),
    Invariant.CATCH_UP: (check.CatchUpBroken, "i7_catch_up"),
    Invariant.POLICY_CHANGE: (check.PolicyChangeBroken, "i8_policy_change"),
    Invariant.IDENTITY: (check.IdentityBroken, "i9_identity"),
    Invariant.ORDER: (check.OrderBroken, "i10_order"),
}


def lead(left: int, right: int | None, **changes: object) -> Check:
    """Return a check of I1 with these sides."""
    made = Check(Invariant.LEAD, "lead", left, right, Unit.INSTANT, formula="t_sign ≥ t_published + lead")
    return dataclasses.replace(made, **changes)  # type: ignore[arg-type]


def test_there_are_ten() -> None:
    """I1 to I10, each with its own error."""
    assert [str(invariant) for invariant in Invariant] == [f"I{number}" for number in range(1, 11)]
    assert set(ERRORS) == set(Invariant)


@pytest.mark.parametrize("invariant", Invariant)
def test_each_invariant_has_its_own_error(invariant: Invariant) -> None:
    """Broken by one, it raises its class and code, exits 3, and says which, by how much and what to do."""
    kind, code = ERRORS[invariant]
    fix = "see `plan` for what is missing"
    if invariant is Invariant.CAPACITY:  # the keyring that a plan is of may not be there yet
        fix = "raise rotate_every, or lower the leases, jwks_max_age, max_stale or standbys"
    broken = Check(invariant, "margin", 41, 42, Unit.COUNT, kid="k1", formula="left ≥ right")
    with pytest.raises(InvariantBroken) as caught:
        broken.require()
    error = caught.value
    assert type(error) is kind
    assert isinstance(error, GateError)
    assert (error.code, error.exit_status) == (code, 3)
    assert error.what == f"{invariant} margin would be broken for k1"
    assert error.why == "left ≥ right: 41 < 42"
    assert error.fix == fix
    assert pickle.loads(pickle.dumps(error)).as_dict() == error.as_dict()


def test_a_policy_over_capacity_is_a_refused_policy() -> None:
    """I6 is about what a policy asks for, and is caught as such."""
    assert issubclass(check.CapacityBroken, PolicyRefused)


@given(st.integers(), st.integers())
def test_holds_means_slack_of_zero_or_more(left: int, right: int) -> None:
    """`holds`, `slack` and `require` agree, whatever the sides."""
    made = lead(left, right, unit=Unit.COUNT)
    assert made.slack == left - right
    assert made.holds == (made.slack >= 0) == (left >= right)
    if made.holds:
        made.require()
    else:
        with pytest.raises(check.LeadBroken):
            made.require()


def test_equality_holds_and_one_less_does_not() -> None:
    """The inequality is ≥, not >."""
    lead(START, START).require()
    lead(START + 1, START).require()
    assert (lead(START, START).slack, lead(START - 1, START).slack) == (0, -1)
    with pytest.raises(check.LeadBroken) as caught:
        lead(START - 1, START).require()
    assert "2025-12-31T23:59:59.999Z < 2026-01-01T00:00:00.000Z" in caught.value.why


def test_what_was_not_observed_does_not_hold() -> None:
    """No fact, no slack, and no time to wait for: however large the left side is."""
    made = lead(10**15, None)
    assert (made.holds, made.slack) == (False, None)
    with pytest.raises(check.LeadBroken) as caught:
        lead(START, None).require()
    assert caught.value.why == f"t_sign ≥ t_published + lead: {iso(START)} < not observed yet"
    assert caught.value.fix == "see `plan` for what is missing"


@pytest.mark.parametrize("earliest", [START, 0])
def test_the_earliest_safe_time_is_told(earliest: int) -> None:
    """When waiting helps, the error says until when, be it the epoch itself."""
    with pytest.raises(check.LeadBroken) as caught:
        lead(START - 1, START, earliest=earliest).require()
    assert caught.value.fix == f"wait until {iso(earliest)}"


def test_a_check_of_the_keyring_names_no_key() -> None:
    """Without a kid the sentence ends before it."""
    with pytest.raises(check.LeadBroken) as caught:
        lead(0, 1).require()
    assert caught.value.what == "I1 lead would be broken"


@pytest.mark.parametrize(
    ("unit", "side", "text"),
    [
        (Unit.INSTANT, START, "2026-01-01T00:00:00.000Z"),
        (Unit.INSTANT, 0, "1970-01-01T00:00:00.000Z"),
        (Unit.DURATION, 5_400_000, "1h30m"),
        (Unit.DURATION, 0, "0s"),
        (Unit.DURATION, -1, "-1ms"),
        (Unit.COUNT, 5_400_000, "5400000"),
        (Unit.COUNT, 0, "0"),
        *((unit, None, "not observed yet") for unit in Unit),
    ],
)
def test_sides_as_people_read_them(unit: Unit, side: int | None, text: str) -> None:
    """A date, a duration or a number, by the unit; zero is a value, not an absence."""
    assert lead(0, 0, unit=unit).show(side) == text

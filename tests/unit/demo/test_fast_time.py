"""The policy of seconds keeps the rules for every store, and the play fits into a minute."""

from __future__ import annotations

import pytest

from keyvault_jwt.demo.fast_time import LIMIT, ROTATIONS, fast_policy, limit
from keyvault_jwt.invariants import capacity
from keyvault_jwt.store import UNDECLARED_LIMITS


@pytest.mark.parametrize("staleness", [0, 1, 500, 5_000, 60_000])
def test_the_period_is_the_shortest_that_capacity_allows(staleness: int) -> None:
    """I6 holds with a tenth of a second to spare, whatever S is."""
    checks = capacity(fast_policy(staleness), staleness, UNDECLARED_LIMITS)
    assert all(check.holds for check in checks)
    assert checks[0].left - (checks[0].right or 0) == 100


def test_a_linearizable_store_is_done_within_a_minute() -> None:
    """Five rotations, the migration's lead and the revocation's bound fit, with room for a busy machine."""
    timing = fast_policy().timing(0)
    assert ROTATIONS * timing.rotate_every + 2 * timing.exposure < 35_000
    assert limit() == LIMIT < 55_000


def test_a_stale_store_gets_more_time() -> None:
    """With an S of 5 s the periods are longer, and so is the limit."""
    timing = fast_policy(5_000).timing(5_000)
    assert limit(5_000) > ROTATIONS * timing.rotate_every + 2 * timing.exposure > LIMIT

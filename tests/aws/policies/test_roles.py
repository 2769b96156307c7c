"""With the policy that `access` prints and no other, each role does its whole work, and needs all of it."""

from __future__ import annotations

import pytest

from keyvault_jwt.cli.access import ROLES
from keyvault_jwt.errors import KeyvaultJWTError
from tests.aws.policies.conftest import Houses
from tests.aws.policies.house import House
from tests.aws.policies.work import ONE_RING, WORK

OPTIONS = "&kms_key=alias/keyrings&tags=team%3Dpayments,env%3Dtest&replicas=eu-west-1"
"""Each of these has a part in the rotator's policy."""
EVERY = pytest.mark.parametrize("every", [True, False], ids=["every ring", "one ring"])


def ring_of(role: str, *, every: bool) -> str:
    """Return for which keyring a role is granted."""
    return "*" if every else ONE_RING[role]


@EVERY
@pytest.mark.parametrize("bare", [True, False], ids=["bare name", "with suffix"])
@pytest.mark.parametrize("role", ROLES)
def test_work_is_done_and_nothing_is_granted_for_nothing(
    houses: Houses, role: str, *, bare: bool, every: bool
) -> None:
    """No request is denied; and each action on each resource of the policy was used for one."""
    house, ring = houses(bare=bare, options=OPTIONS), ring_of(role, every=every)
    policy = house.policy(role, ring)
    WORK[role](house, house.url_of(policy), ring)
    unused = set(policy.grants()) - house.account.used
    # A bare name's right serves only if AWS judges what is not there by it.
    assert all(not bare and not resource.endswith("?") for _, _, resource in unused), unused


def failing(house: House, role: str, ring: str, sid: str) -> bool:
    """Return whether the role can't work without one statement of its policy."""
    try:
        WORK[role](house, house.url_of(house.policy(role, ring).without(sid)), ring)
    except (KeyvaultJWTError, AssertionError, TimeoutError):
        return True
    except Exception as denied:
        return "AccessDenied" in str(denied)
    return False


@EVERY
@pytest.mark.parametrize("role", ROLES)
def test_no_statement_can_be_spared(houses: Houses, role: str, *, every: bool) -> None:
    """Without any single statement the work fails."""
    ring = ring_of(role, every=every)
    sids = [one.sid for one in houses(options=OPTIONS).policy(role, ring).statements]
    assert sids
    spared = [sid for sid in sids if not failing(houses(options=OPTIONS), role, ring, sid)]
    assert spared == []

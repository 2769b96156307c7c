"""With `private_halves=separate`, rights to the keys of versions are those to the documents, and no more."""

from __future__ import annotations

from uuid import uuid4

import pytest

from keyvault_jwt.cli.access import ROLES
from keyvault_jwt.errors import KeyvaultJWTError
from keyvault_jwt.store import DocumentName
from keyvault_jwt_aws.separate.separate_store import SEPARATED
from tests.aws.machine import RING
from tests.aws.policies.conftest import Houses
from tests.aws.policies.house import House
from tests.aws.policies.iam_policy import Policy
from tests.aws.policies.test_roles import EVERY, ring_of
from tests.aws.policies.work import MADE_ANEW, WORK

OPTIONS = "&private_halves=separate&kms_key=alias/keyrings&tags=team%3Dpayments"
SOME_VERSION = str(uuid4())


def work(house: House, role: str, ring: str, policy: Policy) -> None:
    """Do the role's work; a rotator's other store has made none of the keys, and reads them."""
    url = house.url_of(policy)
    WORK[role](house, url, ring)
    if role == "rotator":
        for kind in sorted(SEPARATED):
            assert house.enter(url).read(DocumentName(MADE_ANEW, kind)) is not None


@EVERY
@pytest.mark.parametrize("role", ["rotator", "signer", "verifier"])
def test_work_is_done_and_nothing_is_granted_for_nothing(houses: Houses, role: str, *, every: bool) -> None:
    """No request is denied; and each action on each resource of the policy was used for one."""
    house, ring = houses(options=OPTIONS), ring_of(role, every=every)
    policy = house.policy(role, ring)
    work(house, role, ring, policy)
    unused = set(policy.grants()) - house.account.used
    assert all(not resource.endswith("?") and "-key-" not in resource for _, _, resource in unused), unused


@pytest.mark.parametrize("role", ["rotator", "signer", "verifier"])
def test_no_statement_can_be_spared(houses: Houses, role: str) -> None:
    """Without any of the statements about keys the work fails."""
    ring = ring_of(role, every=False)
    sids = [one.sid for one in houses(options=OPTIONS).policy(role, ring).statements if "Key" in one.sid]
    assert sids
    for sid in sids:
        house = houses(options=OPTIONS)
        with pytest.raises((KeyvaultJWTError, AssertionError)):
            work(house, role, ring, house.policy(role, ring).without(sid))


def allowed(house: House, role: str, ring: str) -> set[tuple[str, str, bool]]:
    """Return which operations on which keys the role may do, current or forced, and otherwise."""
    _, key = house.account.identity(house.policy(role, ring))
    grants, found = house.account.layer.grants, set()
    house.account.layer.regions_asked.append("us-east-1")
    for kind in ("authority", "signing", "verification", "public"):
        for place in (f"{RING}/{kind}", f"team/{RING}/{kind}", f"{RING}/archive-1/{kind}"):
            name = f"{house.prefix}/{place}-key-{SOME_VERSION}"
            for operation, proper in (
                ("GetSecretValue", {"VersionStage": "AWSCURRENT"}),
                ("CreateSecret", {}),
                ("DeleteSecret", {"ForceDeleteWithoutRecovery": True}),
                ("PutSecretValue", {}),
                ("UpdateSecretVersionStage", {"VersionStage": "AWSCURRENT"}),
                ("ListSecretVersionIds", {}),
            ):
                for body in [proper, {}] if proper else [proper]:
                    asked = {"Name": name, "SecretId": name, **body}
                    if grants.allows(key, operation, name, asked):
                        found.add((operation, f"{place}", bool(body)))
    return found


@EVERY
@pytest.mark.parametrize("role", ROLES)
def test_everything_else_is_denied(houses: Houses, role: str, *, every: bool) -> None:
    """A role reads the keys of what it reads; a rotator makes them and deletes them for good only."""
    house = houses(options=OPTIONS)
    reads = {"rotator": ("authority", "signing", "verification"), "signer": ("signing",)}.get(role, ())
    if role == "verifier" and not every:
        reads = ("verification",)
    expected = {("GetSecretValue", f"{RING}/{kind}", True) for kind in reads}
    if role == "rotator":
        expected |= {("CreateSecret", f"{RING}/{kind}", False) for kind in reads}
        expected |= {("DeleteSecret", f"{RING}/{kind}", True) for kind in reads}
    assert allowed(house, role, "*" if every else RING) == expected

"""Rights to keys in KMS: enough to make, use and let go of a keyring's own, and none to any other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

import keyvault_jwt as kj
from keyvault_jwt.cli.access import ROLES
from keyvault_jwt.errors import KeyvaultJWTError
from keyvault_jwt.testing import FakeClock
from keyvault_jwt_aws import KmsStore, open_url
from tests.aws.machine import ISSUER, RING
from tests.aws.policies.account import Account
from tests.aws.policies.guarded_kms import GuardedKms, of_key
from tests.aws.policies.house import printed
from tests.aws.policies.iam_keys import KEYS, NO_RESOURCE
from tests.aws.policies.iam_policy import Authorization, Policy
from tests.aws.policies.test_roles import EVERY
from tests.aws.strict_secretsmanager import StrictSecretsManager
from tests.faulty_store import FAST

URL = "awssm://us-east-1/jwt?kms=sign&tags=team%3Dpayments"
KEY = "arn:aws:kms:us-east-1:123456789012:key/0f0e"
TAG = "keyvault-jwt-keyring"


class Workshop:
    """A prefix whose keys are made in KMS, for a rotator and a signer with the policies that are printed."""

    def __init__(self, account: Account, kms: GuardedKms, url: str, ring: str) -> None:
        self.account, self.kms, self.ring = account, kms, ring
        self.url = f"{url}&tags=team%3Dpayments&kms=sign&kms_endpoint_url={kms.url}"

    def policy(self, role: str) -> Policy:
        """Return what is printed for the role."""
        return Policy.of(printed(role, self.url, self.ring))

    def enter(self, policy: Policy) -> KmsStore:
        """Return the store of an identity with that policy alone, in KMS as in Secrets Manager."""
        profile, key = self.account.identity(policy)
        self.kms.policies[key] = policy
        store = open_url(f"{self.url}&profile={profile}")
        assert isinstance(store, KmsStore)
        return store

    def work(self, rotator: Policy, signer: Policy) -> str:
        """Make a keyring, sign, rotate and let the revoked key go; return the token."""
        clock, alarms = FakeClock(), list[str]()
        with self.enter(rotator) as theirs, self.enter(signer) as ours:
            manager = kj.KeyManager(theirs, clock=clock, listener=lambda event: None, wait=lambda _: None)
            manager.create(RING, FAST, issuer=ISSUER)
            active = manager.keyring(RING).active
            assert active is not None
            with kj.Signer(ours, RING, issuer=ISSUER, clock=clock, background=False) as it:
                token = it.sign({"sub": "u1", "aud": "api"}, ttl=timedelta(seconds=2))
            report = manager.revoke(RING, active.kid, reason="leaked", accept_refusals=True)
            alarms += report.alarms
            assert self.kms.of(active.reference).state == "PendingDeletion", alarms
        return token


@pytest.fixture
def guarded() -> Iterator[GuardedKms]:
    """KMS without keys, which lets nobody do anything."""
    with GuardedKms() as running:
        yield running


@pytest.fixture(params=["*", RING], ids=["every ring", "one ring"])
def workshop(
    request: pytest.FixtureRequest,
    strict: StrictSecretsManager,
    prefix_url: str,
    guarded: GuardedKms,
    credentials: Path,
) -> Workshop:
    """An empty prefix."""
    return Workshop(Account(strict, credentials, bare=False), guarded, prefix_url, request.param)


def test_keys_are_made_used_and_let_go(workshop: Workshop) -> None:
    """Rotator and signer do their work, and of what they are granted in KMS nothing is left unused."""
    rotator, signer = workshop.policy("rotator"), workshop.policy("signer")
    assert workshop.work(rotator, signer).count(".") == 2
    granted = {*rotator.grants(), *signer.grants()}
    unused = granted - workshop.kms.used - workshop.account.used
    assert {action for _, action, _ in unused if not action.startswith("secretsmanager:")} == set()


@pytest.mark.parametrize("role", ["rotator", "signer"])
def test_no_statement_can_be_spared(workshop: Workshop, role: str) -> None:
    """Without any single statement about keys the work fails."""
    policies = {name: workshop.policy(name) for name in ("rotator", "signer")}
    for one in policies[role].statements:
        if not one.actions[0].startswith("secretsmanager:"):
            fewer = {**policies, role: policies[role].without(one.sid)}
            with pytest.raises((KeyvaultJWTError, AssertionError)):
                workshop.work(fewer["rotator"], fewer["signer"])


def of(policy: Policy, action: str, tag: str | None, **more: str) -> bool:
    """Return whether the policy allows the action on a key with that tag."""
    context = of_key({} if tag is None else {TAG: tag})
    asked = (
        {f"aws:RequestTag/{TAG}": "jwt/payments", "aws:TagKeys": (TAG,)}
        if action.endswith(":TagResource")
        else {}
    )
    if action == "kms:ScheduleKeyDeletion":
        context["kms:ScheduleKeyDeletionPendingWindowInDays"] = "7"
    return bool(policy.allowing(Authorization(action, KEY, {**context, **asked, **more})))


MAY = {
    "rotator": {"kms:DescribeKey", "kms:GetPublicKey", "kms:ScheduleKeyDeletion", "kms:TagResource"},
    "signer": {"kms:Sign", "kms:GetPublicKey", "kms:ListResourceTags"},
}
OF_A_KEY = [action for action in KEYS if action.startswith("kms:") and action not in NO_RESOURCE]


@EVERY
@pytest.mark.parametrize("role", ROLES)
def test_everything_else_is_denied(role: str, *, every: bool) -> None:
    """No role does more with a keyring's own key, and none anything with a key that is not its keyring's."""
    policy = Policy.of(printed(role, URL, "*" if every else RING))
    assert {it for it in OF_A_KEY if of(policy, it, "jwt/payments")} == MAY.get(role, set())
    for tag in (
        "jwt/payments-2",
        "jwt2/payments",
        "jwt/team/payments",
        "jwt/payments/x",
        "payments",
        "jwt",
        None,
    ):
        allowed = {it for it in OF_A_KEY if of(policy, it, tag)}
        expected = MAY.get(role, set()) if every and tag == "jwt/payments-2" else set()
        if tag is None:  # one that was just made has no tag yet, nor has a stranger's
            expected = {"kms:TagResource"} if role == "rotator" else set()
        assert allowed == expected, tag


def test_tagging_is_no_way_to_anothers_key() -> None:
    """A rotator tags no key that encrypts, no key for another keyring, and with no tag of its own choice."""
    policy = Policy.of(printed("rotator", URL, RING))
    assert not of(policy, "kms:TagResource", None, **{"kms:KeyUsage": "ENCRYPT_DECRYPT"})
    assert not of(policy, "kms:TagResource", None, **{f"aws:RequestTag/{TAG}": "jwt/wages"})
    tags = {f"aws:RequestTag/{TAG}": "jwt/payments", "aws:TagKeys": (TAG, "owner")}
    assert not policy.allowing(Authorization("kms:TagResource", KEY, tags))


@pytest.mark.parametrize(
    ("tag", "usage", "allowed"),
    [
        ("jwt/payments", "SIGN_VERIFY", True),
        ("jwt/wages", "SIGN_VERIFY", False),
        ("jwt/payments", "ENCRYPT_DECRYPT", False),
        (None, "SIGN_VERIFY", False),
    ],
)
def test_keys_are_made_for_the_keyring_alone(tag: str | None, usage: str, *, allowed: bool) -> None:
    """A key without the keyring's tag, or one that does not sign, is not made."""
    policy = Policy.of(printed("rotator", URL, RING))
    context = {"kms:KeyUsage": usage, **({} if tag is None else {f"aws:RequestTag/{TAG}": tag})}
    assert bool(policy.allowing(Authorization("kms:CreateKey", "*", context))) is allowed


def test_deletion_takes_as_long_as_the_url_says() -> None:
    """With `kms_window=30d` no key of the keyring can be gone after a week."""
    policy = Policy.of(printed("rotator", f"{URL}&kms_window=30d", RING))
    days = "kms:ScheduleKeyDeletionPendingWindowInDays"
    for window, allowed in (("7", False), ("30", True)):
        context = {**of_key({TAG: "jwt/payments"}), days: window}
        assert bool(policy.allowing(Authorization("kms:ScheduleKeyDeletion", KEY, context))) is allowed

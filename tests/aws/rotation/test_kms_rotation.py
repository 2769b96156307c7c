"""A keyring whose keys never leave KMS rotates natively, too: the next key signs before it is current."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest

import keyvault_jwt as kj
from keyvault_jwt.errors import StoreError
from keyvault_jwt_aws import open_url
from tests.aws.documented_secret import CURRENT, PENDING
from tests.aws.faults import Answers
from tests.aws.kms.standin_kms import StandInKms
from tests.aws.machine import ISSUER, RING
from tests.aws.rotation.rotating import Rotating
from tests.aws.strict_secretsmanager import StrictSecretsManager


@pytest.fixture
def kms() -> Iterator[StandInKms]:
    """A stand-in without keys."""
    with StandInKms() as running:
        yield running


@pytest.fixture
def in_kms(
    prefix_url: str, strict: StrictSecretsManager, environment: pytest.MonkeyPatch, kms: StandInKms
) -> Iterator[Rotating]:
    """A new keyring of keys in KMS, with rotation on."""
    url = f"{prefix_url}&kms=sign&kms_endpoint_url={kms.url}"
    environment.setenv("KEYVAULT_JWT_STORE", url)
    with open_url(url) as store:
        manager = kj.KeyManager(store, listener=lambda event: None)
        manager.create(RING, kj.RotationPolicy(), issuer=ISSUER)
        made = Rotating(strict, url, manager)
        made.turn_on()
        yield made
        made.require_order()


def test_a_rotation_in_kms(in_kms: Rotating) -> None:
    """The candidate names its keys, holds none, and its next key signs a token that is taken."""
    before, old, token = in_kms.active, in_kms.token(), str(uuid4())
    assert in_kms.rotate(token)
    assert in_kms.secret.holder(CURRENT) == token
    assert in_kms.active != before
    assert in_kms.accepts(old)
    assert all(record.private is None for record in in_kms.keyring.records)


def test_a_next_key_that_does_not_sign(in_kms: Rotating, kms: StandInKms) -> None:
    """testSecret finds it out: the key that signs now goes on, and the candidate is released."""
    before = in_kms.active

    def disable(done: str) -> None:
        if done == "setSecret":
            kms.next("Sign", Answers("DisabledException", "the key is disabled"))

    assert not in_kms.rotate(then=disable)
    assert isinstance(in_kms.failures[0], StoreError)
    assert in_kms.active == before
    assert in_kms.secret.holder(PENDING) is None

"""A keyring whose keys never leave KMS rotates natively, too: the next key signs before it is current."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest

import keyvault_jwt as kj
from keyvault_jwt.errors import StoreError
from tests.aws.documented_secret import CURRENT, PENDING
from tests.aws.faults import Answers
from tests.aws.kms.standin_kms import StandInKms
from tests.aws.rotation.conftest import Begin
from tests.aws.rotation.rotating import Rotating


@pytest.fixture
def kms() -> Iterator[StandInKms]:
    """A stand-in without keys."""
    with StandInKms() as running:
        yield running


@pytest.fixture
def in_kms(begin: Begin, kms: StandInKms) -> Rotating:
    """A new keyring of keys in KMS."""
    return begin(kj.RotationPolicy(), f"&kms=sign&kms_endpoint_url={kms.url}")


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

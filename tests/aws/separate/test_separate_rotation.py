"""Native rotation with `private_halves=separate`: a candidate that was overtaken can't even be opened."""

from __future__ import annotations

from uuid import uuid4

import pytest

import keyvault_jwt as kj
from keyvault_jwt_aws.errors import RotationOvertaken
from tests.aws.documented_secret import CURRENT, PENDING
from tests.aws.machine import RING
from tests.aws.rotation.conftest import (
    Begin,
    begin,  # noqa: F401  (a fixture)
)
from tests.aws.rotation.rotating import Rotating


@pytest.fixture
def rotating(begin: Begin) -> Rotating:  # noqa: F811  (the fixture)
    """A keyring whose private halves are separate, with rotation on."""
    return begin(kj.RotationPolicy(), "&private_halves=separate")


def test_a_rotation(rotating: Rotating) -> None:
    """The candidate is sealed, tested and made current like any other version."""
    before, old, token = rotating.active, rotating.token(), str(uuid4())
    assert rotating.rotate(token)
    assert rotating.secret.holder(CURRENT) == token
    assert rotating.secret.holder(PENDING) is None
    assert rotating.active != before
    assert rotating.accepts(old)
    assert rotating.failures == []


@pytest.mark.parametrize("step", ["testSecret", "finishSecret"])
def test_a_candidate_that_was_overtaken(rotating: Rotating, step: str) -> None:
    """Who wrote meanwhile deleted its key; the rotation fails as overtaken, at once, and leaves no label."""
    token, revoked = str(uuid4()), rotating.active
    rotating.begin(token)
    rotating.invoke("createSecret", token)
    rotating.manager.revoke(RING, revoked, reason="leaked in a log", accept_refusals=True)
    with pytest.raises(RotationOvertaken):
        rotating.invoke(step, token)
    assert PENDING not in rotating.secret.versions[token].labels
    assert rotating.active != revoked


def test_reconcile_releases_it(rotating: Rotating) -> None:
    """The function's own pass takes AWSPENDING off a candidate that can't be opened any more."""
    token, revoked = str(uuid4()), rotating.active
    rotating.begin(token)
    rotating.invoke("createSecret", token)
    rotating.manager.revoke(RING, revoked, reason="leaked in a log", accept_refusals=True)
    rotating.invoke("reconcile", token)
    assert PENDING not in rotating.secret.versions[token].labels

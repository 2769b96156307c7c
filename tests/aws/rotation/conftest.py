"""A keyring that rotates natively, and a stand-in for the part that Secrets Manager plays in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import keyvault_jwt as kj
from keyvault_jwt_aws import open_url
from tests.aws.machine import ISSUER, RING
from tests.aws.rotation.rotating import Rotating
from tests.aws.strict_secretsmanager import StrictSecretsManager


@pytest.fixture
def rotating(
    prefix_url: str, strict: StrictSecretsManager, environment: pytest.MonkeyPatch
) -> Iterator[Rotating]:
    """A new keyring whose founding standbys are ready, with rotation on."""
    url = f"{prefix_url}&connect_timeout=500ms&read_timeout=2s&deadline=5s"
    environment.setenv("KEYVAULT_JWT_STORE", url)
    with open_url(url) as store:
        manager = kj.KeyManager(store, listener=lambda event: None)
        manager.create(RING, kj.RotationPolicy(), issuer=ISSUER)
        made = Rotating(strict, url, manager)
        made.turn_on()
        yield made
        made.require_order()

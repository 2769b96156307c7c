"""A keyring that rotates natively, and a stand-in for the part that Secrets Manager plays in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TypeAlias

import pytest

import keyvault_jwt as kj
from keyvault_jwt_aws import open_url
from tests.aws.machine import ISSUER, RING
from tests.aws.rotation.rotating import Rotating
from tests.aws.strict_secretsmanager import StrictSecretsManager

Begin: TypeAlias = Callable[..., Rotating]
QUICK = "&connect_timeout=500ms&read_timeout=2s&deadline=5s"


@pytest.fixture
def begin(prefix_url: str, strict: StrictSecretsManager, environment: pytest.MonkeyPatch) -> Iterator[Begin]:
    """Make a keyring whose founding standbys are ready, with rotation on; held to order at the end."""
    with ExitStack() as opened:

        def begun(policy: kj.RotationPolicy, options: str = "") -> Rotating:
            url = f"{prefix_url}{QUICK}{options}"
            environment.setenv("KEYVAULT_JWT_STORE", url)
            manager = kj.KeyManager(opened.enter_context(open_url(url)), listener=lambda event: None)
            manager.create(RING, policy, issuer=ISSUER)
            made = Rotating(strict, url, manager)
            made.turn_on()
            opened.callback(made.require_order)
            return made

        yield begun


@pytest.fixture
def rotating(begin: Begin) -> Rotating:
    """A keyring of the default policy: two standbys, of which one rotation takes one."""
    return begin(kj.RotationPolicy())

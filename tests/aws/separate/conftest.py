"""Stores whose private documents are sealed under keys that go with their versions, and what is left."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from keyvault_jwt_aws import SeparateStore, open_url, parse_url
from tests.aws.separate.remains import Remains
from tests.aws.strict_secretsmanager import StrictSecretsManager


@pytest.fixture
def separate_url(prefix_url: str) -> str:
    """The URL of an empty prefix."""
    return f"{prefix_url}&private_halves=separate"


@pytest.fixture
def store(separate_url: str) -> Iterator[SeparateStore]:
    """The store of `separate_url`."""
    with open_url(separate_url) as opened:
        assert isinstance(opened, SeparateStore)
        yield opened


@pytest.fixture
def remains(strict: StrictSecretsManager, prefix_url: str) -> Remains:
    """What Secrets Manager still has below the prefix, to whoever may read everything."""
    return Remains(strict, parse_url(prefix_url).prefix)

"""create_app: what it refuses before it starts anything."""

from __future__ import annotations

import pytest

from keyvault_jwt.errors import BadRingName
from keyvault_jwt.server import create_app
from tests.faulty_store import FaultyStore


def test_a_default_keyring_must_have_a_name(store: FaultyStore) -> None:
    """A default that can name no keyring is refused at once, not at each request."""
    with pytest.raises(BadRingName):
        create_app(store, default_ring="a..b")

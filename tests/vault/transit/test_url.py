"""`transit=` in a store URL, and what a store that signs there still is."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import pytest

from keyvault_jwt.errors import BadStoreURL
from keyvault_jwt.key_factory import MakesKeys
from keyvault_jwt.remote_signer import RemoteSigner, RetiresKeys
from keyvault_jwt.store import DeclaresLimits, DeclaresStaleness, PurgesVersions
from keyvault_jwt.testing import StoreContract
from keyvault_jwt_vault import TransitStore, VaultStore, open_url


def test_capabilities(url: str) -> None:
    """It has every capability of the store without Transit, and those of a remote signer."""
    offers = {name for name, _ in inspect.getmembers(VaultStore) if not name.startswith("_")}
    assert offers - {name for name, _ in inspect.getmembers(TransitStore)} == {"active_node"}
    with open_url(f"{url}&staleness=5s") as store, open_url(url.partition("?")[0]) as plain:
        for capability in (DeclaresLimits, DeclaresStaleness, PurgesVersions):
            assert isinstance(store, capability)
        for capability in (RemoteSigner, MakesKeys, RetiresKeys):
            assert isinstance(store, capability)
            assert not isinstance(plain, capability)
        assert store.staleness == 5000
        assert store.limits == plain.limits


@pytest.mark.parametrize("mount", ["", "/", "a b", "../sys", "a%22b", "."])
def test_bad_mounts(mount: str) -> None:
    """What can't be a mount is refused before anything is asked."""
    with pytest.raises(BadStoreURL, match="no Transit mount"):
        open_url(f"vault://secret/jwt?transit={mount}")


class TestTransitStore(StoreContract):
    """The store with Transit, held to what every store must keep."""

    @pytest.fixture
    def store(self, url: str) -> Iterator[TransitStore]:
        """An empty prefix."""
        with open_url(url) as opened:
            assert isinstance(opened, TransitStore)
            yield opened

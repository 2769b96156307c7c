"""`kms=sign` in a store URL, and what a store that signs there still is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from keyvault_jwt.errors import BadStoreURL
from keyvault_jwt.key_factory import MakesKeys
from keyvault_jwt.remote_signer import RemoteSigner, RetiresKeys
from keyvault_jwt.store import DeclaresLimits, DeclaresStaleness
from keyvault_jwt.testing import StoreContract
from keyvault_jwt_aws import KmsStore, open_url, parse_url
from keyvault_jwt_aws.signing_keys import SigningKeys
from tests.aws.kms.conftest import opened


def test_capabilities(url: str) -> None:
    """It has every capability of the store without KMS, and those of a remote signer."""
    with opened(url) as store, open_url(url.partition("&kms")[0]) as plain:
        for capability in (DeclaresLimits, DeclaresStaleness):
            assert isinstance(store, capability)
        for capability in (RemoteSigner, MakesKeys, RetiresKeys):
            assert isinstance(store, capability)
            assert not isinstance(plain, capability)


@pytest.mark.parametrize(
    ("options", "keys"),
    [
        ("", None),
        ("?kms_key=alias/mine", None),
        ("?kms=sign", SigningKeys()),
        ("?kms=sign&kms_window=30d&kms_policy=/etc/p.json", SigningKeys("", Path("/etc/p.json"), 30)),
        ("?kms=sign&kms_endpoint_url=https://kms.example", SigningKeys("https://kms.example")),
        ("?kms=sign&endpoint_url=https://vpce.example", SigningKeys("")),
        ("?kms=sign&endpoint_url=http://127.0.0.1:5000", SigningKeys("http://127.0.0.1:5000")),
    ],
)
def test_options(options: str, keys: SigningKeys | None) -> None:
    """One endpoint on this machine serves both services; any other serves the one that it is named for."""
    assert parse_url(f"awssm://eu-west-1/jwt{options}").signing_keys == keys


@pytest.mark.parametrize(
    ("prefix", "options", "why"),
    [
        ("jwt", "kms=", "its kms is not sign"),
        ("jwt", "kms=alias/payments", "its kms is not sign"),
        ("jwt", "kms=sign&kms_window=6d", "7d to 30d"),
        ("jwt", "kms=sign&kms_window=31d", "7d to 30d"),
        ("jwt", "kms=sign&kms_window=180h", "7d to 30d"),
        ("jwt", "kms=sign&kms_window=soon", "7d to 30d"),
        ("jwt", "kms_window=8d", "mean nothing without kms=sign"),
        ("jwt", "kms_policy=p.json", "mean nothing without kms=sign"),
        ("jwt", "kms=sign&kms_endpoint_url=http://kms.example", "endpoint_url can't be used"),
        ("j" * 193, "kms=sign", "at most 192 characters"),
    ],
)
def test_bad_options(prefix: str, options: str, why: str) -> None:
    """What can't be meant is refused before anything is asked."""
    with pytest.raises(BadStoreURL, match=why):
        parse_url(f"awssm://eu-west-1/{prefix}?{options}")


class TestKmsStore(StoreContract):
    """The store with KMS, held to what every store must keep."""

    @pytest.fixture
    def store(self, url: str) -> Iterator[KmsStore]:
        """An empty prefix."""
        with opened(url) as made:
            yield made

"""A store whose private documents are sealed one by one keeps every promise of `DocumentStore`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from keyvault_jwt.store import DocumentStore
from keyvault_jwt.store_url import open_store
from keyvault_jwt.testing import SharedStoreContract, StoreRolesContract
from keyvault_jwt_aws import SeparateStore
from tests.aws.conftest import View
from tests.aws.grants import Rule


class TestSeparateStore(SharedStoreContract):
    """`private_halves=separate` through the strict layer, from threads and from other processes at once."""

    @pytest.fixture
    def store_url(self, separate_url: str) -> str:
        """The URL of an empty prefix."""
        return separate_url

    @pytest.fixture
    def store(self, store_url: str) -> Iterator[DocumentStore]:
        """The store, as its URL opens it."""
        opened = open_store(store_url)
        assert isinstance(opened, SeparateStore)
        with opened:
            yield opened


class TestSeparateRoles(StoreRolesContract):
    """A role that reads a document reads that document's keys, and no others."""

    @pytest.fixture
    def roles_url(self, separate_url: str) -> str:
        """The URL that every role has, but for its profile."""
        return separate_url

    @pytest.fixture
    def owner(self, view: View) -> DocumentStore:
        """The rotator's view: it deletes keys, and no document."""
        needed = {
            "CreateSecret",
            "GetSecretValue",
            "ListSecretVersionIds",
            "PutSecretValue",
            "UpdateSecretVersionStage",
        }
        return view(
            "rotator",
            lambda operation, name, asked: (
                operation in needed or (operation == "DeleteSecret" and "-key-" in name)
            ),
        )

    @pytest.fixture
    def signer(self, view: View) -> DocumentStore:
        """The signer's view."""
        return view("signer", _reads("/signing"))

    @pytest.fixture
    def publisher(self, view: View) -> DocumentStore:
        """The publisher's view."""
        return view("publisher", _reads("/public"))


def _reads(leaf: str) -> Rule:
    """Return the rule to read the current version of one kind of document, and its key."""
    return lambda operation, name, asked: (
        operation == "GetSecretValue"
        and name.partition("-key-")[0].endswith(leaf)
        and asked.get("VersionStage") == "AWSCURRENT"
    )

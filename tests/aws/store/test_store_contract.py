"""The store in Secrets Manager keeps every promise of `DocumentStore`."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from uuid import uuid4

import pytest

from keyvault_jwt.store import DocumentKind, DocumentName, DocumentStore, Draft
from keyvault_jwt.store_url import open_store
from keyvault_jwt.testing import SharedStoreContract, StoreRolesContract
from keyvault_jwt_aws import AwsStore, open_url
from tests.aws.conftest import View
from tests.aws.grants import Rule


class TestAwsStore(SharedStoreContract):
    """`awssm://REGION/PREFIX` through the strict layer, from threads and from other processes at once."""

    @pytest.fixture
    def store_url(self, prefix_url: str) -> str:
        """The URL of an empty prefix."""
        return prefix_url

    @pytest.fixture
    def store(self, store_url: str) -> Iterator[DocumentStore]:
        """The store, as its URL opens it."""
        opened = open_store(store_url)
        assert isinstance(opened, AwsStore)
        with opened:
            yield opened


class TestAwsRoles(StoreRolesContract):
    """Rights to secrets of their own, and to AWSCURRENT alone, are what keeps roles apart."""

    @pytest.fixture
    def owner(self, view: View) -> DocumentStore:
        """The rotator's view: no more than it needs."""
        needed = {
            "CreateSecret",
            "GetSecretValue",
            "ListSecretVersionIds",
            "PutSecretValue",
            "UpdateSecretVersionStage",
        }
        return view("rotator", lambda operation, name, asked: operation in needed)

    @pytest.fixture
    def signer(self, view: View) -> DocumentStore:
        """The signer's view."""
        return view("signer", _reads("/signing"))

    @pytest.fixture
    def publisher(self, view: View) -> DocumentStore:
        """The publisher's view."""
        return view("publisher", _reads("/public"))


def _reads(leaf: str) -> Rule:
    """Return the rule to read the current version of one kind of document."""
    return lambda operation, name, asked: (
        operation == "GetSecretValue" and name.endswith(leaf) and asked.get("VersionStage") == "AWSCURRENT"
    )


def _write_and_leave(store: AwsStore, name: DocumentName) -> None:
    store.replace(name, Draft(b"child", 2, uuid4()), expected=None)


def test_a_fork_shares_no_connection(prefix_url: str) -> None:
    """Parent and child go on with a store from before the fork, each by connections of its own."""
    with open_url(prefix_url) as store:
        ours, theirs = (DocumentName(ring, DocumentKind.PUBLIC) for ring in ("parent", "child"))
        version = store.replace(ours, Draft(b"parent", 1, uuid4()), expected=None)
        child = multiprocessing.get_context("fork").Process(target=_write_and_leave, args=(store, theirs))
        child.start()
        for revision in range(2, 30):
            version = store.replace(ours, Draft(b"parent", revision, uuid4()), expected=version)
        child.join(30)
        assert child.exitcode == 0
        seen = store.read(theirs)
        assert seen is not None
        assert seen.draft.data == b"child"

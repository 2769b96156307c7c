"""The store in Secrets Manager keeps every promise of `DocumentStore`."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from keyvault_jwt.store import DocumentKind, DocumentName, DocumentStore, Draft
from keyvault_jwt.store_url import open_store
from keyvault_jwt.testing import SharedStoreContract, StoreRolesContract
from keyvault_jwt_aws import AwsStore, open_url
from tests.aws.grants import Rule
from tests.aws.strict_secretsmanager import StrictSecretsManager


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
    def view(
        self,
        strict: StrictSecretsManager,
        prefix_url: str,
        environment: pytest.MonkeyPatch,
        tmp_path: Path,
    ) -> Iterator[Callable[[str, Rule], DocumentStore]]:
        """Make the store as it is seen with a profile that may do what a rule says."""
        opened: list[AwsStore] = []
        credentials = tmp_path / "credentials"
        environment.setenv("AWS_SHARED_CREDENTIALS_FILE", str(credentials))
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            environment.delenv(name)

        def seen_by(role: str, rule: Rule) -> DocumentStore:
            key = f"AKIA{role.upper()}"
            with credentials.open("a") as file:
                file.write(f"[{role}]\naws_access_key_id={key}\naws_secret_access_key={uuid4().hex}\n")
            strict.grants.limit(key, rule)
            opened.append(open_url(f"{prefix_url}&profile={role}"))
            return opened[-1]

        yield seen_by
        for store in opened:
            store.close()

    @pytest.fixture
    def owner(self, view: Callable[[str, Rule], DocumentStore]) -> DocumentStore:
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
    def signer(self, view: Callable[[str, Rule], DocumentStore]) -> DocumentStore:
        """The signer's view."""
        return view("signer", _reads("/signing"))

    @pytest.fixture
    def publisher(self, view: Callable[[str, Rule], DocumentStore]) -> DocumentStore:
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

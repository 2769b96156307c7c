"""A store whose private documents are sealed one by one keeps every promise of `DocumentStore`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from keyvault_jwt.store import DocumentStore
from keyvault_jwt.store_url import open_store
from keyvault_jwt.testing import SharedStoreContract, StoreRolesContract
from keyvault_jwt_aws import AwsStore, SeparateStore, open_url
from tests.aws.grants import Rule
from tests.aws.strict_secretsmanager import StrictSecretsManager


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
    def view(
        self,
        strict: StrictSecretsManager,
        separate_url: str,
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
            opened.append(open_url(f"{separate_url}&profile={role}"))
            return opened[-1]

        yield seen_by
        for store in opened:
            store.close()

    @pytest.fixture
    def owner(self, view: Callable[[str, Rule], DocumentStore]) -> DocumentStore:
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
    def signer(self, view: Callable[[str, Rule], DocumentStore]) -> DocumentStore:
        """The signer's view."""
        return view("signer", _reads("/signing"))

    @pytest.fixture
    def publisher(self, view: Callable[[str, Rule], DocumentStore]) -> DocumentStore:
        """The publisher's view."""
        return view("publisher", _reads("/public"))


def _reads(leaf: str) -> Rule:
    """Return the rule to read the current version of one kind of document, and its key."""
    return lambda operation, name, asked: (
        operation == "GetSecretValue"
        and name.partition("-key-")[0].endswith(leaf)
        and asked.get("VersionStage") == "AWSCURRENT"
    )

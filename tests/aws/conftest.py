"""moto behind the strict layer for all tests here, and stores in it that share nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias
from uuid import uuid4

import pytest

from keyvault_jwt.store import DocumentStore
from keyvault_jwt_aws import AwsStore, open_url
from tests.aws.grants import Rule
from tests.aws.moto_server import MotoServer
from tests.aws.strict_secretsmanager import StrictSecretsManager

View: TypeAlias = Callable[[str, Rule], DocumentStore]


@pytest.fixture(scope="session")
def moto() -> Iterator[MotoServer]:
    """One server for all tests."""
    with MotoServer() as running:
        yield running


@pytest.fixture(scope="session")
def layer(moto: MotoServer) -> Iterator[StrictSecretsManager]:
    """The layer before it, for all tests: moto's secrets outlive a layer."""
    with StrictSecretsManager(moto.url) as running:
        yield running


@pytest.fixture
def strict(layer: StrictSecretsManager) -> Iterator[StrictSecretsManager]:
    """The layer with nothing noted; a test during which moto strayed fails when it ends."""
    yield layer
    layer.forget()


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Credentials for this process and its children, and none of this machine's own configuration."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", uuid4().hex)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.fixture
def prefix_url(strict: StrictSecretsManager, environment: pytest.MonkeyPatch) -> str:
    """The URL of an empty prefix."""
    return f"awssm://us-east-1/test-{uuid4().hex}?endpoint_url={strict.url}&quota=off&staleness=0"


@pytest.fixture
def store(prefix_url: str) -> Iterator[AwsStore]:
    """The store of `prefix_url`."""
    with open_url(prefix_url) as opened:
        yield opened


@pytest.fixture
def roles_url(prefix_url: str) -> str:
    """The URL that every role of `view` has, but for its profile."""
    return prefix_url


@pytest.fixture
def view(
    strict: StrictSecretsManager,
    roles_url: str,
    environment: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Iterator[View]:
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
        opened.append(open_url(f"{roles_url}&profile={role}"))
        return opened[-1]

    yield seen_by
    for store in opened:
        store.close()

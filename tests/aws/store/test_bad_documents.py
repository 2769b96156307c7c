"""Secrets that hold what is no document of ours, or would: an error that says what to do, nothing written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from keyvault_jwt.errors import (
    CorruptDocument,
    DocumentTooLarge,
    ForeignDocument,
    NewerSchema,
)
from keyvault_jwt.store import DocumentKind, DocumentName, Draft
from keyvault_jwt_aws import AwsStore, parse_url
from keyvault_jwt_aws.errors import (
    BinarySecret,
)
from tests.aws.machine import RING
from tests.aws.strict_secretsmanager import StrictSecretsManager

NAME = DocumentName(RING, DocumentKind.AUTHORITY)


def draft(data: bytes = b"{}", revision: int = 1) -> Draft:
    """Return a draft of a write of its own."""
    return Draft(data, revision, uuid4())


@pytest.fixture
def write(prefix_url: str, strict: StrictSecretsManager) -> Callable[..., None]:
    """Write a version of the document's secret by hand."""
    name = f"{parse_url(prefix_url).prefix}/{NAME}"

    def by_hand(**value: str) -> None:
        asked: dict[str, Any] = {"Name": name, "ClientRequestToken": str(uuid4()), **value}
        status, body = strict.answer("CreateSecret", asked, strict.unsigned("us-east-1"))
        assert status == 200, body

    return by_hand


@pytest.mark.parametrize("text", ["", "{}", "hello\nworld", "[1]\n", '{"keyvault":1}\n{}'])
def test_a_foreign_document(store: AwsStore, write: Callable[..., None], text: str) -> None:
    """Text that we did not write is foreign, carries its version, and is not replaced by creating."""
    write(SecretString=text or " ")
    with pytest.raises(ForeignDocument) as caught:
        store.read(NAME)
    assert caught.value.version is not None


@pytest.mark.parametrize(
    "head",
    [
        '{"keyvault_jwt":1}\n{}',
        '{"keyvault_jwt":1,"parent":null,"revision":1,"write_id":"x"}\n{}',
        '{"keyvault_jwt":1,"parent":null,"revision":-1,"write_id":"00000000-0000-4000-8000-000000000000"}\n',
        '{"keyvault_jwt":1,"parent":null,"revision":1,"write_id":"00000000-0000-4000-8000-000000000000"}',
        '{"keyvault_jwt":',
    ],
)
def test_a_damaged_document(store: AwsStore, write: Callable[..., None], head: str) -> None:
    """A first line that begins like ours and is not as we write it is damage."""
    write(SecretString=head)
    with pytest.raises(CorruptDocument):
        store.read(NAME)


def test_a_newer_form(store: AwsStore, write: Callable[..., None]) -> None:
    """A form of a later version says that this one must be upgraded."""
    write(SecretString='{"keyvault_jwt":2,"colour":"red"}\n{}')
    with pytest.raises(NewerSchema, match="upgrade"):
        store.read(NAME)


def test_a_binary_secret(store: AwsStore, write: Callable[..., None]) -> None:
    """A binary secret of another program is told apart from a text one."""
    write(SecretBinary="AAECAwQ=")
    with pytest.raises(BinarySecret) as caught:
        store.read(NAME)
    assert caught.value.code == "aws_binary_secret"


def test_an_oversized_document(store: AwsStore, strict: StrictSecretsManager) -> None:
    """A document that a secret can't hold is refused before anything is sent, with what to do."""
    version = store.replace(NAME, draft(), expected=None)
    strict.requests.clear()
    with pytest.raises(DocumentTooLarge, match="65536") as caught:
        store.replace(NAME, draft(b"x" * 65_281, 2), expected=version)
    assert "archive" in caught.value.fix
    assert strict.requests == []

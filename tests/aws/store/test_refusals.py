"""Whatever the service refuses ends in an error that says what to do, with nothing written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import uuid4

import pytest

from keyvault_jwt.errors import (
    KeyringNotFound,
    KeyvaultJWTError,
    StoreDenied,
)
from keyvault_jwt.store import DocumentKind, DocumentName, Draft, Version
from keyvault_jwt_aws import AwsStore, open_url, parse_url
from keyvault_jwt_aws.errors import (
    BadCredentials,
    Denied,
    KmsDenied,
    KmsFailed,
    ScheduledForDeletion,
    ServiceFailed,
    Throttled,
    VersionsSpent,
    WrongRegion,
)
from tests.aws.faults import THROTTLED, Answers
from tests.aws.machine import RING, Machine
from tests.aws.strict_secretsmanager import StrictSecretsManager

NAME = DocumentName(RING, DocumentKind.AUTHORITY)
QUICK = "&connect_timeout=500ms&read_timeout=2s&deadline=4s"
CALLS: dict[str, Callable[[AwsStore, Version], object]] = {
    "GetSecretValue": lambda store, version: store.read(NAME),
    "PutSecretValue": lambda store, version: store.replace(NAME, draft(b"2", 2), expected=version),
    "UpdateSecretVersionStage": lambda store, version: store.replace(NAME, draft(b"2", 2), expected=version),
    "CreateSecret": lambda store, version: store.replace(
        DocumentName(RING, DocumentKind.PUBLIC), draft(), expected=None
    ),
    "ListSecrets": lambda store, version: store.names(),
}


@dataclass(frozen=True)
class Refusal:
    """What the service answers, and what becomes of it."""

    code: str
    message: str
    error: type[KeyvaultJWTError]
    fix: str


REFUSALS = [
    Refusal("AccessDeniedException", "User: x is not authorized to perform: y", Denied, "access ROLE"),
    Refusal("AccessDeniedException", "Access to KMS is not allowed", KmsDenied, "kms:Decrypt"),
    Refusal(
        "AccessDeniedException",
        "User: arn:aws:sts::1:assumed-role/kms-rotator/x is not authorized to perform: "
        "secretsmanager:GetSecretValue on resource: kms/payments/authority",
        Denied,
        "secretsmanager:",
    ),
    Refusal("UnrecognizedClientException", "The token included is invalid.", BadCredentials, "log in"),
    Refusal("ExpiredTokenException", "The token included is expired", BadCredentials, "log in"),
    Refusal("InvalidSignatureException", "Credential should be of a valid region.", WrongRegion, "region"),
    Refusal("OptInRequired", "You must be subscribed to this service", WrongRegion, "enabled"),
    Refusal("DecryptionFailure", "Secrets Manager can't decrypt the secret", KmsFailed, "enabled"),
    Refusal("EncryptionFailure", "Secrets Manager can't encrypt", KmsFailed, "enabled"),
    Refusal("InvalidRequestException", "it was marked for deletion.", ScheduledForDeletion, "restore-secret"),
    Refusal("LimitExceededException", "You've reached the quota", VersionsSpent, "day"),
    Refusal("SomethingNewException", "nobody knows", ServiceFailed, "Health"),
]


def draft(data: bytes = b"{}", revision: int = 1) -> Draft:
    """Return a draft of a write of its own."""
    return Draft(data, revision, uuid4())


@pytest.fixture
def quick_store(prefix_url: str) -> Iterator[AwsStore]:
    """A store that gives a request one second in all."""
    with open_url(prefix_url + QUICK) as opened:
        yield opened


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda it: f"{it.code}-{it.error.code}")
@pytest.mark.parametrize("operation", CALLS)
def test_refusals(
    quick_store: AwsStore, strict: StrictSecretsManager, operation: str, refusal: Refusal
) -> None:
    """Each refusal of the service is an error of its own, with what to do; what was there stays."""
    version = quick_store.replace(NAME, draft(b"one"), expected=None)
    strict.next(operation, *[Answers(refusal.code, refusal.message)] * 5)
    with pytest.raises(refusal.error) as caught:
        CALLS[operation](quick_store, version)
    strict.script.clear()
    assert refusal.fix in caught.value.fix
    assert refusal.message in caught.value.why
    seen = quick_store.read(NAME)
    assert seen is not None
    assert (seen.draft.data, seen.version) == (b"one", version)


@pytest.mark.parametrize("operation", CALLS)
def test_a_burst_of_throttling_passes(store: AwsStore, strict: StrictSecretsManager, operation: str) -> None:
    """A request that is throttled for a moment is repeated by the SDK, and carried out once."""
    version = store.replace(NAME, draft(b"one"), expected=None)
    strict.next(operation, THROTTLED, THROTTLED)
    CALLS[operation](store, version)
    assert not strict.script[operation]


@pytest.mark.parametrize("operation", CALLS)
def test_throttling_without_end(quick_store: AwsStore, strict: StrictSecretsManager, operation: str) -> None:
    """A request that is throttled for longer than its deadline ends by saying so."""
    version = quick_store.replace(NAME, draft(b"one"), expected=None)
    strict.next(operation, *[THROTTLED] * 20)
    with pytest.raises(Throttled):
        CALLS[operation](quick_store, version)


def test_the_deadline_ends_repetition(strict: StrictSecretsManager, prefix_url: str) -> None:
    """No try begins that could end after the deadline, however many the SDK would make."""
    url = f"{prefix_url}&connect_timeout=1s&read_timeout=5s&deadline=6s"
    with open_url(url) as store:
        strict.next("GetSecretValue", *[THROTTLED] * 9)
        with pytest.raises(Throttled):
            store.read(NAME)
    assert strict.count()["GetSecretValue"] == 1


def test_a_deleted_secret(store: AwsStore, strict: StrictSecretsManager, prefix_url: str) -> None:
    """A secret scheduled for deletion is neither absent nor written to, until it is restored."""
    version = store.replace(NAME, draft(b"one"), expected=None)
    asked = {"SecretId": f"{parse_url(prefix_url).prefix}/{NAME}"}
    assert strict.answer("DeleteSecret", asked, strict.unsigned("us-east-1"))[0] == 200
    for call in (
        lambda: store.read(NAME),
        lambda: store.replace(NAME, draft(b"two", 2), expected=version),
        lambda: store.replace(NAME, draft(b"two"), expected=None),
    ):
        with pytest.raises(ScheduledForDeletion, match="restore-secret"):
            call()
    assert strict.answer("RestoreSecret", asked, strict.unsigned("us-east-1"))[0] == 200
    seen = store.read(NAME)
    assert seen is not None
    assert seen.version == version


def test_another_region(prefix_url: str) -> None:
    """A keyring of one region is not found in another."""
    with Machine.with_keyring(prefix_url), Machine(prefix_url.replace("us-east-1", "eu-west-1")) as elsewhere:
        assert elsewhere.manager.names() == ()
        with pytest.raises(KeyringNotFound):
            elsewhere.manager.keyring(RING)


def test_a_replica_is_not_written_to(store: AwsStore, strict: StrictSecretsManager) -> None:
    """A write in a replica's region says that the primary's must be named."""
    version = store.replace(NAME, draft(b"one"), expected=None)
    message = "Operation not permitted on a replica secret. Call must be made in primary secret's region."
    strict.next("PutSecretValue", Answers("InvalidParameterException", message))
    with pytest.raises(WrongRegion, match="primary"):
        store.replace(NAME, draft(b"two", 2), expected=version)


def test_denied_in_the_middle_of_a_run(prefix_url: str, strict: StrictSecretsManager) -> None:
    """A rotator that loses its right to move labels writes nothing more; with it back it goes on."""
    with Machine.with_keyring(prefix_url) as machine:
        machine.run_to_rest()
        before = machine.active()
        strict.grants.limit(
            "AKIAIOSFODNN7EXAMPLE", lambda operation, name, asked: not operation.startswith("Update")
        )
        with pytest.raises(StoreDenied):
            machine.manager.rotate(RING, emergency=True)
        assert machine.active() == before
        strict.forget()
        machine.manager.rotate(RING, emergency=True)
        assert machine.active() != before


def test_an_answer_of_another_program(strict: StrictSecretsManager, quick_store: AwsStore) -> None:
    """An answer without a version is not taken for a document."""
    quick_store.replace(NAME, draft(), expected=None)
    strict.next("GetSecretValue", Answers("", status=200))
    with pytest.raises(ServiceFailed, match="endpoint_url"):
        quick_store.read(NAME)

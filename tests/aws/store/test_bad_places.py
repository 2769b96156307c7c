"""Whatever can be wrong with a place in AWS ends in an error that says what to do, with nothing written."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from keyvault_jwt.errors import (
    CorruptDocument,
    DocumentTooLarge,
    ForeignDocument,
    KeyringNotFound,
    KeyvaultJWTError,
    NewerSchema,
    StoreDenied,
    StoreTimeout,
    StoreUnavailable,
)
from keyvault_jwt.store import DocumentKind, DocumentName, Draft, Version
from keyvault_jwt_aws import AwsStore, open_url, parse_url
from keyvault_jwt_aws.errors import (
    BadCredentials,
    BinarySecret,
    Denied,
    KmsDenied,
    KmsFailed,
    NotTrusted,
    ScheduledForDeletion,
    ServiceFailed,
    Throttled,
    Unreachable,
    VersionsSpent,
    WrongRegion,
)
from tests.aws.faults import THROTTLED, Answers
from tests.aws.machine import RING, Machine
from tests.aws.strict_secretsmanager import StrictSecretsManager
from tests.vault.auth.authority import Authority

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


@pytest.fixture
def write(prefix_url: str, strict: StrictSecretsManager) -> Callable[..., None]:
    """Write a version of the document's secret by hand."""
    name = f"{parse_url(prefix_url).prefix}/{NAME}"

    def by_hand(**value: str) -> None:
        asked: dict[str, Any] = {"Name": name, "ClientRequestToken": str(uuid4()), **value}
        status, body = strict.answer("CreateSecret", asked, strict.unsigned("us-east-1"))
        assert status == 200, body

    return by_hand


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


def test_no_credentials(prefix_url: str, environment: pytest.MonkeyPatch) -> None:
    """Without credentials the error says where they are looked for."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        environment.delenv(name)
    with open_url(prefix_url) as store, pytest.raises(BadCredentials, match="AWS_PROFILE"):
        store.read(NAME)


def test_no_such_profile(prefix_url: str) -> None:
    """A profile that is not there is named as what to look at."""
    with open_url(f"{prefix_url}&profile=nobody") as store, pytest.raises(BadCredentials, match="profile"):
        store.read(NAME)


def test_a_credential_process_that_fails(
    prefix_url: str, environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A profile whose command fails is told without quoting what the command printed."""
    config = tmp_path / "config"
    config.write_text('[profile broken]\ncredential_process = sh -c "echo canary-9f2 >&2; exit 1"\n')
    environment.setenv("AWS_CONFIG_FILE", str(config))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        environment.delenv(name)
    with open_url(f"{prefix_url}&profile=broken") as store, pytest.raises(BadCredentials) as caught:
        store.read(NAME)
    assert "canary-9f2" not in str(caught.value)


def test_nobody_answers(environment: pytest.MonkeyPatch) -> None:
    """A port where nothing listens is told as what was not sent."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    url = f"awssm://us-east-1/jwt?endpoint_url=http://127.0.0.1:{port}{QUICK}"
    with open_url(url) as store:
        with pytest.raises(Unreachable, match="nothing was sent"):
            store.read(NAME)
        with pytest.raises(Unreachable, match="nothing was sent"):
            store.replace(NAME, draft(), expected=None)


def test_an_answer_of_another_program(strict: StrictSecretsManager, quick_store: AwsStore) -> None:
    """An answer without a version is not taken for a document."""
    quick_store.replace(NAME, draft(), expected=None)
    strict.next("GetSecretValue", Answers("", status=200))
    with pytest.raises(ServiceFailed, match="endpoint_url"):
        quick_store.read(NAME)


@contextmanager
def page_server(context: ssl.SSLContext | None = None) -> Iterator[str]:
    """A server that answers everything with a page, as a proxy before a log-in does; yields its URL."""

    class Page(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>log in first</html>")

        def log_message(self, *arguments: Any) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        def finish_request(self, request: Any, client_address: Any) -> None:
            if context is None:
                super().finish_request(request, client_address)
                return
            try:
                with context.wrap_socket(request, server_side=True) as trusted:
                    super().finish_request(trusted, client_address)
            except OSError:
                return  # the client did not like the certificate

    with Server(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"{'https' if context else 'http'}://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_a_page_is_no_answer(environment: pytest.MonkeyPatch) -> None:
    """A page instead of an answer is told as such, and leaves open whether a write was carried out."""
    with page_server() as url, open_url(f"awssm://us-east-1/jwt?endpoint_url={url}") as store:
        with pytest.raises(ServiceFailed, match="proxies"):
            store.read(NAME)
        with pytest.raises(StoreTimeout):
            store.replace(NAME, draft(), expected=None)


def test_a_certificate_that_nobody_vouches_for(tmp_path: Path, environment: pytest.MonkeyPatch) -> None:
    """Nothing is sent to a server with such a certificate; with AWS_CA_BUNDLE it is heard."""
    authority = Authority(tmp_path)
    certificate, key = authority.issue("server", server=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with page_server(context) as url:
        with open_url(f"awssm://us-east-1/jwt?endpoint_url={url}{QUICK}") as store:
            for call in (lambda: store.read(NAME), lambda: store.replace(NAME, draft(), expected=None)):
                with pytest.raises(NotTrusted, match="AWS_CA_BUNDLE"):
                    call()
        environment.setenv("AWS_CA_BUNDLE", str(authority.file))
        trusting = open_url(f"awssm://us-east-1/jwt?endpoint_url={url}{QUICK}")
        with trusting, pytest.raises(ServiceFailed, match="proxies"):
            trusting.read(NAME)


def test_no_tls(environment: pytest.MonkeyPatch) -> None:
    """An https endpoint that speaks no TLS is unavailable, whatever it says."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def answer() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        url = f"awssm://us-east-1/jwt?endpoint_url=https://127.0.0.1:{port}{QUICK}"
        with open_url(url) as store, pytest.raises(StoreUnavailable):
            store.read(NAME)
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)


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

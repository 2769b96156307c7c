"""A server that speaks only to clients with a certificate, and certificates that do not do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from keyvault_jwt.store import DocumentKind, DocumentName, Draft
from keyvault_jwt.testing.bao_server import BaoServer, free_port
from keyvault_jwt_vault import errors, open_url
from tests.vault.auth.authority import Authority

NAME = DocumentName("payments", DocumentKind.AUTHORITY)
URL = "vault://secret/jwt?deadline=5s"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The authority of the server's certificate and of its clients'."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority that nobody trusts."""
    return Authority(tmp_path_factory.mktemp("stranger"))


@pytest.fixture(scope="module")
def port(authority: Authority) -> Iterator[tuple[int, str]]:
    """The port of a listener that requires client certificates, and the root token."""
    certificate, key = authority.issue("server", server=True)
    chosen = free_port()
    listener = (
        f'listener "tcp" {{ address = "127.0.0.1:{chosen}" tls_cert_file = "{certificate}" '
        f'tls_key_file = "{key}" tls_require_and_verify_client_cert = true '
        f'tls_client_ca_file = "{authority.file}" }}\n'
    )
    with BaoServer(config=listener) as server:
        yield chosen, server.token


@pytest.fixture
def shown(port: tuple[int, str], authority: Authority, environment: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The environment of a client that trusts the server and shows a certificate that it takes."""
    environment.setenv("BAO_ADDR", f"https://127.0.0.1:{port[0]}")
    environment.setenv("BAO_TOKEN", port[1])
    environment.setenv("BAO_CACERT", str(authority.file))
    show(environment, authority.issue("client"))
    return environment


def show(environment: pytest.MonkeyPatch, files: tuple[Path, Path]) -> None:
    """Let the client show this certificate."""
    environment.setenv("BAO_CLIENT_CERT", str(files[0]))
    environment.setenv("BAO_CLIENT_KEY", str(files[1]))


def refused(match: str) -> None:
    """Check that reads, writes and listings end as not trusted, with something to do about it."""
    for act in (
        lambda store: store.read(NAME),
        lambda store: store.replace(NAME, Draft(b"{}", 1, uuid4()), expected=None),
        lambda store: store.names(),
    ):
        with open_url(URL) as store, pytest.raises(errors.NotTrusted, match=match) as caught:
            act(store)
        assert "VAULT_CLIENT_CERT" in caught.value.fix or "PEM" in caught.value.fix


def test_a_certificate_that_the_server_takes(shown: pytest.MonkeyPatch) -> None:
    """Documents are written and read under mutual TLS, over connections of store and login alike."""
    draft = Draft(b"{}", 1, uuid4())
    with open_url(URL) as store:
        version = store.replace(NAME, draft, expected=None)
        seen = store.read(NAME)
    assert seen is not None
    assert (seen.draft, seen.version) == (draft, version)


def test_no_certificate_at_all(shown: pytest.MonkeyPatch) -> None:
    """A client without a certificate is told that it must show one."""
    for name in ("CLIENT_CERT", "CLIENT_KEY"):
        shown.delenv(f"BAO_{name}")
        shown.delenv(f"VAULT_{name}", raising=False)
    refused("TLS failed")


def test_a_strangers_certificate(shown: pytest.MonkeyPatch, stranger: Authority) -> None:
    """A certificate of an authority that the server does not know opens nothing."""
    show(shown, stranger.issue("client"))
    refused("TLS failed")


def test_a_server_that_a_stranger_vouches_for(shown: pytest.MonkeyPatch, stranger: Authority) -> None:
    """With another authority the server's certificate is not trusted, and nothing is sent to it."""
    shown.setenv("BAO_CACERT", str(stranger.file))
    refused("certificate")


def test_a_server_by_another_name(shown: pytest.MonkeyPatch, port: tuple[int, str]) -> None:
    """A certificate for 127.0.0.1 does not do for `localhost`."""
    shown.setenv("BAO_ADDR", f"https://localhost:{port[0]}")
    refused("localhost")


@pytest.mark.parametrize("broken", ["missing", "not-pem", "another-key"])
def test_files_that_are_no_certificate(
    shown: pytest.MonkeyPatch, authority: Authority, tmp_path: Path, broken: str
) -> None:
    """Files that are not there, not PEM, or do not belong together are named by their variables."""
    certificate, key = authority.issue("other")
    if broken == "missing":
        certificate = tmp_path / "missing.pem"
    elif broken == "not-pem":
        certificate = tmp_path / "noise.pem"
        certificate.write_bytes(b"noise")
    else:
        key = authority.issue("third")[1]
    show(shown, (certificate, key))
    refused("CLIENT_CERT")

"""Store URLs and servers that may not be used, and ways there that a token may not take."""

from __future__ import annotations

import pytest

from keyvault_jwt.errors import BadStoreURL
from keyvault_jwt.store import DocumentKind, DocumentName
from keyvault_jwt.testing.bao_server import BaoServer
from keyvault_jwt_vault import open_url
from tests.vault.store.fault_proxy import FaultProxy

NAME = DocumentName("payments", DocumentKind.AUTHORITY)


@pytest.mark.parametrize(
    "url",
    [
        "vault:",
        "vault://",
        "vault:///jwt",
        "vault://secret/../sys",
        "vault://secret/a b",
        "vault://secret/jwt?staleness=soon",
        "vault://secret/jwt?deadline=0s",
        "vault://secret/jwt?colour=red",
        "vault://secret/jwt?deadline=1s&deadline=2s",
        "vault://secret/jwt#part",
        "vault://secret/%2e%2e/jwt",
        "vault://secret/é",
        "vault://secret/jwt?allow_plain_http=perhaps",
    ],
)
def test_bad_urls(url: str) -> None:
    """A URL that names no place, or says what has no meaning, is refused before anything is asked."""
    with pytest.raises(BadStoreURL):
        open_url(url)


@pytest.mark.parametrize("server", ["host.example", "ftp://host", "https://user:pw@host", "https://:8200"])
def test_bad_servers(monkeypatch: pytest.MonkeyPatch, server: str) -> None:
    """An address of no server is refused, and not quoted: it may hold a password."""
    monkeypatch.setenv("BAO_ADDR", server)
    with pytest.raises(BadStoreURL) as caught:
        open_url("vault://secret/jwt")
    assert server not in str(caught.value)


@pytest.mark.parametrize("host", ["vault.example", "10.0.0.1", "[2001:db8::1]", "127.0.0.1.example", "[::]"])
def test_plain_http_to_another_machine(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    """A token does not go over a network in the clear unless the store URL says that it may."""
    monkeypatch.setenv("BAO_ADDR", f"http://{host}:8200")
    for url in ("vault://secret/jwt", "vault://secret/jwt?allow_plain_http=false"):
        with pytest.raises(BadStoreURL, match="allow_plain_http=true"):
            open_url(url)
    open_url("vault://secret/jwt?allow_plain_http=true").close()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "localhost", "vault.localhost", "[::1]"])
def test_plain_http_to_this_machine(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    """A development server on loopback needs no certificate."""
    monkeypatch.setenv("BAO_ADDR", f"http://{host}:8200")
    open_url("vault://secret/jwt").close()


def test_no_proxy_for_this_machine(
    proxy: FaultProxy, bao: BaoServer, prefix_url: str, environment: pytest.MonkeyPatch
) -> None:
    """The network's proxy is not asked for loopback, where the token would leave the machine in the clear."""
    environment.setenv("BAO_ADDR", bao.url)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        environment.setenv(name, proxy.url)
    for name in ("no_proxy", "NO_PROXY"):
        environment.delenv(name, raising=False)
    with open_url(prefix_url) as store:
        assert store.read(NAME) is None
    assert proxy.requests == []

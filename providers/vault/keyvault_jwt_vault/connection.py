"""A connection pool to one server: hvac's adapter over requests, trusting what the address says."""

from __future__ import annotations

import ssl
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from hvac.adapters import RawAdapter
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies

from keyvault_jwt.web_address import names_this_machine

from .address import Address
from .errors import NotTrusted
from .timed_answer import bound_answers

_POOLED: Final = 16


class _Timed(HTTPAdapter):
    """requests' adapter whose time-out for reading bounds a whole answer."""

    def __init__(self) -> None:
        super().__init__(pool_connections=_POOLED, pool_maxsize=_POOLED)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **options: Any) -> None:
        super().init_poolmanager(connections, maxsize, block, **options)
        bound_answers(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **options)
        bound_answers(manager)
        return manager


class _Tls(_Timed):
    """The same under a TLS context of ours, and for a server known by another name."""

    def __init__(self, context: ssl.SSLContext, server_name: str) -> None:
        self._context, self._server_name = context, server_name
        super().__init__()

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **options: Any) -> None:
        super().init_poolmanager(connections, maxsize, block, **options, **self._options())

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        return super().proxy_manager_for(proxy, **options, **self._options())

    def _options(self) -> dict[str, Any]:
        named = {"server_hostname": self._server_name, "assert_hostname": self._server_name}
        return {"ssl_context": self._context, **(named if self._server_name else {})}


def connect(address: Address) -> RawAdapter:
    """Return an adapter that follows no redirect, holds no token and opens its connections when used.

    Raises `NotTrusted` if the files of certificates can't be loaded.
    """
    session = requests.Session()
    session.trust_env = False  # ~/.netrc would add credentials, and REQUESTS_CA_BUNDLE authorities
    session.verify = True if address.authorities is None else str(address.authorities)
    session.proxies = _proxies(address)
    session.mount("http://", _Timed())
    if address.server.startswith("https:"):
        session.mount("https://", _Tls(_context(address), address.server_name))
    return RawAdapter(
        base_uri=address.server,
        namespace=address.namespace or None,
        session=session,
        allow_redirects=False,
        ignore_exceptions=True,
        strict_http=True,  # LIST as GET ?list=true, which every proxy lets through
    )


def _proxies(address: Address) -> dict[str, str]:
    if address.proxy:
        return {"http": address.proxy, "https": address.proxy}
    if names_this_machine(urlsplit(address.server).hostname or ""):
        return {}  # Vault's own client asks no proxy for loopback either, unless it is named for Vault
    return dict(get_environ_proxies(address.server))


def _context(address: Address) -> ssl.SSLContext:
    files = address.authorities
    try:
        context = ssl.create_default_context(
            cafile=str(files) if files is not None and not files.is_dir() else None,
            capath=str(files) if files is not None and files.is_dir() else None,
        )
        if address.client_certificate is not None:
            context.load_cert_chain(address.client_certificate, address.client_key)
    except (OSError, ssl.SSLError):
        raise NotTrusted(
            "the files of certificates can't be used",
            why="CACERT, CAPATH, CLIENT_CERT or CLIENT_KEY (after VAULT_ or BAO_) names no such PEM file",
            fix="let them name files in PEM form that this user may read",
        ) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context

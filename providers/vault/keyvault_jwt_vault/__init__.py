"""Keyrings in HashiCorp Vault and OpenBao: `vault://MOUNT/PREFIX?auth=…`."""

from __future__ import annotations

from .access import access
from .address import Address, parse_url, require_known
from .credentials import Credentials, StaticToken, given_token
from .kv_store import VaultStore
from .session import Session

__all__ = ["Address", "Credentials", "Session", "StaticToken", "VaultStore", "access", "open_url"]


def open_url(url: str) -> VaultStore:
    """Return the store of a `vault://MOUNT/PREFIX?auth=…` URL; no request is made before it is used.

    The server, its namespace and certificates, and secrets come from the environment that
    Vault's and OpenBao's own clients use.  Raises `BadStoreURL` and `StoreError`s.
    """
    address, parameters = parse_url(url)
    return VaultStore(Session(address, _credentials(address, parameters)))


def _credentials(address: Address, parameters: dict[str, str]) -> Credentials:
    if parameters.get("auth", "token") == "token":
        require_known({name: value for name, value in parameters.items() if name != "auth"})
        return given_token()
    from .auth import credentials  # noqa: PLC0415  (most of what it needs is needed by nobody else)

    return credentials(address, parameters)

"""Keyrings in HashiCorp Vault and OpenBao: `vault://MOUNT/PREFIX?auth=…`, with `&transit=…` signing there."""

from __future__ import annotations

from .access import access
from .address import Address, parse_url
from .credentials import Credentials, StaticToken
from .kv_store import VaultStore
from .session import Session
from .transit import TransitStore, transit_mount

__all__ = [
    "Address",
    "Credentials",
    "Session",
    "StaticToken",
    "TransitStore",
    "VaultStore",
    "access",
    "open_url",
]


def open_url(url: str) -> VaultStore | TransitStore:
    """Return the store of a `vault://MOUNT/PREFIX?auth=…` URL; no request is made before it is used.

    With `transit=MOUNT`, keys are made in that Transit mount and never leave it.

    The server, its namespace and certificates, and secrets come from the environment that
    Vault's and OpenBao's own clients use.  Raises `BadStoreURL` and `StoreError`s.
    """
    from .auth import credentials  # noqa: PLC0415  (`access` has no need of the ways to log in)

    address, parameters = parse_url(url)
    transit = transit_mount(parameters)
    session = Session(address, credentials(address, parameters))
    return VaultStore(session) if transit is None else TransitStore(session, transit)

"""Keyrings in AWS Secrets Manager: `awssm://REGION/PREFIX`."""

from __future__ import annotations

from .address import Address, parse_url
from .secrets_store import AwsStore
from .service import Service

__all__ = ["Address", "AwsStore", "Service", "open_url"]


def open_url(url: str) -> AwsStore:
    """Return the store of an `awssm://REGION/PREFIX?…` URL; no request is made before it is used.

    Credentials come from AWS's own chain.  Raises `BadStoreURL`.
    """
    return AwsStore(Service(parse_url(url)))

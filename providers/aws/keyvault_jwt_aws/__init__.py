"""Keyrings in AWS Secrets Manager: `awssm://REGION/PREFIX`, with `?kms=sign` signing in AWS KMS."""

from __future__ import annotations

from dataclasses import replace

from .access import access
from .address import Address, parse_url
from .kms import KmsStore
from .secrets_store import AwsStore
from .separate import SeparateStore
from .service import Service

__all__ = ["Address", "AwsStore", "KmsStore", "SeparateStore", "Service", "access", "open_url"]


def open_url(url: str) -> AwsStore:
    """Return the store of an `awssm://REGION/PREFIX?…` URL; no request is made before it is used.

    With `kms=sign` it is a `KmsStore`: keys are made in KMS and never leave it.  With
    `private_halves=separate` it is a `SeparateStore`: what is dropped is nowhere any more.

    Credentials come from AWS's own chain.  Raises `BadStoreURL`.
    """
    address = parse_url(url)
    replica = Service(replace(address, region=address.read_from)) if address.read_from else None
    kind = KmsStore if address.signing_keys else SeparateStore if address.separate else AwsStore
    return kind(Service(address), replica=replica)

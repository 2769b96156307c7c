"""A client of one of AWS's services: AWS's own chain of credentials, standard retries, bounded tries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

import boto3.session  # type: ignore[import-untyped]
from botocore.config import Config  # type: ignore[import-untyped]
from botocore.exceptions import BotoCoreError  # type: ignore[import-untyped]

from keyvault_jwt.errors import BadStoreURL, BadURL
from keyvault_jwt.web_address import names_this_machine, web_address

from .address import Address
from .errors import BadCredentials
from .quiet import quiet

MAX_TRIES: Final = 5
"""How often one request is sent at most."""
_POOLED: Final = 16


def connect(address: Address, needs_retry: Callable[..., bool | None]) -> Any:
    """Return a client that asks `needs_retry` after each try, as botocore's event of that name does.

    Raises `BadCredentials` if the profile of the environment is none, and `BadStoreURL` if its
    endpoint is one that plain HTTP may not lead to.
    """
    client = _client(address, address.endpoint_url)
    if _is_here(client.meta.endpoint_url) and not _is_here(address.endpoint_url):
        client = _client(address, client.meta.endpoint_url)  # AWS_ENDPOINT_URL or a file names this machine
    _require_safe(client.meta.endpoint_url, address)
    service = client.meta.service_model.service_id.hyphenize()
    client.meta.events.register_first(f"needs-retry.{service}", needs_retry)
    return client


def _client(address: Address, endpoint: str) -> Any:
    with quiet():
        try:
            return boto3.session.Session(profile_name=address.profile or None).client(
                address.service,
                region_name=address.region,
                endpoint_url=endpoint or None,
                config=_config(address, endpoint),
            )
        except (BotoCoreError, ValueError) as failure:
            raise BadCredentials(
                "AWS's own configuration can't be used",
                why=f"{type(failure).__name__}, by AWS_PROFILE, the URL's profile or a file under ~/.aws",
                fix="see what `aws configure list` says, and correct it",
            ) from None


def _is_here(endpoint: str) -> bool:
    return names_this_machine(urlsplit(endpoint).hostname or "")


def _config(address: Address, endpoint: str) -> Config:
    return Config(
        connect_timeout=address.connect_timeout / 1000,
        read_timeout=address.read_timeout / 1000,
        retries={"mode": "standard", "total_max_attempts": MAX_TRIES},
        max_pool_connections=_POOLED,
        # No proxy for loopback, where requests would leave the machine in the clear.
        proxies={} if _is_here(endpoint) else None,
    )


def _require_safe(endpoint: str, address: Address) -> None:
    """Raise unless requests to the endpoint are encrypted or stay here; it may come from AWS_ENDPOINT_URL."""
    try:
        web_address(endpoint)
    except BadURL as bad:
        raise BadStoreURL(
            f"the endpoint of {address} can't be used",
            why=bad.what,
            fix="use https://; plain HTTP is for an endpoint on this machine",
        ) from None

"""Ways to log in to Vault and OpenBao, one file each."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from keyvault_jwt.clock import Clock
from keyvault_jwt.errors import BadStoreURL

from ..address import Address
from ..credentials import Credentials
from ..granted import Login
from ..token_keeper import TokenKeeper
from .approle import open_approle
from .aws import open_aws
from .cert import open_cert
from .door import Door
from .jwt import open_jwt
from .kubernetes import open_kubernetes
from .server_tokens import ServerTokens
from .token import open_token
from .userpass import open_userpass

METHODS: Final[Mapping[str, Callable[[Door, Mapping[str, str]], Login]]] = MappingProxyType(
    {
        "token": open_token,
        "approle": open_approle,
        "kubernetes": open_kubernetes,
        "jwt": open_jwt,
        "aws": open_aws,
        "cert": open_cert,
        "userpass": open_userpass,
    }
)
"""What `auth=` may say; each function's docstring lists its options."""


def credentials(
    address: Address,
    parameters: Mapping[str, str],
    *,
    clock: Clock | None = None,
    jitter: Callable[[], float] = random.random,
) -> Credentials:
    """Return what keeps a session's token: `parameters` are a store URL's, `auth=token` if unsaid.

    Nothing is sent before the first token is asked for.  Raises `BadStoreURL` for a method or an
    option that is not known; no message quotes a value.
    """
    method = parameters.get("auth", "token")
    if method not in METHODS:
        raise BadStoreURL(
            "the vault store URL names no way to log in that is known here",
            why="it must be one of " + ", ".join(METHODS),
            fix="write it like vault://secret/jwt?auth=approle",
        )
    door = Door(address, clock=clock)
    login = METHODS[method](door, parameters)
    return TokenKeeper(login, ServerTokens(door), clock=clock, jitter=jitter, patience=address.deadline)

"""Granted: a token as the server gave it, and the ways to get one and to keep it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from keyvault_jwt.clock import Milliseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """A token and what the server said of it.

    `ttl` is how long it lives from the moment the server was asked, 0 for ever.  `accessor` is
    empty for a batch token, which can be neither renewed nor revoked.  `ours` tells a token
    that we logged in for from one that was given to us, which its giver revokes.  `index` is the
    `X-Vault-Index` of the answer: a standby that has not come so far may not know the token yet.
    """

    token: str = field(repr=False)
    ttl: Milliseconds
    renewable: bool
    accessor: str = field(repr=False)
    ours: bool = True
    index: str = ""


class Login(Protocol):
    """A way to get a token; called by one thread at a time."""

    def login(self) -> Granted:
        """Ask the server once.

        Raises `StoreUnavailable` if asking again may help, and another `StoreError` if it can't.
        """
        ...


class Tokens(Protocol):
    """What the server does with a token that it gave; each raises `StoreError`s, like `Login`."""

    def lookup(self, token: str) -> Granted:
        """Return what is left of the token; raises `StoreDenied` if the server does not take it."""
        ...

    def renew(self, token: str) -> Granted:
        """Return the token with a new time to live; raises `StoreDenied` if it can't be had."""
        ...

    def revoke(self, token: str) -> None:
        """End the token."""
        ...

    def close(self) -> None:
        """Give up the connections."""
        ...

"""Credentials: where a session's token comes from."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


class Credentials(Protocol):
    """Where a session's token comes from; thread-safe and fork-safe."""

    def token(self) -> str:
        """Return a token that is good for now, logging in or renewing if it must; raises `StoreError`s."""
        ...

    def refused(self, token: str) -> bool:
        """Take note that the server answered 403 to `token`.

        Returns True if there is a fresh one now and the request is worth one repetition.
        """
        ...

    def close(self) -> None:
        """Revoke what was logged in for."""
        ...


@runtime_checkable
class KnowsIndex(Protocol):
    """Credentials that know from which state of the server's storage on their token is there."""

    @property
    def index(self) -> str:
        """The `X-Vault-Index` with which the token came; empty if there was none."""
        ...


class StaticToken:
    """A token that somebody else made and renews; it is not revoked at the end."""

    __slots__ = ("_token",)

    def __init__(self, token: str) -> None:
        self._token = token

    def __repr__(self) -> str:
        return "StaticToken(<not shown>)"

    def token(self) -> str:
        """Return the token as it was given."""
        return self._token

    def refused(self, token: str) -> bool:  # noqa: ARG002  (named as in the protocol)
        """Return False: there is no other token."""
        return False

    def close(self) -> None:
        """Do nothing: the token is its maker's."""

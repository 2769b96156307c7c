"""Credentials: where a session's token comes from."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from keyvault_jwt.errors import StoreDenied

from .environment import from_environment


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


class TokenFile:
    """A token in a file, as `vault login` leaves it and an agent's sink keeps it fresh."""

    __slots__ = ("_path",)

    def __init__(self, path: Path) -> None:
        self._path = path

    def __repr__(self) -> str:
        return f"TokenFile({str(self._path)!r})"

    def token(self) -> str:
        """Return what the file holds now; raises `StoreDenied` if that is no token."""
        try:
            token = self._path.read_text("ascii").strip()
        except (OSError, UnicodeDecodeError):
            token = ""
        if not token or not token.isprintable() or " " in token:
            raise StoreDenied(
                "there is no token for Vault",
                why=f"neither BAO_TOKEN nor VAULT_TOKEN is set, and {self._path} holds none",
                fix="set VAULT_TOKEN, run `bao login`, or choose another way in with ?auth=",
            )
        return token

    def refused(self, token: str) -> bool:
        """Return whether the file has been written anew since `token` was read from it."""
        return self.token() != token

    def close(self) -> None:
        """Do nothing: the token is its maker's."""


def given_token() -> Credentials:
    """Return the token of `BAO_TOKEN` or `VAULT_TOKEN`, else that of `~/.vault-token` at each use."""
    token = from_environment("TOKEN")
    return StaticToken(token) if token else TokenFile(Path.home() / ".vault-token")

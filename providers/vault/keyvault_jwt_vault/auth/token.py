"""A token that somebody else logged in for: `VAULT_TOKEN`, a file, or `~/.vault-token`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..granted import Granted
from .door import Door
from .errors import LoginRefused, TokenDenied
from .parameters import Parameters
from .secret import Secret
from .server_tokens import ServerTokens


class GivenToken:
    """Takes what is there now, so that an agent or a person may put a fresh token in its place."""

    __slots__ = ("_known", "_secret", "_tokens")

    def __init__(self, secret: Secret, tokens: ServerTokens) -> None:
        self._secret, self._tokens, self._known = secret, tokens, ""

    def __repr__(self) -> str:
        return f"GivenToken({self._secret!r})"

    def login(self) -> Granted:
        """Return the token, with its TTL if it may look itself up; raises `LoginRefused` if it ended."""
        token = self._secret.read()
        try:
            granted = self._tokens.lookup(token)
        except TokenDenied:
            if token != self._known:
                # One without the policy `default` may not look itself up, and is good all the same.
                return Granted(token=token, ttl=0, renewable=False, accessor="", ours=False)
            raise LoginRefused(
                "the server no longer takes the token it was given",
                why="it expired, was revoked or is another server's",
                fix=f"put a fresh one in the place of {self._secret.place()}",
            ) from None
        self._known = token
        return granted


def open_token(door: Door, values: Mapping[str, str]) -> GivenToken:
    """Return the login of `auth=token`; option `token_file`."""
    file = Parameters("token", values, ("token_file",)).file("token_file")
    home = Path.home() / ".vault-token"
    return GivenToken(Secret("token", file, ("BAO_TOKEN", "VAULT_TOKEN"), home), ServerTokens(door))

"""ServerTokens: look up, renew and revoke one's own token, at `auth/token`."""

from __future__ import annotations

from dataclasses import replace

from ..answer import Answer
from ..granted import Granted
from .door import Door, granted, seconds
from .errors import LoginImpossible, TokenDenied


class ServerTokens:
    """The `Tokens` of a server."""

    __slots__ = ("_door",)

    def __init__(self, door: Door) -> None:
        self._door = door

    def lookup(self, token: str) -> Granted:
        """Return what is left of the token, and who may renew it; raises `TokenDenied`.

        The server counts in whole seconds: a token that ends within this one has one left.
        """
        data = self._ask("GET", "lookup-self", token).data
        ends = data.get("expire_time") is not None
        return Granted(
            token=token,
            ttl=max(1000, seconds(data.get("ttl"))) if ends else 0,
            renewable=data.get("renewable") is True,
            accessor=str(data.get("accessor") or ""),
            ours=False,
        )

    def renew(self, token: str) -> Granted:
        """Return the token with the TTL that it has now; raises `TokenDenied`.

        A token past its max TTL is refused with a 500, so that one is taken for a refusal, too.
        """
        try:
            renewed = granted(self._ask("POST", "renew-self", token))
        except LoginImpossible as failed:
            raise TokenDenied(
                "the server does not renew this token", why=failed.why, fix="log in again"
            ) from None
        # A server that answers with ttl 0 has let it end.
        return renewed if renewed.ttl else replace(renewed, ttl=1, renewable=False)

    def revoke(self, token: str) -> None:
        """End the token; raises `TokenDenied` if it has ended, or is a batch token."""
        self._ask("POST", "revoke-self", token)

    def close(self) -> None:
        """Give up the connections."""
        self._door.close()

    def _ask(self, method: str, path: str, token: str) -> Answer:
        answer = self._door.ask(method, f"auth/token/{path}", token=token)
        if answer.status not in {200, 204}:
            raise TokenDenied(
                f"the server does not do {path} for this token",
                why=f"it answered {answer.status}: the token ended or was revoked, or its policies forbid it",
                fix="log in again, or give its role the policy `default`",
            )
        return answer

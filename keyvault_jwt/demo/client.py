"""Client: a library that verifies, as its users use it."""

from __future__ import annotations

from typing import Protocol


class Refused(Exception):
    """The client's verdict: not accepted, for the reason that it names."""


class NoAnswer(Exception):
    """The client could not fetch its keys, so it has no verdict."""


class Client(Protocol):
    """Raises `Refused` or `NoAnswer`; returns if the token is accepted."""

    def verify(self, token: str) -> None:
        """Verify a token whole: signature, issuer, audience and times."""
        ...

    def verify_signature(self, token: str) -> None:
        """Verify a token's signature alone: whoever stole a key writes whatever claims he likes."""
        ...

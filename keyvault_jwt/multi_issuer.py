"""MultiIssuer: tokens of several issuers, each verified by the rules and keys of its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from . import compact
from .errors import UsageError
from .verification_errors import MalformedToken, WrongIssuer
from .verifier import Verifier


class _Claims(msgspec.Struct):
    iss: str


_CLAIMS: Final = msgspec.json.Decoder(_Claims)


class MultiIssuer:
    """Chooses the verifier by the token's `iss`, among those configured.  Thread-safe.

    The choice is all that `iss` is used for before the signature is checked: an issuer that is
    not listed causes no request, and no issuer's keys are tried on another's tokens (RFC 8725
    section 3.8).  Raises `UsageError` for a verifier without issuer, or two of one issuer.
    """

    def __init__(self, verifiers: Iterable[Verifier], *, max_token: int = compact.MAX_TOKEN) -> None:
        self._verifiers: dict[str, Verifier] = {}
        self._max_token = max_token
        for verifier in verifiers:
            if verifier.issuer is None or verifier.issuer in self._verifiers:
                raise UsageError("each verifier must be for an issuer of its own")
            self._verifiers[verifier.issuer] = verifier

    @property
    def issuers(self) -> tuple[str, ...]:
        """The issuers whose tokens are accepted."""
        return tuple(self._verifiers)

    def verify(self, token: str | bytes) -> dict[str, Any]:
        """Return the claims of a good token; raises as `Verifier.verify`, `WrongIssuer` if unlisted."""
        return self._verifier_for(token).verify(token)

    async def averify(self, token: str | bytes) -> dict[str, Any]:
        """As `verify`, without blocking the event loop."""
        return await self._verifier_for(token).averify(token)

    def _verifier_for(self, token: str | bytes) -> Verifier:
        payload = compact.payload_bytes(compact.split(token, self._max_token).payload)
        try:
            issuer = _CLAIMS.decode(payload).iss
        except (msgspec.MsgspecError, ValueError, RecursionError):
            raise MalformedToken("the payload is not a JSON object with an issuer as text") from None
        verifier = self._verifiers.get(issuer)
        if verifier is None:
            raise WrongIssuer("the token's issuer is not one of those configured")
        return verifier

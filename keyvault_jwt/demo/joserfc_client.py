"""Another stranger: joserfc, with the key set that its users keep for themselves."""

from __future__ import annotations

import http.client
import json
import time
import urllib.request
from typing import Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from .client import NoAnswer, Refused
from .messages import VerifierPart
from .ticket import ticket_of

_TIMEOUT: Final = 1.0


class JoserfcClient:
    """Fetches the set anew when it is older than the max-age, or lacks a kid."""

    def __init__(self, part: VerifierPart) -> None:
        self._part = part
        self._keys, self._fetched = KeySet([]), -part.max_age
        self._claims = jwt.JWTClaimsRegistry(
            iss={"essential": True, "value": part.issuer},
            aud={"essential": True, "value": part.audience},
            exp={"essential": True},
        )

    def verify(self, token: str) -> None:
        """Verify a token whole."""
        self._verify(token, claims=True)

    def verify_signature(self, token: str) -> None:
        """Verify a token's signature alone."""
        self._verify(token, claims=False)

    def _verify(self, token: str, *, claims: bool) -> None:
        keys = self._holding(ticket_of(token).kid)
        try:
            decoded = jwt.decode(token, keys, algorithms=list(self._part.algorithms))
            if claims:
                self._claims.validate(decoded.claims)
        except (JoseError, ValueError) as refused:
            raise Refused(type(refused).__name__) from None

    def _holding(self, kid: str) -> KeySet:
        known = any(key.kid == kid for key in self._keys)
        if not known or time.monotonic() - self._fetched > self._part.max_age:
            sent = time.monotonic()
            try:
                with urllib.request.urlopen(self._part.jwks, timeout=_TIMEOUT) as answer:  # noqa: S310
                    document = json.load(answer)
            except (OSError, http.client.HTTPException, ValueError) as failed:
                raise NoAnswer(type(failed).__name__) from None
            self._keys, self._fetched = KeySet.import_key_set(document), sent
        return self._keys

"""A stranger: PyJWT with its own PyJWKClient, as its documentation shows."""

from __future__ import annotations

import jwt

from .client import NoAnswer, Refused
from .messages import VerifierPart

_TIMEOUT = 1.0


class PyJWTClient:
    """Keeps a set for the max-age, and nothing while its server is away."""

    def __init__(self, part: VerifierPart) -> None:
        self._part = part
        self._keys = jwt.PyJWKClient(
            part.jwks,
            lifespan=part.max_age,
            cooldown_duration=0,
            timeout=_TIMEOUT,
            cache_keys=not part.forgets,
        )

    def verify(self, token: str) -> None:
        """Verify a token whole."""
        self._verify(token, expiry=True)

    def verify_signature(self, token: str) -> None:
        """Verify a token's signature, issuer and audience; its expiry may be past."""
        self._verify(token, expiry=False)

    def _verify(self, token: str, *, expiry: bool) -> None:
        part = self._part
        try:
            key = self._keys.get_signing_key_from_jwt(token)
        except (jwt.PyJWKClientConnectionError, OSError, ValueError) as failed:
            raise NoAnswer(type(failed).__name__) from None
        except jwt.PyJWTError as refused:
            raise Refused(type(refused).__name__) from None
        try:
            jwt.decode(
                token,
                key,
                algorithms=list(part.algorithms),
                issuer=part.issuer,
                audience=part.audience,
                leeway=part.leeway / 1000,
                options={"verify_exp": expiry},
            )
        except jwt.PyJWTError as refused:
            raise Refused(type(refused).__name__) from None

"""Our own verifier over our own cache, set up as a service would."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from ..cache import JWKSCache
from ..verification_errors import KeysUnavailable, VerificationError
from ..verifier import Verifier
from .client import NoAnswer, Refused
from .messages import VerifierPart


class OurClient:
    """JWKSCache and Verifier."""

    def __init__(self, part: VerifierPart) -> None:
        cache = JWKSCache(part.jwks, timeout=timedelta(seconds=1))
        self._verifier = Verifier(
            cache,
            issuer=part.issuer,
            audience=part.audience,
            algorithms=part.algorithms,
            leeway=timedelta(milliseconds=part.leeway),
        )

    def verify(self, token: str) -> None:
        """Verify a token whole."""
        _told(self._verifier.verify, token)

    def verify_signature(self, token: str) -> None:
        """Verify a token's signature alone."""
        _told(self._verifier.verify_signature, token)


def _told(verify: Callable[[str], object], token: str) -> None:
    try:
        verify(token)
    except KeysUnavailable as unavailable:
        raise NoAnswer(unavailable.code) from None
    except VerificationError as refused:
        raise Refused(refused.code) from None

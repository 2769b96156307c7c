"""Why a token was refused, each error also being the PyJWT exception a caller already catches.

    VerificationError                verification                 jwt.PyJWTError
    ├── KeysUnavailable              keys_unavailable             jwt.PyJWKClientConnectionError
    └── InvalidToken                 token_invalid                jwt.InvalidTokenError
        ├── MalformedToken           token_malformed              jwt.DecodeError
        │   ├── TokenTooLarge        token_too_large
        │   ├── EncryptedToken       token_encrypted
        │   └── UnsupportedHeader    header_unsupported
        ├── AlgorithmRefused         algorithm_refused            jwt.InvalidAlgorithmError
        ├── TypeRefused              type_refused
        ├── UnknownKey               key_unknown                  jwt.PyJWKClientError
        │   ├── DeniedKey            key_denied
        │   └── AmbiguousKey         key_ambiguous
        ├── UnusableKey              key_unusable                 jwt.InvalidKeyError
        ├── InvalidSignature         signature_invalid            jwt.InvalidSignatureError
        ├── MalformedClaim           claim_malformed              jwt.DecodeError
        │   └── MalformedIssuedAt    issued_at_malformed          jwt.InvalidIssuedAtError
        ├── MissingClaim             claim_missing                jwt.MissingRequiredClaimError
        ├── ExpiredToken             token_expired                jwt.ExpiredSignatureError
        ├── ImmatureToken            token_immature               jwt.ImmatureSignatureError
        │   └── FutureToken          token_from_the_future
        ├── WrongIssuer              issuer_wrong                 jwt.InvalidIssuerError
        └── WrongAudience            audience_wrong               jwt.InvalidAudienceError

`InvalidToken` is the token's fault (HTTP 401); `KeysUnavailable` is not (503).  No message
quotes the token.  Apart from errors.py because PyJWT costs more to import than all errors.
"""

from __future__ import annotations

from jwt import exceptions as pyjwt

from .errors import KeyvaultJWTError


class VerificationError(KeyvaultJWTError, pyjwt.PyJWTError):
    """A token that was not accepted."""

    code = "verification"


class KeysUnavailable(VerificationError, pyjwt.PyJWKClientConnectionError):
    """No key set is fresh enough to verify by, so nothing can be said about the token."""

    code = "keys_unavailable"


class InvalidToken(VerificationError, pyjwt.InvalidTokenError):
    """A token that is refused for what it is."""

    code = "token_invalid"


class MalformedToken(InvalidToken, pyjwt.DecodeError):
    """Not a compact JWS of a JSON header and, for a JWT, a JSON object (RFC 7515 section 3.1)."""

    code = "token_malformed"


class TokenTooLarge(MalformedToken):
    """More bytes than the verifier takes; nothing was decoded."""

    code = "token_too_large"


class EncryptedToken(MalformedToken):
    """A JWE; this verifier takes signed tokens only."""

    code = "token_encrypted"


class UnsupportedHeader(MalformedToken):
    """A header that changes how the token is read: `crit` or `b64` (RFC 7515, RFC 7797)."""

    code = "header_unsupported"


class AlgorithmRefused(InvalidToken, pyjwt.InvalidAlgorithmError):
    """An `alg` that the verifier's allow-list lacks, or that is not the key's."""

    code = "algorithm_refused"


class TypeRefused(InvalidToken):
    """A `typ` other than the one the verifier asks for (RFC 8725 section 3.11)."""

    code = "type_refused"


class UnknownKey(InvalidToken, pyjwt.PyJWKClientError):
    """No key of the set answers to the header."""

    code = "key_unknown"


class DeniedKey(UnknownKey):
    """The key was denied here by its kid or thumbprint."""

    code = "key_denied"


class AmbiguousKey(UnknownKey):
    """More than one key answers to the header."""

    code = "key_ambiguous"


class UnusableKey(InvalidToken, pyjwt.InvalidKeyError):
    """The key is below what this verifier asks for."""

    code = "key_unusable"


class InvalidSignature(InvalidToken, pyjwt.InvalidSignatureError):
    """The signature is not the key's over these bytes."""

    code = "signature_invalid"


class MalformedClaim(InvalidToken, pyjwt.DecodeError):
    """A claim of the wrong JSON type."""

    code = "claim_malformed"


class MalformedIssuedAt(MalformedClaim, pyjwt.InvalidIssuedAtError):
    """An `iat` that is not a number."""

    code = "issued_at_malformed"


class MissingClaim(InvalidToken, pyjwt.MissingRequiredClaimError):
    """A required claim is absent; `claim` names it."""

    code = "claim_missing"

    def __init__(self, what: str, *, why: str = "", fix: str = "", claim: str = "") -> None:
        super().__init__(what, why=why, fix=fix)
        self.claim = claim

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild_missing, (self.what, self.why, self.fix, self.claim))


def _rebuild_missing(what: str, why: str, fix: str, claim: str) -> MissingClaim:
    return MissingClaim(what, why=why, fix=fix, claim=claim)


class ExpiredToken(InvalidToken, pyjwt.ExpiredSignatureError):
    """`exp` has passed, leeway included."""

    code = "token_expired"


class ImmatureToken(InvalidToken, pyjwt.ImmatureSignatureError):
    """`nbf` is still ahead, leeway included."""

    code = "token_immature"


class FutureToken(ImmatureToken):
    """`iat` is ahead by more than the leeway."""

    code = "token_from_the_future"


class WrongIssuer(InvalidToken, pyjwt.InvalidIssuerError):
    """`iss` is not exactly the expected issuer."""

    code = "issuer_wrong"


class WrongAudience(InvalidToken, pyjwt.InvalidAudienceError):
    """`aud` names none of the expected audiences, or is neither text nor a list of text."""

    code = "audience_wrong"

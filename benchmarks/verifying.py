"""What verifying a token costs that was never seen, or that was, beside the signature's bare check."""

from __future__ import annotations

from typing import Any

import jwt
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import RSAKey
from jwcrypto.jwk import JWK  # type: ignore[import-untyped]
from jwcrypto.jwt import JWT  # type: ignore[import-untyped]

from .figure import Figure
from .paired import Way, microseconds, ratio
from .token_keys import AUDIENCE, ISSUER, TokenKey, token_key


def first_vs_raw(algorithm: str) -> float:
    """Return the time of a first verification over that of the bare check."""
    key = token_key(algorithm)
    token = key.token()
    verifier, check = key.verifier(), key.bare(token)
    return ratio(verifier.verify, lambda _: check(), token)


def faster_than(library: Way) -> float:
    """Return how many times as long a library takes with the same RS256 token, key and expectations."""
    key = token_key("RS256")
    return ratio(library, key.verifier().verify, key.token())


def repeated() -> float:
    """Return the microseconds of verifying a token that is remembered, its claims made anew."""
    key = token_key("ES256")
    token, verifier = key.token(), key.verifier(remember=100)
    verifier.verify(token)
    return microseconds(verifier.verify, token)


def with_pyjwt() -> float:
    """Return how many times as long PyJWT takes."""
    public = token_key("RS256").public
    return faster_than(
        lambda token: jwt.decode(token, public, algorithms=["RS256"], audience=AUDIENCE, issuer=ISSUER)
    )


def with_joserfc() -> float:
    """Return how many times as long joserfc takes, which decodes and checks claims in two calls."""
    key = RSAKey.import_key(_public(token_key("RS256")))
    claims = joserfc_jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": ISSUER}, aud={"essential": True, "value": AUDIENCE}
    )
    return faster_than(
        lambda token: claims.validate(joserfc_jwt.decode(token, key, algorithms=["RS256"]).claims)
    )


def with_jwcrypto() -> float:
    """Return how many times as long jwcrypto takes."""
    key = JWK(**_public(token_key("RS256")))
    wanted = {"iss": ISSUER, "aud": AUDIENCE, "exp": None}
    return faster_than(lambda token: JWT(jwt=token, key=key, algs=["RS256"], check_claims=wanted))


def _public(key: TokenKey) -> dict[str, Any]:
    return {**key.members, "kid": "k1"}


def _first(algorithm: str, at_most: float) -> Figure:
    name, what = algorithm.lower(), f"first verification of {algorithm} over the signature's bare check"
    return Figure(f"verify_first_{name}_vs_raw", what, at_most, lambda: first_vs_raw(algorithm))


FIGURES = (
    _first("RS256", 1.25),
    _first("ES256", 1.15),
    _first("Ed25519", 1.08),
    _first("HS256", 5),
    Figure("verify_first_rs256_vs_pyjwt", "PyJWT's time over ours", None, with_pyjwt, at_least=3),
    Figure("verify_first_rs256_vs_joserfc", "joserfc's time over ours", None, with_joserfc, at_least=1),
    Figure("verify_first_rs256_vs_jwcrypto", "jwcrypto's time over ours", None, with_jwcrypto, at_least=1),
    Figure("verify_repeat_us", "microseconds of a remembered token, claims made anew", 2.5, repeated),
)

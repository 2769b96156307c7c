"""What other libraries do with the token that we verify: the same key, issuer, audience and expiry.

Each function returns its library's public way, with all that can be made once made outside.
"""

from __future__ import annotations

import warnings
from importlib import import_module
from importlib.util import find_spec

import jwt
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import RSAKey
from jwcrypto.jwk import JWK  # type: ignore[import-untyped]
from jwcrypto.jwt import JWT  # type: ignore[import-untyped]

from .figure import NotMeasurable
from .paired import Way
from .token_keys import AUDIENCE, ISSUER, token_key


def pyjwt() -> Way:
    """Return the way of PyJWT."""
    public = token_key("RS256").public
    return lambda token: jwt.decode(token, public, algorithms=["RS256"], audience=AUDIENCE, issuer=ISSUER)


def joserfc() -> Way:
    """Return the way of joserfc, which decodes and checks claims in two calls."""
    key = RSAKey.import_key(token_key("RS256").jwk)
    claims = joserfc_jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": ISSUER},
        aud={"essential": True, "value": AUDIENCE},
        exp={"essential": True},
    )
    return lambda token: claims.validate(joserfc_jwt.decode(token, key, algorithms=["RS256"]).claims)


def jwcrypto() -> Way:
    """Return the way of jwcrypto."""
    key = JWK(**token_key("RS256").jwk)
    wanted = {"iss": ISSUER, "aud": AUDIENCE, "exp": None}
    return lambda token: JWT(jwt=token, key=key, algs=["RS256"], check_claims=wanted)


def authlib() -> Way:
    """Return the way of Authlib's own `authlib.jose`: deprecated for joserfc, but still in wide use."""
    deprecated = import_module("authlib.deprecate").AuthlibDeprecationWarning
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", deprecated)
        jose = import_module("authlib.jose")
    key, decode = jose.JsonWebKey.import_key(token_key("RS256").jwk), jose.JsonWebToken(["RS256"]).decode
    wanted = {
        "iss": {"essential": True, "value": ISSUER},
        "aud": {"essential": True, "value": AUDIENCE},
        "exp": {"essential": True},
    }
    return lambda token: decode(token, key, claims_options=wanted).validate()


def ryjwt(algorithm: str = "RS256") -> Way:
    """Return the way of ryjwt, compiled throughout; raises `NotMeasurable` where it is not installed."""
    if find_spec("ryjwt") is None:
        raise NotMeasurable("ryjwt is not installed, which needs Python 3.12 or newer")
    key = import_module("ryjwt").PublicKey.from_jwks(
        {"keys": [token_key(algorithm).jwk]}, algorithms=[algorithm], audience=AUDIENCE, issuer=ISSUER
    )
    decode: Way = key.decode
    return decode

"""What verifying by AWS-LC costs, beside `cryptography`'s bare check and other libraries' whole one."""

from __future__ import annotations

import json
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import jwt

from keyvault_jwt.fast import AWSLC

from .figure import Figure
from .paired import Way, ratio
from .token_keys import AUDIENCE, ISSUER, token_key


def vs_raw(algorithm: str) -> float:
    """Return the time of a first verification by AWS-LC over that of `cryptography`'s bare check."""
    key = token_key(algorithm)
    token = key.token()
    check = key.bare(token)
    return ratio(key.verifier(engine=AWSLC()).verify, lambda _: check(), token)


def vs_pyjwt() -> float:
    """Return how many times as long PyJWT takes with the same RS256 token and expectations."""
    key = token_key("RS256")

    def decode(token: str) -> Any:
        return jwt.decode(token, key.public, algorithms=["RS256"], audience=AUDIENCE, issuer=ISSUER)

    return ratio(decode, key.verifier(engine=AWSLC()).verify, key.token())


def vs_ryjwt(algorithm: str) -> float:
    """Return the time of a first verification by AWS-LC over that of ryjwt, which is compiled throughout."""
    key = token_key(algorithm)
    return ratio(key.verifier(engine=AWSLC()).verify, _ryjwt(algorithm), key.token())


def _ryjwt(algorithm: str) -> Way:
    members = {**token_key(algorithm).members, "kid": "k1", "alg": algorithm, "use": "sig"}
    expected = {"algorithms": [algorithm], "audience": AUDIENCE, "issuer": ISSUER}
    keys = import_module("ryjwt").PublicKey.from_jwks(json.dumps({"keys": [members]}), **expected)
    decode: Way = keys.decode
    return decode


def _vs_raw(algorithm: str, at_most: float) -> Figure:
    what = f"first {algorithm} by AWS-LC over the bare check by cryptography"
    return Figure(f"verify_first_{algorithm.lower()}_fast_vs_raw", what, at_most, lambda: vs_raw(algorithm))


def _vs_ryjwt(algorithm: str, at_most: float) -> Figure:
    what = f"first {algorithm} by AWS-LC over ryjwt's"
    return Figure(
        f"verify_first_{algorithm.lower()}_fast_vs_ryjwt", what, at_most, lambda: vs_ryjwt(algorithm)
    )


FIGURES = (
    _vs_raw("RS256", 1.1),
    _vs_raw("ES256", 1),
    Figure(
        "verify_first_rs256_fast_vs_pyjwt", "PyJWT's time over ours by AWS-LC", None, vs_pyjwt, at_least=3
    ),
    # It is there for newer versions of Python alone.
    *([_vs_ryjwt("RS256", 1.2), _vs_ryjwt("ES256", 1.2)] if find_spec("ryjwt") else []),
)

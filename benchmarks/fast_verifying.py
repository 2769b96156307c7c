"""What verifying by AWS-LC costs, beside `cryptography`'s bare check and other libraries' whole one."""

from __future__ import annotations

from keyvault_jwt.fast import AWSLC

from . import peers
from .figure import Figure
from .paired import ratio
from .token_keys import token_key
from .verifying import times_as_long


def vs_raw(algorithm: str) -> float:
    """Return the time of a first verification by AWS-LC over that of `cryptography`'s bare check."""
    key = token_key(algorithm)
    token = key.token()
    check = key.bare(token)
    return ratio(key.verifier(engine=AWSLC()).verify, lambda _: check(), token)


def vs_pyjwt() -> float:
    """Return how many times as long PyJWT takes with the same RS256 token and expectations."""
    return times_as_long(peers.pyjwt, engine=AWSLC())


def vs_ryjwt(algorithm: str) -> float:
    """Return the time of a first verification by AWS-LC over that of ryjwt."""
    return 1 / times_as_long(lambda: peers.ryjwt(algorithm), algorithm=algorithm, engine=AWSLC())


def _vs_raw(algorithm: str, at_most: float) -> Figure:
    what = f"first {algorithm} by AWS-LC over the bare check by cryptography"
    return Figure(f"verify_first_{algorithm.lower()}_fast_vs_raw", what, at_most, lambda: vs_raw(algorithm))


def _vs_ryjwt(algorithm: str) -> Figure:
    name, what = (
        f"verify_first_{algorithm.lower()}_fast_vs_ryjwt",
        f"first {algorithm} by AWS-LC over ryjwt's",
    )
    return Figure(name, what, 1.2, lambda: vs_ryjwt(algorithm))


FIGURES = (
    _vs_raw("RS256", 1.1),
    _vs_raw("ES256", 1),
    Figure(
        "verify_first_rs256_fast_vs_pyjwt", "PyJWT's time over ours by AWS-LC", None, vs_pyjwt, at_least=3
    ),
    _vs_ryjwt("RS256"),
    _vs_ryjwt("ES256"),
)

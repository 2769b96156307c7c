"""What verifying a token costs that was never seen, or that was, beside the signature's bare check."""

from __future__ import annotations

from collections.abc import Callable

from keyvault_jwt.engine import CRYPTOGRAPHY, Engine

from . import peers
from .figure import Figure
from .paired import Way, microseconds, ratio
from .token_keys import TokenKey, token_key


def first_vs_raw(algorithm: str) -> float:
    """Return the time of a first verification over that of the bare check."""
    key = token_key(algorithm)
    token = key.token()
    verifier, check = key.verifier(), key.bare(token)
    return ratio(verifier.verify, lambda _: check(), token)


def times_as_long(
    peer: Callable[[], Way],
    *,
    algorithm: str = "RS256",
    remember: int = 0,
    engine: Engine = CRYPTOGRAPHY,
) -> float:
    """Return how many times as long as we, by this engine, another library takes with the same token.

    With `remember`, we have seen the token before.
    """
    key, theirs = token_key(algorithm), peer()
    token, ours = key.token(), key.verifier(remember=remember, engine=engine).verify
    for way in (theirs, ours):
        _require_that_it_refuses(way, key)
        way(token)
    return ratio(theirs, ours, token)


def repeated() -> float:
    """Return the microseconds of verifying a token that is remembered, its claims made anew."""
    key = token_key("ES256")
    token, verifier = key.token(), key.verifier(remember=100)
    verifier.verify(token)
    return microseconds(verifier.verify, token)


def _require_that_it_refuses(way: Way, key: TokenKey) -> None:
    """See to it that nobody is quick by not looking: a wrong claim or signature is refused."""
    wrong: tuple[dict[str, object], ...] = ({"iss": "https://evil.example"}, {"aud": "other"}, {"exp": 1})
    signing_input, _, _ = key.token().rpartition(".")
    _, _, signature = key.token(sub="u2").rpartition(".")
    for token in (*(key.token(**claim) for claim in wrong), f"{signing_input}.{signature}"):
        try:
            way(token)
        except Exception:  # noqa: BLE001  (each library has its own)
            continue
        raise AssertionError("a library accepts what it should refuse, so its time says nothing")


def _first(algorithm: str, at_most: float) -> Figure:
    name, what = algorithm.lower(), f"first verification of {algorithm} over the signature's bare check"
    return Figure(f"verify_first_{name}_vs_raw", what, at_most, lambda: first_vs_raw(algorithm))


def _peer(name: str, peer: Callable[[], Way], at_least: float) -> Figure:
    called, what = f"verify_first_rs256_vs_{name.lower()}", f"{name}'s time over ours"
    return Figure(called, what, None, lambda: times_as_long(peer), at_least=at_least)


FIGURES = (
    _first("RS256", 1.25),
    _first("ES256", 1.15),
    _first("Ed25519", 1.08),
    _first("HS256", 5),
    _peer("PyJWT", peers.pyjwt, 3),
    _peer("joserfc", peers.joserfc, 1),
    _peer("jwcrypto", peers.jwcrypto, 1),
    _peer("Authlib", peers.authlib, 1),
    _peer("ryjwt", peers.ryjwt, 1),
    Figure("verify_repeat_us", "microseconds of a remembered token, claims made anew", 2.5, repeated),
    Figure(
        "verify_repeat_vs_ryjwt",
        "ryjwt's time over ours with a remembered RS256 token",
        None,
        lambda: times_as_long(peers.ryjwt, remember=100),
        at_least=1,
    ),
)

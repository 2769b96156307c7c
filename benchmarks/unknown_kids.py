"""How often made-up kids, however many come, make a verifier ask the endpoint."""

from __future__ import annotations

import time
from contextlib import closing
from datetime import timedelta

import keyvault_jwt as kj
from keyvault_jwt.cache.waiting_room import BURST
from tests.unit.conftest import Endpoint

from .figure import Figure
from .flood import Flood
from .token_keys import AUDIENCE, ISSUER, token_key

TOKENS = 100_000
COOLDOWN = 1.0
COOLDOWNS = 10


def measure() -> float:
    """Return the requests for each cooldown that went by, past the burst with which the flood begins.

    The set is fresh all the while, so every request after the first is a made-up kid's.
    """
    key, endpoint = token_key("ES256"), Endpoint()
    endpoint.publish(key.jwk, cache_control="max-age=3600")
    cache = kj.JWKSCache(endpoint.url, cooldown=timedelta(seconds=COOLDOWN))
    verifier, token = kj.Verifier(cache, issuer=ISSUER, audience=AUDIENCE, algorithms=["ES256"]), key.token()
    with closing(endpoint), closing(cache):
        verifier.verify(token)
        began = time.monotonic()
        with Flood(verifier, token, tokens=TOKENS, seconds=COOLDOWNS * COOLDOWN) as flood:
            flood.begin()
        cooldowns = (time.monotonic() - began) / COOLDOWN
        return (len(endpoint.requests) - 1 - BURST) / cooldowns


FIGURE = Figure(
    "unknown_kid_fetches_per_cooldown",
    f"requests in a flood of {TOKENS:,} made-up kids, past the first {BURST}",
    1,
    measure,
)

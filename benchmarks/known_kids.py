"""Whether a token of a known kid ever waits for the network, whatever the endpoint does and who else asks."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing, nullcontext
from datetime import timedelta

import keyvault_jwt as kj
from keyvault_jwt.errors import KeyvaultJWTError
from keyvault_jwt.keyset import KeySet
from tests.troubles import TROUBLES, Trouble
from tests.unit.conftest import Endpoint
from tests.waiting import until

from .figure import Figure
from .flood import Flood
from .token_keys import AUDIENCE, ISSUER, KID, token_key

TOKENS = 100_000
"""How many of made-up kids come in each trouble."""
AT_LEAST = 1_000
"""How many of a known kid each thread and the event loop verify; they go on as long as the flood does."""
THREADS = 2
STRANGERS = 100
"""Tasks with made-up kids that wait in the event loop in which the known one is verified."""
LONG_ENOUGH = 60
"""Seconds for the flood to come down on a busy machine; no trouble ends by itself within twice as many."""


def measure() -> float:
    """Return how many verifications waited or were refused, in each trouble of the endpoint and without."""
    return sum(_blocked(trouble) for trouble in (*TROUBLES, nullcontext))


def _blocked(trouble: Trouble) -> int:
    """Return how many were in one trouble, past the time at which the set should be asked for again.

    The trouble ends only after they are counted: what came back by then did not wait for its end.
    """
    key, endpoint = token_key("ES256"), Endpoint()
    endpoint.publish(key.jwk, cache_control="max-age=1")
    cache = kj.JWKSCache(
        endpoint.url,
        timeout=timedelta(seconds=10 * LONG_ENOUGH),
        min_ttl=timedelta(milliseconds=100),
        listener=lambda _event: None,
    )
    source, token = Watched(cache), key.token()
    verifier = kj.Verifier(source, issuer=ISSUER, audience=AUDIENCE, algorithms=["ES256"])
    with closing(endpoint), closing(cache), Flood(verifier, token, tokens=TOKENS) as flood:
        known = Known(verifier, token, flood)
        verifier.verify(token)
        source.waits = 0
        with ThreadPoolExecutor(THREADS + 1) as pool, trouble(endpoint):
            until(lambda: len(endpoint.requests) > 1 or cache.health().state == "stale")
            flood.begin()
            runs = [pool.submit(known.in_a_loop), *(pool.submit(known.in_a_thread) for _ in range(THREADS))]
            done, stuck = wait(runs, timeout=2 * LONG_ENOUGH)
            assert flood.over or stuck, "the flood is slow: too many of it wait, or the machine is too busy"
            return source.waits + len(stuck) + sum(run.result() for run in done)


class Watched:
    """A key source that counts who was made to wait for the known kid, even if not for long."""

    def __init__(self, cache: kj.JWKSCache) -> None:
        self._cache, self.waits = cache, 0

    def current(self) -> KeySet | None:
        """Return what the cache has at hand, which makes nobody wait."""
        return self._cache.current()

    def find(self, kid: str | None, known: KeySet | None) -> KeySet:
        """Count, and wait."""
        self.waits += kid == KID
        return self._cache.find(kid, known)

    async def afind(self, kid: str | None, known: KeySet | None) -> KeySet:
        """Count, and wait in the event loop."""
        self.waits += kid == KID
        return await self._cache.afind(kid, known)


class Known:
    """Verifies a good token over and over, as long as a flood lasts, and counts what went wrong."""

    def __init__(self, verifier: kj.Verifier, token: str, flood: Flood) -> None:
        self._verifier, self._token, self._flood = verifier, token, flood
        self._deadline = time.monotonic() + LONG_ENOUGH

    def in_a_thread(self) -> int:
        """Return how many calls were refused; one that waits does not come back."""
        return self._repeat(self._is_refused)

    def in_a_loop(self) -> int:
        """Return how many calls were refused or gave way to others in an event loop, as who waits must."""
        return asyncio.run(self._among_strangers())

    async def _among_strangers(self) -> int:
        made_up = (self._flood.token(f"stranger-{number}") for number in range(STRANGERS))
        strangers = [asyncio.ensure_future(self._verifier.averify(token)) for token in made_up]
        await asyncio.sleep(0)
        failed = self._repeat(lambda: _gives_way(self._verifier.averify(self._token)))
        for stranger in strangers:
            stranger.cancel()
        await asyncio.gather(*strangers, return_exceptions=True)
        return failed

    def _repeat(self, attempt: Callable[[], bool]) -> int:
        failed = 0
        for number in itertools.count():
            if time.monotonic() >= self._deadline or (number >= AT_LEAST and self._flood.over):
                break
            failed += attempt()
        return failed

    def _is_refused(self) -> bool:
        try:
            self._verifier.verify(self._token)
        except KeyvaultJWTError:
            return True
        return False


def _gives_way(call: Coroutine[object, None, object]) -> bool:
    """Whether a coroutine, once begun, does anything but return at once."""
    try:
        call.send(None)
    except StopIteration:
        return False
    except KeyvaultJWTError:
        return True
    call.close()
    return True


FIGURE = Figure(
    "known_kid_blocked",
    f"verifications that waited for an endpoint in trouble, under {TOKENS:,} made-up kids",
    0,
    measure,
)

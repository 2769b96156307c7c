"""A cache over a web server, by a clock that the test moves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from keyvault_jwt.cache import JWKSCache
from keyvault_jwt.events import Event
from keyvault_jwt.keyset import KeySet
from keyvault_jwt.testing.fake_clock import FakeClock

from ..conftest import Endpoint, eventually


class Watched:
    """A cache, what it told, and shorthands for what a verifier would do with it."""

    def __init__(self, cache: JWKSCache, heard: list[Event]) -> None:
        self.cache, self.heard = cache, heard

    def events(self, name: str) -> list[Event]:
        """Return what was told under this name."""
        return [event for event in self.heard if event.name == name]

    def kids(self) -> set[str | None] | None:
        """Return the kids in use now; None if a caller would have to wait."""
        current = self.cache.current()
        return None if current is None else {key.kid for key in current.keys}

    def fetch(self) -> KeySet:
        """Return the set as a caller without one gets it."""
        return self.cache.find(None, None)

    def look_for(self, kid: str) -> bool:
        """Look for a kid as a verifier does that lacks it; return whether it was found."""
        return self.cache.find(kid, self.cache.current()).has(kid)

    def settle(self, name: str, count: int) -> None:
        """Wait until so many events of this name were told."""
        eventually(lambda: len(self.events(name)) >= count)


MakeCache = Callable[..., Watched]


@pytest.fixture
def make_cache(endpoint: Endpoint, clock: FakeClock) -> Iterator[MakeCache]:
    """Make caches over the endpoint (or `source=`); they are closed with the test."""
    made: list[JWKSCache] = []

    def make(source: Any = None, **arguments: Any) -> Watched:
        heard: list[Event] = []
        expected = {"clock": clock, "listener": heard.append}
        cache = JWKSCache(endpoint.url if source is None else source, **(expected | arguments))
        made.append(cache)
        return Watched(cache, heard)

    yield make
    for cache in made:
        cache.close()

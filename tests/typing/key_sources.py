"""Checked, never run: what whoever brings keys of their own sees of the types, wrong uses included."""

from __future__ import annotations

from typing import assert_type

import keyvault_jwt as kj
from keyvault_jwt.cache import Health, Lifetime, Loaded, Source
from keyvault_jwt.discovery import discovered_cache
from keyvault_jwt.jwks import JWKSet
from keyvault_jwt.keyset import KeySet


class Elsewhere:
    """A source of a caller's own."""

    name = identity = "elsewhere"

    def load(self, tag: str | None, previous: Lifetime | None) -> Loaded:
        """Return an empty set."""
        return Loaded(JWKSet(()), previous, tag)


source: Source = Elsewhere()
cache = kj.JWKSCache(Elsewhere())
assert_type(discovered_cache("https://id.example"), kj.JWKSCache)
with cache as entered:
    assert_type(entered, kj.JWKSCache)
assert_type(cache.current(), KeySet | None)
assert_type(cache.health(), Health)

kj.JWKSCache(7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

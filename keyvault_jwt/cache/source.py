"""Where a cache's sets come from: one method, and two that answer it."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import msgspec

from .. import jwks
from ..clock import Milliseconds
from ..errors import FetchError, UsageError
from ..fetch import get
from ..jwks import JWKSet
from ..web_address import WebAddress
from .freshness import Bounds, Lifetime, lifetime_of


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a source gave: `keys` is None when they are those of `tag` still.

    `lifetime` is None for a set that never grows old; `revoked` holds the kids and thumbprints
    that the source says are revoked, which are denied from then on and for good.
    """

    keys: JWKSet | None
    lifetime: Lifetime | None
    tag: str | None = None
    revoked: frozenset[str] = frozenset()


class Source(Protocol):
    """Something that has a JWK Set.

    The promise: `load` returns or raises within a bounded time, and what it returns was the
    source's answer at some moment after the call.
    """

    @property
    def name(self) -> str:
        """What events and messages call it: never a credential."""
        ...

    @property
    def identity(self) -> str:
        """What tells its persisted state from other sources'; hashed before it is used."""
        ...

    def load(self, tag: str | None, previous: Lifetime | None) -> Loaded:
        """Return the set; `tag` and `previous` are those of the last one.  Raises any of our errors."""
        ...


class WebSource:
    """A JWKS endpoint."""

    def __init__(
        self,
        address: WebAddress,
        *,
        bounds: Bounds,
        timeout: Milliseconds,
        max_bytes: int,
        max_keys: int,
        headers: Mapping[str, str] | None,
        tls: ssl.SSLContext | None,
    ) -> None:
        if {name.lower() for name in headers or ()} & {
            "host",
            "accept-encoding",
            "connection",
            "if-none-match",
        }:
            raise UsageError("a header among `headers` is set by the cache itself")
        self._address, self._bounds, self._timeout = address, bounds, timeout
        self._max_bytes, self._max_keys, self._headers, self._tls = max_bytes, max_keys, headers or {}, tls

    @property
    def name(self) -> str:
        """The URL without its query."""
        return str(self._address)

    @property
    def identity(self) -> str:
        """The URL, its query included."""
        return f"{self._address}?{self._address.query}"

    def load(self, tag: str | None, previous: Lifetime | None) -> Loaded:
        """Fetch the set; raises `FetchError`, `CorruptDocument` or `DocumentTooLarge`."""
        if self._tls is None and self._address.scheme == "https":
            # Made once: reading the system's certificates takes longer than a fetch.
            self._tls = ssl.create_default_context()
        response = get(
            self._address,
            timeout=self._timeout / 1000,
            headers={**self._headers, **({"If-None-Match": tag} if tag else {})},
            max_body=self._max_bytes,
            tls=self._tls,
        )
        lifetime = lifetime_of(response.headers, self._bounds, previous)
        if response.status != 304:
            parsed = jwks.parse(response.body, max_bytes=self._max_bytes, max_keys=self._max_keys)
            return Loaded(parsed, lifetime, _tag(response.headers))
        if not tag:
            raise FetchError(f"can't fetch {self.name}", why='it answers "not modified" to a first question')
        return Loaded(None, lifetime, tag)


def _tag(headers: Mapping[str, str]) -> str | None:
    tag = headers.get("etag", "")
    return tag if 0 < len(tag) <= 256 and tag.isascii() and tag.isprintable() else None


class DocumentSource:
    """A JWK Set that is here already and never changes."""

    name = identity = "a given document"

    def __init__(self, document: bytes | str | Mapping[str, object], *, allow_symmetric: bool) -> None:
        if isinstance(document, str):
            document = document.encode()
        data = document if isinstance(document, bytes) else msgspec.json.encode(document)
        self._keys = jwks.parse(data, allow_symmetric=allow_symmetric)

    def load(self, tag: str | None, previous: Lifetime | None) -> Loaded:  # noqa: ARG002
        """Return the set."""
        return Loaded(self._keys, None)

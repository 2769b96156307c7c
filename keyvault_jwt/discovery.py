"""An issuer's key set found through its metadata (OpenID Connect Discovery 1.0, RFC 8414)."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import Final

import msgspec

from . import events, jwks
from .cache import WAITING_THREADS, JWKSCache, Lifetime, Loaded
from .cache.freshness import Bounds
from .cache.source import WebSource
from .clock import Clock, Milliseconds, SystemClock
from .duration import milliseconds
from .errors import BadURL, DiscoveryError, FetchError
from .events import Listener
from .fetch import get
from .web_address import Reach, WebAddress, web_address

_SYSTEM_CLOCK: Final = SystemClock()
_MAX_METADATA: Final = 262_144
_OPENID, _OAUTH = "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"
_REDISCOVER: Milliseconds = 3_600_000
"""How long a `jwks_uri` is believed: an issuer may move it."""


@dataclass(frozen=True, slots=True)
class Access:
    """How far discovery may reach; `timeout` is for all its requests together.

    A `jwks_uri` is somebody else's word, so it may not lead to a private address unless
    `allow_private`; the issuer itself is the operator's own and may.
    """

    timeout: timedelta = timedelta(seconds=5)
    tls: ssl.SSLContext | None = field(default=None, repr=False)
    allow_plain_http: bool = False
    allow_private: bool = False


_DEFAULT_ACCESS: Final = Access()


@dataclass(frozen=True, slots=True)
class Metadata:
    """What an issuer says of itself, as far as a verifier asks."""

    issuer: str
    jwks_uri: WebAddress


class _Document(msgspec.Struct):
    issuer: str
    jwks_uri: str


_DOCUMENT: Final = msgspec.json.Decoder(_Document)


def discover(issuer: str, access: Access = _DEFAULT_ACCESS) -> Metadata:
    """Return the issuer's metadata, from where OpenID Connect or else OAuth puts it.

    Raises `BadURL` for an issuer that can't be one, `FetchError`, and `DiscoveryError` when
    the metadata is malformed, or of another issuer than exactly this one (OpenID Connect
    Discovery section 4.3, RFC 8414 section 3.3).
    """
    base = web_address(issuer, allow_plain_http=access.allow_plain_http)
    if "?" in issuer or "#" in issuer:
        raise BadURL("an issuer has neither query nor fragment", why="RFC 8414 section 2")
    deadline = monotonic() + access.timeout.total_seconds()
    path = base.path.rstrip("/")
    try:
        body = _fetch(base, path + _OPENID, access, deadline)
    except FetchError as openid:
        try:
            body = _fetch(base, _OAUTH + path, access, deadline)
        except FetchError:
            raise openid from None
    return _read(issuer, body, access)


def _fetch(base: WebAddress, path: str, access: Access, deadline: float) -> bytes:
    left = max(0.0, deadline - monotonic())
    return get(replace(base, path=path), timeout=left, max_body=_MAX_METADATA, tls=access.tls).body


def _read(issuer: str, body: bytes, access: Access) -> Metadata:
    try:
        found = _DOCUMENT.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise DiscoveryError(
            f"the metadata of {issuer} can't be used", why="it is not JSON with issuer and jwks_uri"
        ) from None
    if found.issuer != issuer:
        raise DiscoveryError(
            f"the metadata of {issuer} is another issuer's",
            why=f"it says {found.issuer[:200]!r}, and must say exactly what was asked for",
            fix="configure the issuer as it writes itself, trailing slash included",
        )
    reach = Reach.ANYWHERE if access.allow_private else Reach.PUBLIC
    try:
        return Metadata(
            issuer, web_address(found.jwks_uri, reach=reach, allow_plain_http=access.allow_plain_http)
        )
    except BadURL as error:
        raise DiscoveryError(f"the jwks_uri of {issuer} is refused", why=error.what, fix=error.fix) from None


class DiscoveredSource:
    """The key set that an issuer's metadata points to; asked for again when fetching it fails."""

    def __init__(self, issuer: str, access: Access, bounds: Bounds, clock: Clock) -> None:
        web_address(issuer, allow_plain_http=access.allow_plain_http)
        self.name = self.identity = issuer
        self._access, self._bounds, self._clock = access, bounds, clock
        self._keys: WebSource | None = None
        self._until: Milliseconds = 0

    def load(self, tag: str | None, previous: Lifetime | None) -> Loaded:
        """Fetch the set, and first the metadata where that is due; raises as `discover`."""
        keys = self._keys
        if keys is None or self._clock.monotonic() >= self._until:
            # Another URL's tag means nothing to this one.
            keys, tag = self._found(), None
        try:
            return keys.load(tag, previous)
        except FetchError:
            self._keys = None
            raise

    def _found(self) -> WebSource:
        address = discover(self.name, self._access).jwks_uri
        self._until = self._clock.monotonic() + _REDISCOVER
        self._keys = WebSource(
            address,
            bounds=self._bounds,
            timeout=milliseconds(self._access.timeout),
            max_bytes=jwks.MAX_BYTES,
            max_keys=jwks.MAX_KEYS,
            headers=None,
            tls=self._access.tls,
        )
        return self._keys


def discovered_cache(
    issuer: str,
    *,
    access: Access = _DEFAULT_ACCESS,
    clock: Clock = _SYSTEM_CLOCK,
    listener: Listener = events.log,
    state: Path | None = None,
    cooldown: timedelta = timedelta(seconds=10),
    min_ttl: timedelta = timedelta(seconds=10),
    default_ttl: timedelta = timedelta(minutes=5),
    max_ttl: timedelta = timedelta(hours=1),
    max_stale: timedelta = timedelta(hours=1),
    waiting_threads: int = WAITING_THREADS,
) -> JWKSCache:
    """Return a cache of the set that the issuer's metadata points to; nothing is fetched yet.

    The other arguments are those of `JWKSCache`.  Raises `BadURL`.
    """
    bounds = Bounds.of(min_ttl=min_ttl, default_ttl=default_ttl, max_ttl=max_ttl, max_stale=max_stale)
    return JWKSCache(
        DiscoveredSource(issuer, access, bounds, clock),
        clock=clock,
        listener=listener,
        state=state,
        # Metadata and set may each take the whole of it.
        timeout=2 * access.timeout,
        cooldown=cooldown,
        min_ttl=min_ttl,
        max_ttl=max_ttl,
        max_stale=max_stale,
        waiting_threads=waiting_threads,
    )

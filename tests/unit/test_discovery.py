"""Discovery: an issuer's keys by way of its metadata, which must be its own and lead nowhere private."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import msgspec
import pytest

from keyvault_jwt.discovery import Access, discover, discovered_cache
from keyvault_jwt.errors import BadURL, DiscoveryError, FetchError
from keyvault_jwt.testing.fake_clock import FakeClock

from .conftest import Answer, Endpoint, Request, TestKey, jwk_set, plain

MakeKey = Callable[..., TestKey]
HERE = Access(timeout=timedelta(seconds=20), allow_private=True)
OPENID, OAUTH = "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"


def site(endpoint: Endpoint, pages: dict[str, Any]) -> None:
    """Serve these pages by path, everything else being 404."""
    answers: dict[str, Answer] = {
        path: plain(page if isinstance(page, bytes) else msgspec.json.encode(page))
        for path, page in pages.items()
    }

    def answer(request: Request, handler: BaseHTTPRequestHandler) -> None:
        answers.get(request.path, plain(b"", 404))(request, handler)

    endpoint.answer = answer


def metadata(endpoint: Endpoint, path: str = "", **changes: Any) -> dict[str, Any]:
    """Return good metadata for the issuer at this path."""
    return {"issuer": endpoint.url + path, "jwks_uri": f"{endpoint.url}/keys", "other": [1]} | changes


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("", OPENID),
        ("/", OPENID),
        ("/tenant", "/tenant" + OPENID),
        ("/tenant/", "/tenant" + OPENID),
        ("", OAUTH),
        ("/tenant", OAUTH + "/tenant"),
    ],
)
def test_metadata_is_found(endpoint: Endpoint, path: str, place: str) -> None:
    """Metadata is looked for where OpenID Connect puts it, and then where RFC 8414 does."""
    site(endpoint, {place: metadata(endpoint, path)})
    found = discover(endpoint.url + path, HERE)
    assert (found.issuer, str(found.jwks_uri)) == (endpoint.url + path, f"{endpoint.url}/keys")


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": "https://evil.example"},
        {"issuer": None},
        {"issuer": ["http://127.0.0.1"]},
        {"jwks_uri": None},
        {"jwks_uri": 7},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": "http://id.example/keys"},
        {"jwks_uri": "https://user:pw@id.example/keys"},
    ],
    ids=str,
)
def test_metadata_that_can_not_be_trusted(endpoint: Endpoint, wrong: dict[str, Any]) -> None:
    """Another issuer's metadata, or a jwks_uri that is no HTTPS URL, is refused."""
    site(endpoint, {OPENID: metadata(endpoint, **wrong)})
    with pytest.raises(DiscoveryError):
        discover(endpoint.url, HERE)


def test_issuer_is_compared_exactly(endpoint: Endpoint) -> None:
    """A trailing slash too many or too few is another issuer."""
    site(endpoint, {OPENID: metadata(endpoint, "/")})
    with pytest.raises(DiscoveryError, match="another issuer"):
        discover(endpoint.url, HERE)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b"[" * 100_000, b"x" * 300_000], ids=range(6))
def test_what_is_no_metadata(endpoint: Endpoint, body: bytes) -> None:
    """A page that is no JSON object with both members, or too long, is refused."""
    site(endpoint, {OPENID: body, OAUTH: body})
    with pytest.raises(FetchError):
        discover(endpoint.url, HERE)


@pytest.mark.parametrize(
    "issuer", ["http://id.example", "https://id.example?a=b", "https://id.example#f", "x"]
)
def test_what_is_no_issuer(issuer: str) -> None:
    """An issuer is an HTTPS URL without query or fragment."""
    with pytest.raises(BadURL):
        discover(issuer)
    if "example?" not in issuer and "#" not in issuer:
        with pytest.raises(BadURL):
            discovered_cache(issuer)


def test_nothing_private_unless_allowed(endpoint: Endpoint, clock: FakeClock) -> None:
    """A jwks_uri on a private address gets no request, whatever its name says, unless that is allowed."""
    for host in ("127.0.0.1", "localhost"):
        site(endpoint, {OPENID: metadata(endpoint, jwks_uri=f"https://{host}:{endpoint.port}/keys")})
        cache = discovered_cache(endpoint.url, access=Access(timeout=timedelta(seconds=20)), clock=clock)
        with cache, pytest.raises(FetchError, match="not allowed"):
            cache.refresh()
    site(endpoint, {OPENID: metadata(endpoint)})
    with discovered_cache(endpoint.url, clock=clock) as cache, pytest.raises(DiscoveryError):
        cache.refresh()
    assert not [request for request in endpoint.requests if request.path == "/keys"]


def test_keys_by_way_of_metadata(endpoint: Endpoint, make_key: MakeKey, clock: FakeClock) -> None:
    """The cache asks for metadata once an hour, and for keys as often as they ask for it."""
    key = make_key("ES256", 0)
    site(endpoint, {OPENID: metadata(endpoint), "/keys": jwk_set(key.jwk())})
    with discovered_cache(endpoint.url, access=HERE, clock=clock) as cache:
        assert endpoint.requests == []
        assert cache.find(None, None).has(key.kid)
        cache.refresh()
        assert [request.path for request in endpoint.requests] == [OPENID, "/keys", "/keys"]
        clock.advance(timedelta(hours=1))
        cache.refresh()
        assert [request.path for request in endpoint.requests[3:]] == [OPENID, "/keys"]
        assert cache.health().state == "fresh"


def test_keys_that_move(endpoint: Endpoint, make_key: MakeKey, clock: FakeClock) -> None:
    """When keys can't be fetched any more, the metadata is asked anew, without their ETag."""
    key = make_key("ES256", 0)
    tagged = plain(jwk_set(), ETag='"old"')
    site(endpoint, {OPENID: metadata(endpoint)})
    pages = endpoint.answer

    def with_keys(request: Request, handler: BaseHTTPRequestHandler) -> None:
        (tagged if request.path == "/keys" else pages)(request, handler)

    endpoint.answer = with_keys
    with discovered_cache(endpoint.url, access=HERE, clock=clock) as cache:
        cache.refresh()
        moved = metadata(endpoint, jwks_uri=f"{endpoint.url}/new")
        site(endpoint, {OPENID: moved, "/new": jwk_set(key.jwk())})
        with pytest.raises(FetchError):
            cache.refresh()
        cache.refresh()
        current = cache.current()
        assert current is not None
        assert current.has(key.kid)
        assert [request.path for request in endpoint.requests[2:]] == ["/keys", OPENID, "/new"]
        assert "if-none-match" in endpoint.requests[2].headers
        assert "if-none-match" not in endpoint.requests[-1].headers


def test_bounds_hold_for_a_kept_set(endpoint: Endpoint, clock: FakeClock, tmp_path: Path) -> None:
    """A set kept in `state` serves as long as the cache's bounds allow, longer or shorter than the usual."""
    day = timedelta(days=1)
    tagged = plain(jwk_set(), **{"Cache-Control": "max-age=86400, stale-if-error=86400"})
    endpoint.answer = lambda request, handler: (
        tagged if request.path == "/keys" else plain(msgspec.json.encode(metadata(endpoint)))
    )(request, handler)
    usual: dict[str, Any] = {"access": HERE, "clock": clock, "state": tmp_path}
    with discovered_cache(endpoint.url, **usual, max_ttl=day, max_stale=day) as cache:
        cache.refresh()
    site(endpoint, {})
    clock.advance(2 * day - timedelta(milliseconds=1))
    with (
        discovered_cache(endpoint.url, **usual, max_ttl=day, max_stale=day) as same,
        discovered_cache(endpoint.url, **usual, max_ttl=day, max_stale=timedelta(0)) as less,
    ):
        assert same.current() is not None
        assert less.current() is None

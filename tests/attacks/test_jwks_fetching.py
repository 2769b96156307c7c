"""Attacks on the way to the keys: where they are fetched from, how often, and what is kept of them."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import msgspec
import pytest

from keyvault_jwt.cache import JWKSCache
from keyvault_jwt.discovery import Access, discovered_cache
from keyvault_jwt.errors import BadURL, DiscoveryError, FetchError, KeyvaultJWTError
from keyvault_jwt.multi_issuer import MultiIssuer
from keyvault_jwt.pyjwt_compat import PyJWKClient
from keyvault_jwt.testing.fake_clock import FakeClock
from keyvault_jwt.verification_errors import KeysUnavailable, UnknownKey
from keyvault_jwt.verifier import Verifier
from tests.attacks.conftest import AUDIENCE, ISSUER, MakeKey, Tripwire, segment, verdict
from tests.troubles import TROUBLES, Trouble
from tests.unit.conftest import Endpoint, Request, jwk_set, plain
from tests.waiting import until

BURST, COOLDOWN = 5, timedelta(seconds=10)


def verifier_over(cache: JWKSCache, clock: FakeClock, **changes: Any) -> Verifier:
    """Return a verifier of our issuer's ES256 tokens by this cache."""
    expected: dict[str, Any] = {"issuer": ISSUER, "audience": AUDIENCE, "algorithms": ["ES256"]}
    return Verifier(cache, clock=clock, **(expected | changes))


SCHEMES = [
    *(
        "file:///etc/passwd",
        "FILE:///etc/passwd",
        "file://localhost/etc/passwd",
        "//127.0.0.1/keys",
        "/keys",
        "keys",
    ),
    *(
        "ftp://127.0.0.1/keys",
        "gopher://127.0.0.1/",
        "data:application/json,{}",
        "jar:http://127.0.0.1!/k",
        "ws://h/",
    ),
    *(
        "http://id.example/keys",
        "http://10.0.0.1/keys",
        "http://169.254.169.254/latest/meta-data",
        "http://[fd00::1]/k",
    ),
    *(
        "http://127.0.0.1.evil.example/",
        "http://localhost.evil.example/",
        "http://evil.example#@127.0.0.1/",
        "unix:/s",
    ),
    *(
        "http://127.0.0.1@evil.example/",
        "https://user:pw@id.example/",
        "https://",
        "https:///keys",
        "",
        " ",
        "https:x",
    ),
    *(
        "https://id.example/\r\nHost: evil",
        "https://id.example/a b",
        "https://id.\u0435xample/",
        "https://[::1",
        "\x00",
    ),
]


@pytest.mark.parametrize("url", SCHEMES, ids=ascii)
def test_schemes_that_are_no_https(url: str) -> None:
    """Keys come by HTTPS, or from this very machine: no file, no other scheme, no plain HTTP from elsewhere.

    CVE-2026-48522 (PyJWT): with it a file that an attacker may write is the key set.  CVE-2024-21643 (.NET).
    """
    with pytest.raises(BadURL):
        JWKSCache(url)
    with pytest.raises(BadURL):
        PyJWKClient(url)
    with pytest.raises(BadURL):
        discovered_cache(url)


@pytest.mark.parametrize("status", [300, 301, 302, 303, 305, 307, 308])
def test_redirects(
    endpoint: Endpoint, make_key: MakeKey, claims: dict[str, Any], clock: FakeClock, status: int
) -> None:
    """A redirect is a failed fetch: its target sees neither a request nor our headers, and gives no keys.

    CVE-2026-102267 (PyJWT), GHSA-h5rg-8p7f-47g2 (SurrealDB): with them who can redirect the endpoint gets the
    credentials, chooses the keys, and reaches addresses that are refused when asked for directly.
    """
    good, evil = make_key("ES256", 0), make_key("ES256", 1)
    endpoint.publish(good.jwk())
    elsewhere = Endpoint()
    elsewhere.publish(evil.jwk())
    try:
        secret = {"Authorization": "Bearer secret"}
        with JWKSCache(endpoint.url, clock=clock, headers=secret) as cache:
            verifier = verifier_over(cache, clock)
            assert verifier.verify(good.token(claims)) == claims
            for target in (elsewhere.url, elsewhere.url.replace("http:", ""), "file:///etc/passwd", "/again"):
                endpoint.answer = plain(jwk_set(evil.jwk()), status, Location=target)
                with pytest.raises(FetchError):
                    cache.refresh()
                assert verifier.verify(good.token(claims)) == claims
                assert verdict(verifier, evil.token(claims)) == "key_unknown"
        assert elsewhere.requests == []
        assert {request.path for request in endpoint.requests} == {"/"}
    finally:
        elsewhere.close()


HOSTS = [
    *("127.0.0.1", "localhost", "LOCALHOST", "127.1", "127.0.1", "2130706433", "0x7f000001"),
    *("0177.0.0.1", "0x7f.0.0.1", "0.0.0.0", "0", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::]"),
    *("[0:0:0:0:0:0:0:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "127.255.255.254"),
]


@pytest.mark.parametrize("host", HOSTS)
def test_learned_address_leads_nowhere_private(
    endpoint: Endpoint, clock: FakeClock, tripwire: Tripwire, host: str
) -> None:
    """A `jwks_uri` that metadata names leads to no private address, in whatever spelling.

    CVE-2024-21643 (.NET) and server-side request forgery at large (RFC 8725 section 3.10): with it whoever
    writes the metadata knocks at every door of the inner network.
    """
    for scheme in ("https", "http"):
        uri = f"{scheme}://{host}:{tripwire.port}/keys"
        endpoint.answer = plain(msgspec.json.encode({"issuer": endpoint.url, "jwks_uri": uri}))
        access = Access(timeout=timedelta(seconds=20))
        with discovered_cache(endpoint.url, access=access, clock=clock) as cache:
            verifier = verifier_over(cache, clock)
            with pytest.raises(KeysUnavailable):
                verifier.verify("eyJhbGciOiJFUzI1NiJ9.e30.AAAA")
            with pytest.raises((FetchError, DiscoveryError)):
                cache.refresh()
    assert {request.path for request in endpoint.requests} == {"/.well-known/openid-configuration"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": "https://evil.example"},
        {"issuer": ["ISSUER"]},
        {"issuer": "ISSUER/"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": "data:application/json,{}"},
        {"jwks_uri": ["https://id.example/keys"]},
        {"jwks_uri": "https://id.example@127.0.0.1/keys"},
    ],
    ids=str,
)
def test_metadata_of_somebody_else(endpoint: Endpoint, clock: FakeClock, wrong: dict[str, Any]) -> None:
    """Metadata that is another issuer's, or leads off the web, gives no keys.

    CVE-2025-59936 (get-jwks), CVE-2026-48522 (PyJWT): with them one issuer speaks for another,
    or a file does.
    """
    page: dict[str, Any] = {"issuer": endpoint.url, "jwks_uri": f"{endpoint.url}/keys"}
    text = msgspec.json.encode(page | wrong).replace(b"ISSUER", endpoint.url.encode())
    endpoint.answer = plain(text)
    access = Access(timeout=timedelta(seconds=20), allow_private=True)
    with discovered_cache(endpoint.url, access=access, clock=clock) as cache, pytest.raises(DiscoveryError):
        cache.refresh()
    assert "/keys" not in {request.path for request in endpoint.requests}


def test_flood_of_unknown_kids(
    endpoint: Endpoint, make_key: MakeKey, claims: dict[str, Any], clock: FakeClock
) -> None:
    """Tokens with made-up kids cause a burst of requests, then one in each cooldown, however many come.

    CVE-2026-48524 and CVE-2026-101917 (PyJWT): with them each such token is a request to the issuer, same kid
    or another.
    """
    good = make_key("ES256", 0)
    endpoint.publish(good.jwk(), cache_control="max-age=3600")
    with JWKSCache(endpoint.url, clock=clock, cooldown=COOLDOWN) as cache:
        verifier = verifier_over(cache, clock)
        token = good.token(claims)
        assert verifier.verify(token) == claims
        for cooldowns in range(4):
            for number in range(500):
                for kid in ("the same", f"{cooldowns}-{number}"):
                    with pytest.raises(UnknownKey):
                        verifier.verify(good.token(claims, kid=kid) if number < 3 else forged(token, kid))
                assert verifier.verify(token) == claims
            assert len(endpoint.requests) <= 1 + BURST + cooldowns
            clock.advance(COOLDOWN)


def forged(token: str, kid: str) -> str:
    """Return a token with this kid and a signature that is none."""
    header = segment({"alg": "ES256", "kid": kid})
    return ".".join([header, *token.split(".")[1:]])


def test_flood_while_the_source_fails(
    endpoint: Endpoint, make_key: MakeKey, claims: dict[str, Any], clock: FakeClock
) -> None:
    """While the endpoint fails, made-up kids neither empty the cache nor keep asking, and known keys serve.

    CVE-2026-48524 (PyJWT): with it the failed fetch that a made-up kid causes throws the good keys away.
    """
    good = make_key("ES256", 0)
    endpoint.publish(good.jwk(), cache_control="max-age=3600, stale-if-error=600")
    with JWKSCache(endpoint.url, clock=clock, cooldown=COOLDOWN) as cache:
        verifier = verifier_over(cache, clock)
        token = good.token(claims | {"exp": claims["exp"] + 100_000})
        verifier.verify(token)
        for answer in (plain(b"", 500), plain(b"", 429), plain(b"<html>"), plain(b"{}"), plain(b"[" * 9_999)):
            endpoint.answer = answer
            asked = len(endpoint.requests)
            for number in range(300):
                assert verdict(verifier, forged(token, f"{asked}-{number}")) == "key_unknown"
                assert verdict(verifier, token) == "accepted"
            assert len(endpoint.requests) <= asked + 1
            clock.advance(timedelta(minutes=5))
        assert cache.health().kids == (good.kid,)


def test_source_that_fails_under_way(
    endpoint: Endpoint, make_key: MakeKey, claims: dict[str, Any], clock: FakeClock
) -> None:
    """Made-up kids that wait for a request which then fails cause no further one: it counts for them, too.

    CVE-2026-48524 and CVE-2026-101917 (PyJWT): with them each of those who wait asks the source anew, just
    when it can bear that least.
    """
    good = make_key("ES256", 0)
    endpoint.publish(good.jwk(), cache_control="max-age=3600")
    gate, entered = threading.Event(), threading.Event()

    def fail(request: Request, handler: BaseHTTPRequestHandler) -> None:
        entered.set()
        gate.wait(30)
        plain(b"", 503)(request, handler)

    with JWKSCache(endpoint.url, clock=clock, timeout=timedelta(seconds=30)) as cache:
        verifier = verifier_over(cache, clock)
        token = good.token(claims)
        verifier.verify(token)
        endpoint.answer = fail
        with ThreadPoolExecutor(9) as pool:
            cache._refresher.prompt()
            until(entered.is_set)
            found = [pool.submit(verdict, verifier, forged(token, f"made-up-{n}")) for n in range(8)]
            until(lambda: cache._waiting_room._waiting == 8)
            gate.set()
            assert {each.result(30) for each in found} == {"key_unknown"}
        assert verdict(verifier, token) == "accepted"
        assert len(endpoint.requests) == 2


def test_known_keys_do_not_wait(
    endpoint: Endpoint, make_key: MakeKey, claims: dict[str, Any], clock: FakeClock
) -> None:
    """While the endpoint hangs and strangers wait for it, tokens of known keys are verified at once.

    CVE-2026-48524 (PyJWT): with it the requests for made-up kids hold up those of everybody.
    """
    good = make_key("ES256", 0)
    endpoint.publish(good.jwk(), cache_control="max-age=3600")
    gate, entered = threading.Event(), threading.Event()

    def hang(request: Request, handler: BaseHTTPRequestHandler) -> None:
        entered.set()
        gate.wait(30)
        plain(jwk_set(good.jwk()))(request, handler)

    with JWKSCache(endpoint.url, clock=clock, timeout=timedelta(seconds=30)) as cache:
        verifier = verifier_over(cache, clock)
        token = good.token(claims)
        verifier.verify(token)
        endpoint.answer = hang
        found: list[str] = []
        strangers = [
            threading.Thread(
                target=lambda kid: found.append(verdict(verifier, forged(token, kid))), args=(kid,)
            )
            for kid in ("a", "b", "c", "d", "e", "f", "g", "h")
        ]
        for stranger in strangers:
            stranger.start()
        try:
            until(entered.is_set)
            # Nobody has opened the gate: these come back without it, or the test would not go on.
            for _ in range(200):
                assert verifier.verify(token) == claims
            assert not gate.is_set()
        finally:
            gate.set()
            for stranger in strangers:
                stranger.join()
        assert found == ["key_unknown"] * 8


@pytest.mark.parametrize("trouble", TROUBLES)
def test_known_keys_do_not_wait_in_any_trouble(
    endpoint: Endpoint, make_key: MakeKey, claims: dict[str, Any], clock: FakeClock, trouble: Trouble
) -> None:
    """Past its refresh time a set serves threads and event loops at once, whatever the endpoint does.

    CVE-2026-48524 (PyJWT): with it the requests for made-up kids hold up those of everybody.
    """
    good = make_key("ES256", 0)
    endpoint.publish(good.jwk(), cache_control="max-age=30")
    with JWKSCache(endpoint.url, clock=clock, timeout=timedelta(hours=1)) as cache:
        verifier = verifier_over(cache, clock)
        token = good.token(claims)
        verifier.verify(token)
        with ThreadPoolExecutor(8) as pool, trouble(endpoint):
            clock.advance(timedelta(seconds=31))
            assert at_once(verifier.averify(token)) == claims
            until(lambda: cache._refresher.under_way or cache.health().failures)
            found = [pool.submit(verdict, verifier, forged(token, f"made-up-{n}")) for n in range(8)]
            until(lambda: all(each.running() or each.done() for each in found))
            # The trouble lasts: these come back without its end, or the test would not go on.
            for _ in range(100):
                assert verifier.verify(token) == claims
                assert at_once(verifier.averify(token)) == claims
        assert {each.result(30) for each in found} == {"key_unknown"}


def at_once(call: Coroutine[object, None, Any]) -> Any:
    """Return what a coroutine returns that never gives way; fail when it does."""
    with closing(call), pytest.raises(StopIteration) as done:
        call.send(None)
    return done.value.value


def test_withdrawn_key_does_not_stay(
    endpoint: Endpoint, make_key: MakeKey, claims: dict[str, Any], clock: FakeClock
) -> None:
    """A key that the issuer took out of its set is out with the next fetch, though it was never replaced.

    CVE-2025-22149 (jwkset): with it a fetched set is added to the old one, so a stolen key signs for ever.
    CVE-2026-50202 (Steeltoe): with it a key once seen is kept till the process ends.
    """
    stolen, other = make_key("ES256", 0), make_key("ES256", 1)
    endpoint.publish(stolen.jwk(), other.jwk())
    with JWKSCache(endpoint.url, clock=clock) as cache:
        verifier = verifier_over(cache, clock, remember=9)
        assert verdict(verifier, stolen.token(claims)) == "accepted"
        for left in ([other.jwk()], []):
            endpoint.publish(*left)
            cache.refresh()
            assert verdict(verifier, stolen.token(claims)) == "key_unknown"
        endpoint.publish(stolen.jwk())
        cache.refresh()
        assert verdict(verifier, other.token(claims)) == "key_unknown"


def test_kid_of_another_issuer(make_key: MakeKey, claims: dict[str, Any], clock: FakeClock) -> None:
    """Two issuers may use one kid: each one's tokens are verified by its own key, never by the other's.

    CVE-2026-50202 (Steeltoe), CVE-2025-59936 (get-jwks): with them keys are kept by kid alone, and who is
    first, or who is evil, speaks for both.
    """
    keys = {ISSUER: make_key("ES256", 0), "https://evil.example": make_key("ES256", 1)}
    sites = {issuer: Endpoint() for issuer in keys}
    caches = {issuer: JWKSCache(site.url, clock=clock) for issuer, site in sites.items()}
    try:
        for issuer, site in sites.items():
            site.publish(keys[issuer].jwk(kid="1"))
        several = MultiIssuer(verifier_over(cache, clock, issuer=issuer) for issuer, cache in caches.items())
        for issuer in (*keys, *reversed(keys)):
            for signer, key in keys.items():
                found = verdict(several, key.token(claims | {"iss": issuer}, kid="1"))
                assert found == ("accepted" if signer == issuer else "signature_invalid")
    finally:
        for cache in caches.values():
            cache.close()
        for site in sites.values():
            site.close()


@pytest.mark.parametrize("name", ["long", "compressed", "unasked compression", "many keys"])
def test_answers_that_are_too_much(
    endpoint: Endpoint, make_key: MakeKey, claims: dict[str, Any], clock: FakeClock, name: str
) -> None:
    """A set that is too long, too many, or compressed is a failed fetch, and the last good one serves on.

    The way of CVE-2024-28180 (go-jose) and its kin, over HTTP: with it a small answer fills the memory.
    """
    good = make_key("ES256", 0)
    endpoint.publish(good.jwk())
    padded = jwk_set(good.jwk(), note="x" * 2_000_000)
    answers = {
        "long": plain(padded),
        "compressed": plain(gzip.compress(padded), **{"Content-Encoding": "gzip"}),
        "unasked compression": plain(gzip.compress(jwk_set(good.jwk())), **{"Content-Encoding": "gzip"}),
        "many keys": plain(jwk_set(*([{"kty": "x"}] * 1_001), good.jwk())),
    }
    with JWKSCache(endpoint.url, clock=clock) as cache:
        verifier = verifier_over(cache, clock)
        assert verifier.verify(good.token(claims)) == claims
        endpoint.answer = answers[name]
        with pytest.raises(KeyvaultJWTError, match=r"long|compressed|keys"):
            cache.refresh()
        assert verifier.verify(good.token(claims)) == claims


def test_file_in_place_of_a_site(tmp_path: Path, make_key: MakeKey) -> None:
    """A path or file URL is no source of keys, though the file is there and holds a good set.

    CVE-2026-48522 (PyJWT): with it `file://` is read like any URL.
    """
    place = tmp_path / "keys.json"
    place.write_bytes(jwk_set(make_key("ES256", 0).jwk()))
    for url in (place.as_uri(), str(place), f"file://localhost{place}", f"local_file://{place}"):
        with pytest.raises(BadURL):
            JWKSCache(url)
        with pytest.raises(BadURL):
            PyJWKClient(url, allow_plain_http=True)

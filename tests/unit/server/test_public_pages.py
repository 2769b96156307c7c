"""What verifiers get: sets with the promises that caches count on, and refusals that say little."""

from __future__ import annotations

import socket
from collections.abc import Callable
from urllib.parse import urlsplit

import jwt
import pytest

from keyvault_jwt.errors import StoreUnavailable
from keyvault_jwt.key_manager import KeyManager
from keyvault_jwt.policy import RotationPolicy
from keyvault_jwt.testing import FakeClock
from tests.faulty_store import FAST, FaultyStore
from tests.unit.server.conftest import ISSUER, Site
from tests.waiting import until

LEASE_MS = 1500


def test_a_set_goes_out_with_what_caches_need(site: Site, manager: KeyManager) -> None:
    """The keys, their origin, an ETag, C and G, and leave for pages of any origin to read it."""
    found = site.jwks()
    assert found.status_code == 200
    keyring = manager.keyring("payments")
    assert {key["kid"] for key in found.json()["keys"]} == {record.kid for record in keyring.records}
    assert found.json()["keyvault_jwt"]["revision"] == keyring.revision
    assert found.headers["cache-control"] == "public, max-age=1, stale-if-error=1"
    assert found.headers["content-type"] == "application/json"
    assert found.headers["access-control-allow-origin"] == "*"
    assert found.headers["etag"].startswith(f'"{keyring.epoch}-{keyring.revision}-')


def test_pyjwt_fetches_it(site: Site, manager: KeyManager) -> None:
    """PyJWT's own client takes the set as it is served."""
    client = jwt.PyJWKClient(str(site.client.base_url.join("/payments/.well-known/jwks.json")))
    assert {key.key_id for key in client.get_signing_keys()} == {
        record.kid for record in manager.keyring("payments").records
    }


def test_the_default_keyring_has_the_short_addresses(open_site: Callable[..., Site]) -> None:
    """Set and metadata of `default_ring` are at the root too; without such a keyring they are not."""
    site = open_site(default_ring="payments")
    assert site.get("/.well-known/jwks.json").content == site.jwks().content
    assert site.get("/.well-known/openid-configuration").json()["issuer"] == ISSUER
    assert open_site().get("/.well-known/jwks.json").status_code == 404


def test_head_answers_the_headers_alone(site: Site) -> None:
    """HEAD has GET's headers and no body."""
    head, get = site.client.head("/payments/.well-known/jwks.json"), site.jwks()
    assert head.status_code == 200
    assert head.content == b""
    for name in ("etag", "cache-control", "content-type", "content-length"):
        assert head.headers[name] == get.headers[name]


@pytest.mark.parametrize("form", ["{}", "W/{}", '"x", {}', '"x",W/{} , "y"', "*"])
def test_who_has_the_set_gets_304(site: Site, form: str) -> None:
    """If-None-Match with our ETag, weak or in a list, is answered without a body but with the promises."""
    first = site.jwks()
    again = site.jwks(If_None_Match=form.format(first.headers["etag"]))
    assert (again.status_code, again.content) == (304, b"")
    for name in ("etag", "cache-control", "access-control-allow-origin"):
        assert again.headers[name] == first.headers[name]


@pytest.mark.parametrize("form", ['"x"', "{bare}", '"{bare}x"', "", '"', "W/", "x" * 9_000, '"a"' * 3_000])
def test_who_has_another_set_gets_the_set(site: Site, form: str) -> None:
    """Anything but our ETag is answered in full, however it is written."""
    bare = site.jwks().headers["etag"].strip('"')
    assert site.jwks(If_None_Match=form.replace("{bare}", bare)).status_code == 200


def test_an_etag_may_stand_on_any_of_several_lines(site: Site) -> None:
    """If-None-Match sent as several fields is one list (RFC 9110 section 5.3)."""
    etag = site.jwks().headers["etag"]
    lines = [("if-none-match", '"x"'), ("if-none-match", etag)]
    assert site.client.get("/payments/.well-known/jwks.json", headers=lines).status_code == 304


def test_another_set_has_another_etag(site: Site, manager: KeyManager) -> None:
    """After a revocation the old ETag gets the new set, without the key."""
    before = site.jwks()
    kid = manager.keyring("payments").standbys("ES256")[0].kid
    manager.revoke("payments", kid, reason="leaked")
    site.refresh()
    after = site.jwks(If_None_Match=before.headers["etag"])
    assert after.status_code == 200
    assert kid not in after.text


def test_the_metadata_names_issuer_and_set(site: Site) -> None:
    """Discovery gives the keyring's issuer exactly, and the address of its set below it."""
    found = site.get("/payments/.well-known/openid-configuration")
    assert found.json() == {
        "issuer": ISSUER,
        "jwks_uri": f"{ISSUER}/.well-known/jwks.json",
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
    }
    assert found.headers["cache-control"] == "public, max-age=1, stale-if-error=1"
    assert found.headers["access-control-allow-origin"] == "*"


def test_a_symmetric_keyring_shows_no_key(manager: KeyManager, open_site: Callable[..., Site]) -> None:
    """Of an HS256 keyring an empty set goes out."""
    manager.create("hs", RotationPolicy(algorithm="HS256"), issuer=ISSUER)
    assert open_site().jwks("hs").json()["keys"] == []


# --- the lease ---------------------------------------------------------------------------------


def test_past_the_lease_there_is_no_answer(site: Site, store: FaultyStore, clock: FakeClock) -> None:
    """To the end of D the set goes out while the store is down; then 503, not to be kept, and when to ask."""
    store.failure = StoreUnavailable("canary at 10.0.0.7")
    clock.advance(LEASE_MS)
    site.refresh()
    assert site.jwks().status_code == 200
    clock.advance(1)
    for path in ("jwks.json", "openid-configuration"):
        late = site.get(f"/payments/.well-known/{path}")
        assert late.status_code == 503
        assert late.headers["retry-after"] == "1"
        assert late.headers["cache-control"] == "no-store"
        assert late.json()["code"] == "publisher_lease_expired"
        assert "canary" not in late.text
    store.failure = None
    clock.advance(1_000)
    site.refresh()
    assert site.jwks().status_code == 200


def test_one_keyring_past_its_lease_leaves_the_others_alone(
    manager: KeyManager, store: FaultyStore, clock: FakeClock, open_site: Callable[..., Site]
) -> None:
    """503 for the keyring that can't be read, 200 for the one that can."""
    manager.create("orders", FAST, issuer=ISSUER)
    site = open_site()
    store.broken = {"payments": StoreUnavailable("down")}
    clock.advance(LEASE_MS + 1)
    site.refresh()
    assert (site.jwks("payments").status_code, site.jwks("orders").status_code) == (503, 200)
    assert site.get("/readyz").status_code == 200


def test_nothing_is_known_until_the_names_are(store: FaultyStore, open_site: Callable[..., Site]) -> None:
    """With the store down from the start, no keyring is said not to exist: ask again."""
    store.failure = StoreUnavailable("down")
    site = open_site()
    assert site.jwks().status_code == 503
    assert site.jwks("other").status_code == 503


def test_health_and_readiness(site: Site, store: FaultyStore, clock: FakeClock) -> None:
    """Alive is alive; ready is when something can be served."""
    assert site.get("/readyz").json() == {"ready": True, "keyrings": 1}
    store.failure = StoreUnavailable("down")
    clock.advance(LEASE_MS + 1)
    late = site.get("/readyz")
    assert (late.status_code, late.json()) == (503, {"ready": False, "keyrings": 1})
    assert site.get("/healthz").status_code == 200


def test_a_server_of_an_empty_store_is_ready(open_site: Callable[..., Site]) -> None:
    """No keyring yet is no reason to be taken out of service."""
    assert open_site(source=FaultyStore()).get("/readyz").json() == {
        "ready": True,
        "keyrings": 0,
    }


# --- strangers ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/nobody/.well-known/jwks.json",
        "/%2e%2e/.well-known/jwks.json",
        "/PAYMENTS/.well-known/jwks.json",
        "/payments%00/.well-known/jwks.json",
        "/payments%2f/.well-known/jwks.json",
        "/" + "a" * 5_000 + "/.well-known/jwks.json",
        "/payments/.well-known/jwks.json/",
        "/payments/.well-known/",
        "/payments",
        "/nobody/.well-known/openid-configuration",
        "/favicon.ico",
    ],
)
def test_a_stranger_to_the_server_is_404_without_a_read(site: Site, store: FaultyStore, path: str) -> None:
    """Names and paths that there are not cost no look into the store, are not kept, and echo nothing."""
    store.reads.clear()
    listings = store.listings
    for _ in range(3):
        found = site.get(path)
        assert found.status_code == 404
    assert found.headers["cache-control"] == "no-store"
    assert found.headers["content-type"] == "application/problem+json"
    assert "nobody" not in found.text
    assert not store.reads
    assert store.listings == listings


def test_asking_often_reads_nothing(site: Site, store: FaultyStore) -> None:
    """However often a set is asked for, requests never read the store."""
    store.reads.clear()
    for _ in range(100):
        site.jwks()
    assert not store.reads


def test_a_store_that_hangs_holds_up_no_request(site: Site, store: FaultyStore, clock: FakeClock) -> None:
    """While every read hangs, sets, health and pages are answered, and past the lease refused, at once."""
    store.open.clear()
    clock.advance(1_000)
    reads = store.reads.total()
    try:
        until(lambda: store.reads.total() > reads)
        for path in ("/payments/.well-known/jwks.json", "/healthz", "/readyz", "/", "/metrics", "/verifiers"):
            assert site.get(path).status_code == 200
        clock.advance(LEASE_MS)
        assert site.jwks().status_code == 503
    finally:
        store.open.set()


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_only_reading_is_allowed(site: Site, method: str) -> None:
    """Other methods are 405, with the allowed ones named."""
    found = site.client.request(method, "/payments/.well-known/jwks.json")
    assert (found.status_code, found.json()["code"]) == (405, "method_not_allowed")
    assert set(found.headers["allow"].replace(" ", "").split(",")) == {"GET", "HEAD"}


@pytest.mark.parametrize("path", ["/", "/healthz", "/metrics", "/payments/.well-known/jwks.json", "/nobody"])
def test_every_answer_forbids_what_no_answer_needs(site: Site, path: str) -> None:
    """Sniffing, framing, referrers and loading from elsewhere are off on every answer; nobody is named."""
    headers = site.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "server" not in headers


def test_a_crash_says_nothing(open_site: Callable[..., Site], clock: FakeClock) -> None:
    """An error of our own is a bare 500."""
    site = open_site()
    publisher = site.fleet.publisher("payments")
    assert publisher is not None
    publisher.peek = lambda: 1 / 0  # type: ignore[method-assign]
    found = site.jwks()
    assert (found.status_code, found.json()["code"]) == (500, "error")
    assert "division" not in found.text


def test_a_request_that_is_no_http_ends_no_server(site: Site) -> None:
    """Bytes that are no request are refused, and the next request is answered."""
    address = urlsplit(str(site.client.base_url))
    assert address.hostname is not None
    with socket.create_connection((address.hostname, address.port or 0), timeout=30) as connection:
        connection.sendall(b"\x16\x03\x01" + b"\x00" * 200 + b"\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):
            pass
    assert site.get("/healthz").status_code == 200

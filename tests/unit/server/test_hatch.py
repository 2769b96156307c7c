"""The short way answers what the application would, and leaves to it what is not plain."""

from __future__ import annotations

import httpx
import pytest

from keyvault_jwt.errors import StoreUnavailable
from keyvault_jwt.key_manager import KeyManager
from keyvault_jwt.testing import FakeClock
from tests.faulty_store import FaultyStore
from tests.unit.server.twin import JWKS, Headers, Twin
from tests.waiting import until

LEASE_MS = 1500


def etag(twin: Twin) -> str:
    """Return the ETag of the set that goes out."""
    return httpx.get(f"{twin.address}{JWKS}").headers["etag"]


PLAIN: list[tuple[str, Headers]] = [
    (JWKS, ()),
    ("/.well-known/jwks.json", ()),
    ("/a.b-c_d/.well-known/jwks.json", ()),
    (JWKS, (("User-Agent", "a\x85b\xe9" + "c" * 100),)),
    (JWKS, (("iF-NONE-mATCH", "{}"), ("USER-agent", "odd"))),
    (JWKS, (("If-None-Match", '"\xe9\xff", {}'),)),
    *(
        (JWKS, (("If-None-Match", form), ("User-Agent", f"has {form}")))
        for form in ("{}", "W/{}", '"x", {}', "*", " * ", '"x"', "", "W/", '"a"' * 3_000)
    ),
]

OTHER_TARGETS = (
    *(f"{JWKS}?", f"{JWKS}?ring=a.b-c_d", f"{JWKS}/", f"/{JWKS}", f"{JWKS}#x", f"http://id.example{JWKS}"),
    "//.well-known/jwks.json",
    "/pay%6dents/.well-known/jwks.json",
    "/payments/%2ewell-known/jwks.json",
    "/payments/.well-known/JWKS.json",
    "/PAYMENTS/.well-known/jwks.json",
    "/payments%2f/.well-known/jwks.json",
    "/payments%00/.well-known/jwks.json",
    "/x/payments/.well-known/jwks.json",
    "/x/../payments/.well-known/jwks.json",
    "/nobody/.well-known/jwks.json",
    "/a..b/.well-known/jwks.json",
    "/" + "a" * 64 + "/.well-known/jwks.json",
    *("/payments/.well-known/openid-configuration", "/payments", "/healthz", "/nobody"),
)
OTHER_METHODS = ("HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND")
OTHER: list[tuple[str, str, Headers]] = [
    *(("GET", target, ()) for target in OTHER_TARGETS),
    *((method, JWKS, ()) for method in OTHER_METHODS),
    ("HEAD", JWKS, (("If-None-Match", "{}"),)),
    ("GET", JWKS, (("If-None-Match", '"x"'), ("If-None-Match", "{}"))),
    ("GET", JWKS, (("User-Agent", "one"), ("User-Agent", "two"))),
    ("GET", JWKS, (("Content-Length", "0"),)),
    ("GET", JWKS, (("Connection", "close"),)),
    ("GET", JWKS, (("Connection", "upgrade"), ("Upgrade", "websocket"))),
    ("GET", JWKS, (("Expect", "100-continue"),)),
]


def test_both_ways_answer_the_same(twins: tuple[Twin, Twin]) -> None:
    """Status, headers, body, counts and the table of verifiers are the application's, plain or not."""
    short, long = twins
    tag = etag(long)
    assert tag == etag(short)
    requests = [("GET", target, headers, True) for target, headers in PLAIN]
    requests += [(method, target, headers, False) for method, target, headers in OTHER]
    for method, target, headers, plain in requests:
        sent = tuple((name, value.replace("{}", tag)) for name, value in headers)
        answer, application = short.asks_application(method, target, sent)
        assert (answer, True) == long.asks_application(method, target, sent), (method, target, sent)
        assert application is not plain, (method, target, sent)
    tables = [httpx.get(f"{twin.address}/verifiers").json()["verifiers"] for twin in twins]
    assert tables[0] == tables[1]
    seen = {(row["ring"], row["held"] is not None) for row in tables[0]}
    assert seen == {("payments", True), ("payments", False), ("a.b-c_d", False)}
    counted = counts(short)
    assert counted == counts(long)
    routes = {line.split('route="')[1].split('"')[0] for line in counted}
    assert routes == {"jwks", "metadata", "healthz", "unmatched", "verifiers"}, "nothing that a client sent"


def counts(twin: Twin) -> list[str]:
    """Return how often each route was answered with each status."""
    lines = httpx.get(f"{twin.address}/metrics").text.splitlines()
    return [line for line in lines if line.startswith("keyvault_jwt_http_requests_total")]


@pytest.mark.parametrize(
    "head",
    [
        *(b"GET {}", b"GET {} HTTP/0.9", b"GET {} HTTP/1.0", b"GET {} HTTP/2.0", b"get {} HTTP/1.1"),
        *(b"GET {}\x00 HTTP/1.1", b"GET \xe9{} HTTP/1.1", b"GET {} HTTP/1.1\r\nHost : x"),
        *(b"GET {} HTTP/1.0\r\nConnection: keep-alive", b"GET {} HTTP/1.1\r\nA: b\r\n c"),
        *(
            b"%b HTTP/1.1\r\nHost: id.example\r\nConnection: close" % line
            for line in (b"HEAD {}", b"GET http://id.example{}", b"GET {}")
        ),
    ],
)
def test_both_ways_read_the_same(twins: tuple[Twin, Twin], head: bytes) -> None:
    """An old, a strange or a broken request has the same answer, and an end of the connection, on both."""
    answers = []
    for twin in twins:
        with twin.connect() as connection, connection.makefile("rb") as stream:
            connection.sendall(head.replace(b"{}", JWKS.encode()) + b"\r\n\r\n")
            answers.append(sorted(line for line in stream if not line.startswith(b"date:")))
    assert answers[0] == answers[1] != []


def test_both_ways_end_with_the_lease(twins: tuple[Twin, Twin], store: FaultyStore, clock: FakeClock) -> None:
    """The lease is checked at each request: one millisecond past it both refuse, in the same words."""
    store.failure = StoreUnavailable("down")
    clock.advance(LEASE_MS)
    assert [twin.asks_application("GET", JWKS, ())[0][0] for twin in twins] == [200, 200]
    clock.advance(1)
    for target in (JWKS, "/.well-known/jwks.json"):
        (one, application), (other, _) = (twin.asks_application("GET", target, ()) for twin in twins)
        assert one == other
        assert one[0] == 503
        assert application


def test_another_set_is_printed_anew(twins: tuple[Twin, Twin], manager: KeyManager, clock: FakeClock) -> None:
    """After a revocation the short way hands out the new set, as soon as it is read."""
    short, _ = twins
    tag, kid = etag(short), manager.keyring("payments").standbys("ES256")[0].kid
    manager.revoke("payments", kid, reason="leaked")
    clock.advance(1_000)
    with httpx.Client(base_url=short.address) as client:
        until(lambda: client.get(JWKS, headers={"If-None-Match": tag}).status_code == 200)
        assert kid not in client.get(JWKS).text
    assert short.reached == []

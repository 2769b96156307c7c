"""What operators look at: true, harmless, and bounded whatever clients send."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from prometheus_client.parser import text_string_to_metric_families

from keyvault_jwt.errors import StoreUnavailable
from keyvault_jwt.events import Event
from keyvault_jwt.key_manager import KeyManager
from keyvault_jwt.policy import RotationPolicy
from keyvault_jwt.server.alarm_book import AlarmBook
from keyvault_jwt.server.verifier_table import VerifierTable
from keyvault_jwt.testing import FakeClock
from tests.faulty_store import FAST, FaultyStore
from tests.unit.server.conftest import ISSUER, Site

LEASE_MS = 1500
HOSTILE = "https://id.example/\"'><script>alert(1)</script>"


class Elements(HTMLParser):
    """The elements of a page, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data


Series = dict[frozenset[tuple[str, str]], float]


def metrics(site: Site) -> dict[str, Series]:
    """Return the metrics by name without their prefix, each value by its labels."""
    found: dict[str, Series] = {}
    for family in text_string_to_metric_families(site.get("/metrics").text):
        for sample in family.samples:
            series = found.setdefault(sample.name.removeprefix("keyvault_jwt_"), {})
            series[frozenset(sample.labels.items())] = sample.value
    return found


def labels(**pairs: str) -> frozenset[tuple[str, str]]:
    return frozenset(pairs.items())


# --- metrics -----------------------------------------------------------------------------------


def test_metrics_tell_ages_leases_and_revisions(site: Site, manager: KeyManager, clock: FakeClock) -> None:
    """Each live key's age, the publisher's lease and revision, and when rotation is due."""
    clock.advance(1_000)
    found, keyring = metrics(site), manager.keyring("payments")
    active, ring = keyring.active, labels(ring="payments")
    assert active is not None
    assert active.activated is not None
    for record in keyring.records:
        of_key = labels(ring="payments", kid=record.kid, state=record.state.plain)
        assert found["key_age_seconds"][of_key] == 1.0
    assert found["key_signing_seconds"] == {labels(ring="payments", kid=active.kid): 1.0}
    assert found["keyring_revision"] == {ring: keyring.revision}
    assert found["publisher_lease_seconds"] == {ring: 1.5}
    assert found["publisher_serving"] == {ring: 1.0}
    assert found["rotation_due_timestamp_seconds"] == {ring: active.activated / 1000 + 6}


def test_metrics_tell_of_a_lease_that_ran_out(site: Site, store: FaultyStore, clock: FakeClock) -> None:
    """The gauge falls to 0 and the lease's age goes on growing."""
    store.failure = StoreUnavailable("down")
    clock.advance(LEASE_MS + 500)
    found = metrics(site)
    assert found["publisher_serving"] == {labels(ring="payments"): 0.0}
    assert found["publisher_lease_age_seconds"] == {labels(ring="payments"): 2.0}


def test_keys_that_went_leave_no_series(site: Site, manager: KeyManager, clock: FakeClock) -> None:
    """After many rotations there are series for live keys alone."""
    for _ in range(60):
        clock.advance(500)
        manager.reconcile("payments")
    site.refresh()
    live = {r.kid for r in manager.keyring("payments").records if r.state.published}
    assert {dict(key)["kid"] for key in metrics(site)["key_age_seconds"]} == live
    assert len(manager.keyring("payments").records) > len(live)


def test_requests_are_counted_by_route_and_never_by_path(site: Site) -> None:
    """However many paths a stranger tries, they are one series."""
    for number in range(30):
        site.get(f"/stranger-{number}/{number}")
        site.jwks(f"ring-{number}")
    found = metrics(site)["http_requests_total"]
    assert found[labels(route="unmatched", status="404")] == 30
    assert found[labels(route="jwks", status="404")] == 30
    assert len(found) < 8


def test_alarms_are_counted(site: Site) -> None:
    """An alarm is counted by its name and keyring, an event by its name."""
    for alarm in (True, True, False):
        site.observers(Event("keyring.alarm", "payments", alarm=alarm))
    found = metrics(site)
    assert found["alarms_total"] == {labels(event="keyring.alarm", ring="payments"): 2}
    assert found["events_total"][labels(event="keyring.alarm")] == 3


# --- verifiers ---------------------------------------------------------------------------------


def test_verifiers_show_which_set_they_hold(site: Site, manager: KeyManager, clock: FakeClock) -> None:
    """A client's If-None-Match tells its revision, and how far it lags."""
    first = site.jwks(User_Agent="orders/1")
    clock.advance(100)
    manager.rotate("payments")
    site.refresh()
    site.jwks(User_Agent="orders/1", If_None_Match=first.headers["etag"])
    (row,) = site.get("/verifiers").json()["verifiers"]
    revision = manager.keyring("payments").revision
    held = int(first.headers["etag"].split("-")[1])
    assert (row["ring"], row["agent"], row["client"]) == ("payments", "orders/1", "127.0.0.1")
    assert row["held"]["revision"] == held
    assert row["given"]["revision"] == revision
    assert row["behind"] == revision - held > 0


def test_a_verifier_without_an_etag_is_shown_with_what_it_was_given(site: Site) -> None:
    """Clients that never send If-None-Match are in the table too, their set unknown."""
    site.jwks(User_Agent="simple")
    (row,) = site.get("/verifiers").json()["verifiers"]
    assert (row["held"], row["behind"]) == (None, None)
    assert row["given"]["revision"] > 0


@pytest.mark.parametrize(
    "etag", ['"x"', '"1-2-3"', '"99999999999999999999-1-0123456789abcdef"', '"٣-1-0123456789abcdef"', "*"]
)
def test_what_is_no_etag_of_ours_says_nothing(site: Site, etag: str) -> None:
    """Foreign and made-up ETags are no revision."""
    site.client.get("/payments/.well-known/jwks.json", headers=[(b"if-none-match", etag.encode())])
    (row,) = site.get("/verifiers").json()["verifiers"]
    assert row["held"] is None


def test_the_table_of_verifiers_is_bounded(clock: FakeClock) -> None:
    """A flood of clients pushes out the oldest, and a user agent is cut to size and made printable."""
    table = VerifierTable(clock, size=3)
    for number in range(10):
        table.note("payments", f"10.0.0.{number}", "a\x00\n" * 500, None, (1, 1))
    rows = table.rows()
    assert [row.client for row in rows] == ["10.0.0.9", "10.0.0.8", "10.0.0.7"]
    assert all(len(row.agent) <= 80 and row.agent.isprintable() for row in rows)


# --- alarms ------------------------------------------------------------------------------------


def test_the_alarm_book_is_bounded_and_counts_repeats(clock: FakeClock) -> None:
    """The latest alarms come first, the same one again is one with a count, and no others are kept."""
    book = AlarmBook(clock, size=2)
    book(Event("quiet"))
    for ring in ("a", "b", "b", "c", "b"):
        book(Event("loud", ring, {"code": "x"}, alarm=True))
    assert [(alarm.event.ring, alarm.count) for alarm in book.latest()] == [("b", 3), ("c", 1)]


# --- dashboard ---------------------------------------------------------------------------------


def test_the_page_shows_keys_plan_and_alarms(site: Site, manager: KeyManager, clock: FakeClock) -> None:
    """Every live key with its state, what comes next, and the alarm that was told."""
    kid = manager.keyring("payments").standbys("ES256")[0].kid
    clock.advance(1_000)
    manager.revoke("payments", kid, reason="leaked")
    site.refresh()
    site.observers(Event("keyring.alarm", "payments", {"what": "two writers"}, alarm=True))
    page = Elements(site.get("/").text)
    for record in manager.keyring("payments").records:
        assert record.kid[:10] in page.words
    for word in ("signing", "standby", "revoked", "rotation due", "next step", "two writers", "I1 lead"):
        assert word in page.words


def test_the_page_of_a_publisher_alone_shows_no_plan(open_site: Callable[..., Site]) -> None:
    """Without a manager the store's private documents are not read, and rotation is still told."""
    page = Elements(open_site().get("/").text)
    assert "rotation due" in page.words
    assert "next step" not in page.words


def test_the_page_shows_a_keyring_that_is_not_served(
    site: Site, store: FaultyStore, clock: FakeClock
) -> None:
    """Past its lease a keyring is shown as not served, with the code of what failed."""
    store.failure = StoreUnavailable("canary")
    clock.advance(LEASE_MS + 1)
    site.refresh()
    page = site.get("/").text
    assert "not serving: store_unavailable" in Elements(page).words
    assert "canary" not in page


def test_the_page_runs_and_loads_nothing(site: Site) -> None:
    """No script, no style attribute, no address elsewhere, and a policy whose hash is the style's."""
    found = site.get("/")
    page = Elements(found.text)
    for tag, attributes in page.tags:
        assert tag not in {"script", "img", "link", "iframe", "object", "form", "base"}
        assert not [name for name in attributes if name.startswith("on") or name in {"src", "style"}]
        assert not (attributes.get("href") or "/").startswith(("http", "//", "data", "javascript"))
    style = re.search(r"<style>(.*?)</style>", found.text, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policy = found.headers["content-security-policy"]
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}';")
    assert "url(" not in style[1]
    assert found.headers["cache-control"] == "no-store"


def test_nothing_on_the_page_is_taken_for_markup(
    manager: KeyManager, clock: FakeClock, open_site: Callable[..., Site]
) -> None:
    """An issuer, a reason, an alarm and a query that are markup are shown as text."""
    manager.create("hostile", FAST, issuer=HOSTILE)
    site = open_site(source=manager)
    site.observers(Event("<b>x</b>", HOSTILE, {"code": "<i>y</i>", "<u>": HOSTILE}, alarm=True))
    site.jwks(User_Agent="<script>alert(2)</script>")
    for path in ("/", "/?ring=hostile", f"/?ring={HOSTILE}"):
        page = site.get(path)
        assert "<script" not in page.text
        assert not {"script", "b", "i", "u"} & {tag for tag, _ in Elements(page.text).tags}
    assert HOSTILE in Elements(site.get("/").text).words


def test_many_keyrings_are_not_all_drawn(manager: KeyManager, open_site: Callable[..., Site]) -> None:
    """Above a page's worth the rest is counted, and one can be asked for by name."""
    for number in range(55):
        manager.create(f"ring-{number:02}", FAST, issuer=ISSUER)
    site = open_site()
    page = Elements(site.get("/").text)
    assert page.tags.count(("h2", {})) == 50
    assert "and 6 more" in page.words
    one = Elements(site.get("/?ring=ring-54").text)
    assert one.tags.count(("h2", {})) == 1
    assert "ring-54" in one.words


def test_an_empty_store_has_a_page(open_site: Callable[..., Site]) -> None:
    """Before the first keyring the page says how to make one."""
    assert "create" in Elements(open_site(source=FaultyStore()).get("/").text).words


def test_public_servers_leave_the_operators_pages_out(open_site: Callable[..., Site]) -> None:
    """With operator_pages=False dashboard, metrics and verifiers are unknown paths."""
    site = open_site(operator_pages=False)
    for path in ("/", "/metrics", "/verifiers"):
        assert site.get(path).status_code == 404
    assert site.jwks().status_code == 200


def test_a_keyring_with_no_key_signing_says_so(
    site: Site, open_site: Callable[..., Site], manager: KeyManager
) -> None:
    """When every key was revoked the page says that nothing signs, with a plan and without."""
    for record in manager.keyring("payments").records:
        manager.revoke("payments", record.kid, reason="leaked")
    site.refresh()
    for page in (site, open_site()):
        assert "no key is signing" in Elements(page.get("/").text).words


def test_slow_keyrings_have_a_slow_page(manager: KeyManager, open_site: Callable[..., Site]) -> None:
    """The page loads itself anew as fast as its fastest keyring is read, within bounds."""
    manager.create("slow", RotationPolicy(), issuer=ISSUER)
    pages = {rings: open_site(rings=rings.split()).get("/").text for rings in ("slow", "slow payments")}
    assert 'http-equiv="refresh" content="30"' in pages["slow"]
    assert 'http-equiv="refresh" content="2"' in pages["slow payments"]

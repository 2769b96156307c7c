"""The metrics: counts of events, and gauges that hold nothing between scrapes."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from keyvault_jwt.events import Event
from keyvault_jwt.key_manager import KeyManager
from keyvault_jwt.metrics import Metrics
from keyvault_jwt.publisher import Publisher, PublisherStatus
from keyvault_jwt.stores.memory import MemoryStore
from keyvault_jwt.testing import FakeClock
from tests.faulty_store import FAST


def names(metrics: Metrics) -> set[str]:
    return {sample[0] for sample in series(metrics)}


def series(metrics: Metrics) -> set[tuple[str, frozenset[tuple[str, str]]]]:
    """Return every series that a scrape shows: its name and labels."""
    families = text_string_to_metric_families(metrics.render().decode())
    return {(s.name, frozenset(s.labels.items())) for family in families for s in family.samples}


def test_two_can_live_in_one_process() -> None:
    """Each has a registry of its own: neither counts what the other heard."""
    one, other = Metrics(), Metrics()
    one(Event("signer.changed", "payments"))
    assert "keyvault_jwt_events_total" in names(one)
    assert "keyvault_jwt_events_total" not in names(other)


def test_facts_never_become_labels() -> None:
    """However different the facts of events are, they add no series: kids and codes stay out."""
    metrics = Metrics()
    for number in range(50):
        metrics(Event("cache.unknown-kid", "payments", {"kid": f"kid-{number}"}, alarm=True))
    assert len([s for s in series(metrics) if s[0] == "keyvault_jwt_alarms_total"]) == 1
    assert "kid-" not in metrics.render().decode()


def test_a_keyring_that_went_is_shown_no_more() -> None:
    """Gauges are read off the statuses at each scrape, and at no other time."""
    clock, store = FakeClock(), MemoryStore()
    KeyManager(store, clock=clock).create("payments", FAST, issuer="https://id.example")
    publisher = Publisher(store, "payments", clock=clock, background=False)
    publisher.refresh()
    statuses = [publisher.status()]
    asked: list[int] = []

    def current() -> list[PublisherStatus]:
        asked.append(len(statuses))
        return statuses

    metrics = Metrics(clock=clock)
    metrics.watch(current)
    assert asked == []
    assert "keyvault_jwt_key_age_seconds" in names(metrics)
    statuses.clear()
    assert "keyvault_jwt_key_age_seconds" not in names(metrics)
    assert len(asked) == 2


def test_a_publisher_that_never_read_shows_only_that() -> None:
    """Before the first read there is no age and no revision to tell."""
    metrics = Metrics()
    metrics.watch(lambda: [Publisher(MemoryStore(), "payments", background=False).status()])
    shown = {name for name, labels in series(metrics) if ("ring", "payments") in labels}
    assert shown == {"keyvault_jwt_publisher_serving"}

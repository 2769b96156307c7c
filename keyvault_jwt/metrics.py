"""Metrics: what happened and how keyrings stand, in Prometheus' form.

Needs the `server` extra.  No metric carries key material; labels are keyrings, live kids,
states, event names, routes and statuses, so that their number stays bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeAlias

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from .clock import Clock, Instant, SystemClock
from .events import Event
from .keys import KeyRecord, KeyState
from .publisher import PublisherStatus

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
"""What `render` returns (https://prometheus.io/docs/instrumenting/exposition_formats/)."""

Statuses: TypeAlias = Callable[[], Iterable[PublisherStatus]]


class Metrics:
    """A listener that counts events, with gauges that are read off the publishers at each scrape.

    It has a registry of its own, so that any number may live in one process.
    """

    def __init__(self, *, clock: Clock | None = None) -> None:
        self.registry = CollectorRegistry()
        self._clock = SystemClock() if clock is None else clock
        self._events = Counter(
            "keyvault_jwt_events", "Things that happened.", ["event"], registry=self.registry
        )
        self._alarms = Counter(
            "keyvault_jwt_alarms", "Events that ask for a person.", ["event", "ring"], registry=self.registry
        )
        self._requests = Counter(
            "keyvault_jwt_http_requests", "Requests answered.", ["route", "status"], registry=self.registry
        )
        # The client's own look-up takes longer than the count; there are as many as it keeps anyway.
        self._answered: dict[tuple[str, int], Counter] = {}

    def __call__(self, event: Event) -> None:
        """Count an event."""
        self._events.labels(event.name).inc()
        if event.alarm:
            self._alarms.labels(event.name, event.ring).inc()

    def request(self, route: str, status: int) -> None:
        """Count a request; `route` is a route's name, never what a client sent."""
        answered = self._answered.get((route, status))
        if answered is None:
            answered = self._answered[route, status] = self._requests.labels(route, str(status))
        answered.inc()

    def watch(self, statuses: Statuses) -> None:
        """Show, at each scrape, the keyrings whose statuses this returns."""
        self.registry.register(_Keyrings(statuses, self._clock))

    def render(self) -> bytes:
        """Return all of it as text."""
        return generate_latest(self.registry)


class _Keyrings:
    """A collector: nothing is kept between scrapes, so a keyring that went leaves no series behind."""

    def __init__(self, statuses: Statuses, clock: Clock) -> None:
        self._statuses, self._clock = statuses, clock

    def describe(self) -> Iterable[Metric]:
        """Return nothing, so that registering does not scrape."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Yield the gauges of every keyring."""
        now, statuses = self._clock.wall(), list(self._statuses())
        yield from _lease_gauges(statuses)
        yield from _key_gauges(statuses, now)


def _lease_gauges(statuses: list[PublisherStatus]) -> Iterator[Metric]:
    serving = _gauge("publisher_serving", "Whether the keyring's set is answered (1) or past its lease (0).")
    age = _gauge("publisher_lease_age_seconds", "Time since the last confirmed read was sent.")
    lease = _gauge("publisher_lease_seconds", "After which age the set is no longer answered.")
    revision = _gauge("keyring_revision", "Revision of the published set.")
    for status in statuses:
        serving.add_metric([status.ring], float(status.serving))
        if status.published is not None:
            age.add_metric([status.ring], status.age / 1000)
            lease.add_metric([status.ring], status.lease / 1000)
            revision.add_metric([status.ring], status.published.revision)
    yield from (serving, age, lease, revision)


def _key_gauges(statuses: list[PublisherStatus], now: Instant) -> Iterator[Metric]:
    ages = _gauge("key_age_seconds", "Time since the key was made.", "kid", "state")
    signing = _gauge("key_signing_seconds", "For how long the active key has signed.", "kid")
    due = _gauge("rotation_due_timestamp_seconds", "When the active key will have signed for rotate_every.")
    for status in statuses:
        if status.published is None:
            continue
        public = status.published.document
        for record in public.records:
            if _is_live(record):
                labels = [status.ring, record.kid, record.state.plain]
                ages.add_metric(labels, (now - record.created) / 1000)
            if record.state is KeyState.ACTIVE and record.activated is not None:
                signing.add_metric([status.ring, record.kid], (now - record.activated) / 1000)
                end = record.activated + public.policy.timing(0).rotate_every
                due.add_metric([status.ring], end / 1000)
    yield from (ages, signing, due)


def _is_live(record: KeyRecord) -> bool:
    return record.state.published or record.state is KeyState.COMPROMISED


def _gauge(name: str, what: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"keyvault_jwt_{name}", what, labels=["ring", *labels])

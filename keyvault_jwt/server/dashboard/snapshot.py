"""Snapshot: everything that the page shows, at one instant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...clock import Instant
from ...plan import Plan
from ...publisher import PublisherStatus
from ..alarm_book import Alarm
from ..verifier_table import Sighting


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The keyrings, their plans where they are known, the latest alarms, and who verifies."""

    now: Instant
    statuses: tuple[PublisherStatus, ...]
    plans: Mapping[str, Plan | None]
    alarms: tuple[Alarm, ...]
    verifiers: tuple[Sighting, ...]

"""PlanBoard: the latest plan of each keyring, worked out in the background for the dashboard."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeAlias

from ..clock import Clock
from ..errors import KeyvaultJWTError
from ..plan import Plan
from ..publisher import Publisher

MakePlan: TypeAlias = Callable[[str], Plan]


class PlanBoard:
    """Plans by keyring.  `make` reads the store, so it is called by the fleet's workers alone."""

    def __init__(self, make: MakePlan, clock: Clock) -> None:
        self._make, self._clock = make, clock
        self._guard = threading.Lock()
        self._plans: dict[str, Plan] = {}

    def __call__(self, publisher: Publisher) -> None:
        """Work out the keyring's plan anew if its revision changed or its next date has passed."""
        published, known = publisher.peek(), self.plan(publisher.ring)
        if published is None or (known is not None and self._is_fresh(known, published.revision)):
            return
        try:
            plan = self._make(publisher.ring)
        except KeyvaultJWTError:
            return  # the publisher's own failures tell of the store; the page shows the older plan
        with self._guard:
            self._plans[publisher.ring] = plan

    def plan(self, ring: str) -> Plan | None:
        """Return the latest plan; None if there is none."""
        with self._guard:
            return self._plans.get(ring)

    def forget(self, ring: str) -> None:
        """Drop the plan of a keyring that went."""
        with self._guard:
            self._plans.pop(ring, None)

    def _is_fresh(self, plan: Plan, revision: int) -> bool:
        passed = plan.next_due is not None and plan.next_due <= self._clock.wall()
        return plan.revision >= revision and not passed

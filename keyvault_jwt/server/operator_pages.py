"""What operators look at: metrics, who verifies with which set, and the dashboard.

These endpoints are plain functions: Starlette runs them in a thread, so that a scrape of many
keyrings does not hold up the answers that verifiers wait for.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from ..clock import iso
from ..metrics import CONTENT_TYPE
from .answers import NO_STORE, json_answer
from .dashboard import Snapshot, page, policy
from .fleet import Fleet
from .observers import Observers
from .plan_board import PlanBoard
from .verifier_table import Sighting, VerifierTable


class OperatorPages:
    """Shows what the fleet, the observers and the plan board hold; reads nothing else."""

    def __init__(
        self, fleet: Fleet, observers: Observers, verifiers: VerifierTable, plans: PlanBoard | None
    ) -> None:
        self._fleet, self._observers, self._verifiers, self._plans = fleet, observers, verifiers, plans

    def metrics(self, _request: Request) -> Response:
        """Answer the metrics in Prometheus' text form."""
        return Response(self._observers.metrics.render(), headers=NO_STORE, media_type=CONTENT_TYPE)

    def verifiers(self, _request: Request) -> Response:
        """Answer which set each verifier holds, as far as its If-None-Match tells."""
        current = {s.ring: s.published.revision for s in self._fleet.statuses() if s.published is not None}
        rows = [_row(sighting, current.get(sighting.ring)) for sighting in self._verifiers.rows()]
        note = "what clients say of themselves; it never shortens a key's lead"
        return json_answer({"note": note, "verifiers": rows})

    def dashboard(self, request: Request) -> Response:
        """Answer the page: all keyrings, or the one of `?ring=`."""
        wanted = request.query_params.get("ring")
        statuses = [s for s in self._fleet.statuses() if wanted in {None, s.ring}]
        snapshot = Snapshot(
            now=self._observers.clock.wall(),
            statuses=tuple(statuses),
            plans={} if self._plans is None else {s.ring: self._plans.plan(s.ring) for s in statuses},
            alarms=tuple(self._observers.alarms.latest()),
            verifiers=tuple(self._verifiers.rows()),
        )
        return HTMLResponse(page(snapshot), headers={**NO_STORE, "Content-Security-Policy": policy()})


def _row(sighting: Sighting, current: int | None) -> dict[str, object]:
    held = sighting.held
    behind = None if held is None or current is None else max(0, current - held[1])
    if held is not None and held[0] != sighting.given[0]:
        behind = None  # of another epoch: its revisions can't be compared
    return {
        "ring": sighting.ring,
        "client": sighting.client,
        "agent": sighting.agent,
        "seen": iso(sighting.at),
        "held": None if held is None else {"epoch": held[0], "revision": held[1]},
        "given": {"epoch": sighting.given[0], "revision": sighting.given[1]},
        "behind": behind,
    }

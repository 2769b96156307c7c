"""create_app: the routes, and what they stand on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Route

from ..key_manager import KeyManager
from ..marks import MarkStore
from ..store import DocumentStore, check_ring_name
from .answers import on_crash, on_http_error
from .express import OFFER
from .fleet import Fleet
from .gate import Gate
from .hatch import Hatch
from .observers import Observers
from .operator_pages import OperatorPages
from .plan_board import PlanBoard
from .public_pages import JWKS_PATH, METADATA_PATH, PublicPages
from .verifier_table import VerifierTable


def create_app(
    source: DocumentStore | KeyManager,
    *,
    rings: Iterable[str] | None = None,
    default_ring: str = "default",
    observers: Observers | None = None,
    marks: MarkStore | None = None,
    operator_pages: bool = True,
) -> Starlette:
    """Return the ASGI application; its lifespan starts and ends the publishers.

    A store is enough to publish (its `public` documents alone are read); with a manager the
    dashboard shows plans too.  `rings` are the keyrings published, None for all that the store
    lists.  `marks` must be of `public` documents alone.  `operator_pages=False` leaves out
    what is not for the public: dashboard, metrics and verifiers.
    """
    default_ring = check_ring_name(default_ring)
    observers = Observers() if observers is None else observers
    manager = source if isinstance(source, KeyManager) else None
    store = source.store if isinstance(source, KeyManager) else source
    plans = None if manager is None else PlanBoard(manager.plan, observers.clock)
    fleet = Fleet(
        store,
        rings,
        clock=observers.clock,
        marks=marks,
        listener=observers,
        after=plans,
        gone=None if plans is None else plans.forget,
    )
    observers.metrics.watch(fleet.statuses)
    verifiers = VerifierTable(observers.clock)
    public = PublicPages(fleet, verifiers, default_ring)
    hatch = Hatch(fleet, public, default_ring, observers.metrics.request)
    operator = OperatorPages(fleet, observers, verifiers, plans)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        await run_in_threadpool(fleet.start)
        try:
            yield
        finally:
            await run_in_threadpool(fleet.close)

    app = Starlette(
        routes=_routes(public, operator if operator_pages else None),
        middleware=[Middleware(Gate, count=observers.metrics.request, offers={OFFER: hatch})],
        exception_handlers={HTTPException: on_http_error, Exception: on_crash},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    app.state.fleet = fleet
    return app


def _routes(public: PublicPages, operator: OperatorPages | None) -> list[Route]:
    routes = [
        Route("/healthz", public.healthz),
        Route("/readyz", public.readyz),
        *(Route(f"{ring}{JWKS_PATH}", public.jwks) for ring in ("", "/{ring}")),
        *(Route(f"{ring}{METADATA_PATH}", public.metadata) for ring in ("", "/{ring}")),
    ]
    if operator is not None:
        routes += [
            Route("/", operator.dashboard),
            Route("/metrics", operator.metrics),
            Route("/verifiers", operator.verifiers),
        ]
    return routes

"""Answers: JSON and problem responses that say no more than they should."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from ..clock import Milliseconds

NO_STORE = {"Cache-Control": "no-store"}


def json_answer(
    content: Mapping[str, Any], *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return a JSON response, not to be kept unless `headers` say so."""
    return Response(
        msgspec.json.encode(content),
        status,
        headers={**NO_STORE, **(headers or {})},
        media_type="application/json",
    )


def problem(status: int, code: str, title: str, *, headers: Mapping[str, str] | None = None) -> Response:
    """Return an RFC 9457 problem with our stable `code`, and nothing of what led to it.

    Never cached: a keyring that is made a moment later must not stay unknown.
    """
    body = msgspec.json.encode({"type": "about:blank", "title": title, "status": status, "code": code})
    return Response(
        body, status, headers={**NO_STORE, **(headers or {})}, media_type="application/problem+json"
    )


def unavailable(code: str, retry_after: Milliseconds) -> Response:
    """Return a 503 that names the time after which to ask again."""
    seconds = str(max(1, math.ceil(retry_after / 1000)))
    return problem(503, code, "Not confirmed in time", headers={"Retry-After": seconds})


async def on_http_error(_request: Request, error: Exception) -> Response:
    """Answer what the router refuses: an unknown path or a method that isn't there."""
    status = getattr(error, "status_code", 500)
    headers = getattr(error, "headers", None)
    if status == 405:
        return problem(405, "method_not_allowed", "Method not allowed", headers=headers)
    if status == 404:
        return problem(404, "not_found", "Not found")
    return problem(status, "refused", "Refused", headers=headers)


async def on_crash(_request: Request, _error: Exception) -> Response:
    """Answer an error of our own; what it was is in the log, not here."""
    return problem(500, "error", "Internal error")

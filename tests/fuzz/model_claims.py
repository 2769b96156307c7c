"""The claims of RFC 7519 section 4.1, read once more and slowly: every reason to refuse them."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from tests.fuzz.draft import AUDIENCE, ISSUER, LEEWAY, NOW


class NotJSON(ValueError):
    """The bytes are no JSON text (RFC 8259), though a reader may take them for one."""


def strict_json(raw: bytes) -> tuple[Any, bool]:
    """Return the value, numbers exact, and whether an object has a name twice; raises `NotJSON`."""
    twice = False

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal twice
        found = dict(pairs)
        twice = twice or len(found) != len(pairs)
        return found

    try:
        text = raw.decode("utf-8")
        value = json.loads(
            text,
            object_pairs_hook=members,
            parse_constant=_no_number,
            parse_float=_number,
            parse_int=_integer,
        )
        # A surrogate alone is no character, and no UTF-8 (RFC 3629 section 3).
        if "\\u" in text:
            json.dumps(value, default=str, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise NotJSON(type(error).__name__) from None
    return value, twice


def lenient_json(raw: bytes) -> Any:
    """Return what Python's own reader makes of it, whatever the RFC says; None if nothing."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def _no_number(text: str) -> Any:
    raise NotJSON(text)


def _integer(text: str) -> int:
    """An integer of up to 4,300 digits, which is where Python stops (RFC 8259 section 9 allows limits)."""
    return int(text)


def _number(text: str) -> Decimal:
    """A number that no double can hold is refused, as RFC 8259 section 6 lets a reader do."""
    if float(text) in (float("inf"), float("-inf")):
        raise NotJSON(text)
    return Decimal(text)


def claim_reasons(claims: dict[str, Any]) -> set[str]:
    """Return every reason why these claims are refused at `NOW`."""
    found: set[str] = set()
    if claims.get("exp") is None:
        found.add("exp-missing")
    for name in ("exp", "nbf", "iat"):
        if name in claims and not (name == "exp" and claims[name] is None):
            value = claims[name]
            if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
                found.add(f"{name}-type")
            elif name == "exp" and value + LEEWAY <= NOW:
                found.add("expired-just-now" if value + LEEWAY == NOW else "expired")
            elif name != "exp" and value - LEEWAY > NOW:
                late = "immature" if name == "nbf" else "from-the-future"
                found.add(late if value - LEEWAY >= NOW + 1 else f"{late}-by-a-fraction")
    return found | _identities(claims.get("iss"), claims.get("aud"))


def _identities(iss: Any, aud: Any) -> set[str]:
    found: set[str] = set()
    if iss != ISSUER or not isinstance(iss, str):
        found.add("iss")
    listed = [aud] if isinstance(aud, str) else aud
    if not isinstance(listed, list) or not all(isinstance(name, str) for name in listed):
        found.add("aud-type")
    elif AUDIENCE not in listed:
        found.add("aud")
    return found

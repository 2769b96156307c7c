"""What is shown of one key by any reader: cells of a table, members of a JSON object."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..clock import Instant
from ..keys import KeyRecord, KeyState
from ..ledger import Entry
from .ages import about, iso_or_none

_INSTANTS = ("created", "published", "activated", "deactivated", "stopped")
_ENDINGS = ("compromised", "revoked", "destroyed", "removed")


def key_document(record: KeyRecord) -> dict[str, Any]:
    """Return what a key's record says, but for its halves."""
    return {
        "kid": record.kid,
        "algorithm": record.algorithm,
        "state": record.state.value,
        "plain": record.state.plain,
        "imported": record.imported,
        **{name: iso_or_none(getattr(record, name)) for name in (*_INSTANTS, *_ENDINGS)},
        "reason": record.reason,
    }


def key_cells(record: KeyRecord, now: Instant) -> tuple[str, ...]:
    """Return state, plain word, algorithm, age, time in public and time signing."""
    signing = record.activated if record.state is KeyState.ACTIVE else None
    return (
        record.state.value,
        record.state.plain,
        record.algorithm,
        about(now - record.created),
        _since(now, record.published if record.state.published else None),
        _since(now, signing),
    )


def events_document(entries: Iterable[Entry]) -> list[dict[str, Any]]:
    """Return entries of a ledger as JSON output has them."""
    return [
        {
            "seq": one.seq,
            "at": iso_or_none(one.at),
            "action": one.action,
            "kid": one.kid,
            "detail": one.detail,
        }
        for one in entries
    ]


def _since(now: Instant, instant: Instant | None) -> str:
    return "" if instant is None else about(now - instant)

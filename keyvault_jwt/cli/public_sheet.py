"""What `show` says of a keyring whose authority is closed to the reader."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from ..clock import iso
from .ages import dated, iso_or_none
from .key_facts import events_document, key_cells, key_document
from .lanes import KID_WIDTH
from .outcome import SHORT
from .public_view import PublicView
from .table import table

_HEADS: Final = ("kid", "state", "that is", "alg", "age", "public", "signs")
_UNKNOWN: Final = dict.fromkeys(("private_half", "ready_from", "signs_from", "gone_from"))
_LINES: Final = 8
"""How many of the latest entries are printed; the JSON form has all that the document has."""


def public_sheet(view: PublicView) -> dict[str, Any]:
    """Return the members that `show --json` has; null where the public document does not tell."""
    public = view.public
    return {
        "ring": public.ring,
        "issuer": public.issuer,
        "algorithm": public.policy.algorithm,
        "epoch": public.epoch,
        "revision": public.revision,
        "at": iso_or_none(view.at),
        "source": "public",
        "keys": [key_document(record) | _UNKNOWN for record in public.records],
        "migration": None,
        "frozen_to": view.frozen_to,
        "next_due": None,
        "rotation_due": iso_or_none(view.rotation_due),
        "events": events_document(public.events),
    }


def public_lines(view: PublicView) -> Iterator[str]:
    """Yield the same for people."""
    public = view.public
    yield f"{public.ring}  {public.issuer}  {public.policy.algorithm}  revision {public.revision}"
    yield "from the public document: the authority is closed to this reader"
    if view.frozen_to is not None:
        yield f"frozen: it lives on at {view.frozen_to}"
    yield ""
    shown = [record for record in public.records if not record.is_tombstone]
    yield from table(_HEADS, [(one.kid[:KID_WIDTH], *key_cells(one, view.at)) for one in shown])
    gone = len(public.records) - len(shown)
    if gone:
        yield f"and {gone} that were gone before"
    yield ""
    for entry in public.events[-_LINES:]:
        yield "  ".join(filter(None, (iso(entry.at), entry.action, entry.kid[:SHORT], entry.detail)))
    yield ""
    if view.active is None and view.frozen_to is None:
        yield "no key is signing"
    if view.rotation_due is not None:
        yield f"rotation due {dated(view.at, view.rotation_due)}"

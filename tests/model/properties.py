"""What every moment must show: good tokens accepted, and keys past their bound refused."""

from __future__ import annotations

from typing import TypeAlias

from keyvault_jwt import document
from keyvault_jwt.clock import Instant
from keyvault_jwt.keys import KeyRecord, KeyState
from keyvault_jwt.store import DocumentKind, DocumentName
from tests.model.model_store import RING
from tests.model.readers import Crowd
from tests.model.witness import Witness
from tests.model.world import World

Bounds: TypeAlias = tuple[tuple[str, Instant], ...]
"""Kids that are revoked or gone, and the instant from which nobody may accept them."""


def bounds_of(witness: Witness, before: Bounds) -> Bounds:
    """Return the bounds once stated, and those of keys that were seen to be withdrawn since."""
    if witness.latest is None:
        return before
    bounds = dict(before)
    for record in witness.latest.records:
        gone = record.revoked if record.state is KeyState.COMPROMISED else record.removed
        if gone is not None and record.kid not in bounds:
            bounds[record.kid] = gone + witness.longest_held(gone)
    return tuple(sorted(bounds.items()))


def check(crowd: Crowd, witness: Witness, bounds: Bounds, now: Instant, *, waived: bool = False) -> None:
    """Fail unless everybody in the crowd accepts every good token, and no key past its bound.

    With `waived` refused tokens were accepted by an operator, or are what a restore costs.
    """
    if not waived and witness.latest is not None:
        known = {record.kid: record for record in witness.latest.records}
        for kid, end in crowd.tokens:
            _accepted(crowd, kid, known.get(kid), end, now)
    for kid, bound in bounds:
        if now >= bound:
            _refused(crowd, kid, bound, now)


def require_readers(crowd: Crowd, future: World) -> None:
    """Fail unless everybody who saw the past goes on with what a future without faults shows."""
    seen = crowd.seen(future.store, future.now, 0)
    for role, readers in (("signer", seen.signers), ("publisher", seen.publishers)):
        heads = {(r.held.reading.head.epoch, r.held.reading.head.revision) for r in readers}
        kind = DocumentKind.SIGNING if role == "signer" else DocumentKind.PUBLIC
        found = future.store.read(DocumentName(RING, kind))
        assert found is not None, f"there is no {kind}"
        there = document.decode_derived(DocumentName(RING, kind), found.draft.data)
        assert (there.epoch, there.revision) in heads, f"no {role} that saw the past takes the present"


def _accepted(crowd: Crowd, kid: str, record: KeyRecord | None, end: Instant, now: Instant) -> None:
    if record is not None and record.compromised is not None:
        return
    for copy in crowd.copies:
        assert kid in copy.kids, (
            f"a token of {kid}, good for another {end - now} ms, is refused: a verifier holds revision "
            f"{copy.revision[1]}, without that key, since {now - copy.sent} ms ago"
        )


def _refused(crowd: Crowd, kid: str, bound: Instant, now: Instant) -> None:
    for copy in crowd.copies:
        assert kid not in copy.kids, (
            f"{kid} was withdrawn and is accepted {now - bound} ms past its bound: a verifier holds "
            f"revision {copy.revision[1]}, with that key, since {now - copy.sent} ms ago"
        )

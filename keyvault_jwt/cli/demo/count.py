"""Count: what a demonstration came to, as JSON and as lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..ages import about, iso_or_none
from ..table import table

if TYPE_CHECKING:
    from ...demo import Closing


def count_document(closing: Closing) -> dict[str, Any]:
    """Return the closing count; instants are ISO 8601, `seconds` is how long it all took."""
    tally, ring = closing.view.tally, closing.view.keyring
    return {
        "ring": ring.ring,
        "seconds": closing.length / 1000,
        "issued": len(tally.issued),
        "verified": tally.verdicts,
        "owed": len(tally.owed),
        "judged_by_all": tally.judged_by_all(frozenset(name for name, _ in closing.verifiers)),
        "refused_though_valid": len(tally.refused_though_valid),
        "revoked_accepted_past_bound": len(tally.accepted_past_bound),
        "unanswered": tally.unanswered.total(),
        "unsigned": dict(tally.unsigned),
        "verifiers": [
            {
                "name": name,
                "library": library.value,
                "verified": tally.accepted_by(name),
                "judged": tally.judged_by(name),
                "tried_past_bound": tally.tried_by(name),
                "unanswered": tally.unanswered[name],
            }
            for name, library in closing.verifiers
        ],
        "revocation": _revocation(closing),
        "scenes": [{"title": scene.title, "happened": scene.happened} for scene in closing.scenes],
        "kept": closing.kept,
    }


def _revocation(closing: Closing) -> dict[str, Any] | None:
    tally = closing.view.tally
    told = tally.revocation
    if told is None:
        return None
    return {
        "kid": told.kid,
        "removed": iso_or_none(told.removed),
        "last_accepted": iso_or_none(tally.last_acceptance),
        "bound": iso_or_none(told.bound),
        "tried_past_bound": len(tally.past_bound),
    }


def count_lines(closing: Closing) -> Iterator[str]:
    """Yield the scenes, the verifiers, the two counts that must be 0, and what was promised of the others."""
    from ...demo import JUDGED, TRIES

    for scene in closing.scenes:
        yield f"{'done   ' if scene.happened else 'MISSING'}  {scene.title}"
    yield ""
    yield from _verifiers(closing)
    yield ""
    for label, count in counts(closing):
        yield f"{label:<44} {count:>6}"
    tally = closing.view.tally
    if tally.revocation is not None and tally.revocation.bound is not None and tally.last_acceptance:
        yield f"the revoked key: {_before(tally.revocation.bound - tally.last_acceptance)}"
    yield f"promised: each verifier judges {JUDGED} % of the tokens that lived in no outage,"
    yield f"and tries the revoked key {TRIES} times past its bound"
    yield f"{'kept' if closing.kept else 'BROKEN'}, in {closing.length / 1000:.1f} s"


def _before(margin: int) -> str:
    side = "before" if margin >= 0 else "AFTER"
    return f"accepted for the last time {about(margin)} {side} the bound that was stated"


def counts(closing: Closing) -> Iterator[tuple[str, int]]:
    """Yield each closing count with its name."""
    tally = closing.view.tally
    yield "tokens issued", len(tally.issued)
    yield "of these, not in the JWKS server's outage", len(tally.owed)
    judged = (tally.judged_by(name) for name, _ in closing.verifiers)
    yield "of these judged by each verifier, at least", min(judged, default=0)
    yield "judged by every verifier", tally.judged_by_all(frozenset(name for name, _ in closing.verifiers))
    yield "times a token was verified", tally.verdicts
    yield "failed fetches of keys, tried again", tally.unanswered.total()
    yield "refused though unexpired and not revoked", len(tally.refused_though_valid)
    if tally.revocation is not None:
        yield "tries of the revoked key past its bound", len(tally.past_bound)
        yield "of these accepted", len(tally.accepted_past_bound)
        tried = (tally.tried_by(name) for name, _ in closing.verifiers)
        yield "tries by each verifier, at least", min(tried, default=0)


def _verifiers(closing: Closing) -> Iterator[str]:
    from ...demo import ROUTINE

    tally = closing.view.tally
    rows = [
        (name, library.value, *(str(tally.accepted[name, occasion]) for occasion in ROUTINE))
        for name, library in closing.verifiers
    ]
    yield from table(("verifier", "library", "on arrival", "after handover", "before expiry"), rows)

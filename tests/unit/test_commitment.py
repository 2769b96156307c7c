"""A commitment's outcomes: won, overtaken, lost, sent again, and not to be found out."""

from __future__ import annotations

from uuid import UUID

import pytest

from keyvault_jwt import document
from keyvault_jwt.calls import Answer, Read, Wait, Write
from keyvault_jwt.commitment import MAX_TRIES, Commitment, Lost, Won
from keyvault_jwt.errors import (
    Conflict,
    CorruptDocument,
    OutcomeUnknown,
    StoreDenied,
    StoreTimeout,
    StoreUnavailable,
)
from keyvault_jwt.keys import KeyState
from keyvault_jwt.store import DocumentKind, DocumentName, Version, Versioned
from tests.made_rings import made_key, made_ring

NAME = DocumentName("ring", DocumentKind.AUTHORITY)
BEFORE = made_ring(made_key(1, KeyState.ACTIVE))
OURS, THEIRS = BEFORE.committed(UUID(int=2)), BEFORE.committed(UUID(int=3))
THERE = Version("1")

TIMED_OUT, CONFLICT, DOWN = (
    StoreTimeout("no answer"),
    Conflict("another version"),
    StoreUnavailable("no route"),
)
WRITE = Write(NAME, document.authority_draft(OURS), THERE)

UNCHANGED = Versioned(document.authority_draft(BEFORE), THERE)
LANDED = Versioned(WRITE.draft, Version("2"))
BEATEN = Versioned(document.authority_draft(THEIRS), Version("2"))
OVERTAKEN = Versioned(document.authority_draft(OURS.committed(UUID(int=4))), Version("3"))


def after(*answers: Answer, staleness: int = 0) -> Commitment:
    """Return the commitment after these answers."""
    commitment = Commitment.of(WRITE, staleness)
    for answer in answers:
        commitment = commitment.resume(answer)
    return commitment


def test_answered_write_is_won() -> None:
    """The version that the store answered is the document's."""
    assert Commitment.of(WRITE, 0).call == WRITE
    assert after(Version("2")).outcome == Won(Version("2"))


@pytest.mark.parametrize("doubt", [TIMED_OUT, CONFLICT])
@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        (LANDED, Won(Version("2"))),
        (OVERTAKEN, Won(Version("3"), overtaken=True)),
        (BEATEN, Lost()),
        (None, Lost()),
    ],
    ids=["landed", "overtaken", "beaten", "deleted"],
)
def test_lineage_tells_after_a_doubt(doubt: Answer, found: Answer, outcome: Won | Lost) -> None:
    """Neither a time-out nor a conflict is an outcome: a client below may have sent the write twice."""
    asked = after(doubt)
    assert (asked.call, asked.outcome) == (Read(NAME), None)
    assert asked.resume(found).outcome == outcome


def test_lost_creation() -> None:
    """Where nothing was, the other one's document is the end of ours."""
    create = Write(NAME, WRITE.draft, None)
    assert Commitment.of(create, 0).resume(CONFLICT).resume(BEATEN).outcome == Lost()
    assert Commitment.of(create, 0).resume(TIMED_OUT).resume(None).call == create


def test_unchanged_is_sent_again_with_the_same_bytes() -> None:
    """The first sending may still land, and then these bytes are its: nothing is done twice."""
    again = after(TIMED_OUT, UNCHANGED)
    assert (again.call, again.outcome, again.sent) == (WRITE, None, 2)
    assert again.resume(CONFLICT).resume(LANDED).outcome == Won(Version("2"))


def test_stale_store_is_waited_for_once() -> None:
    """A read as old as S proves nothing, so it is asked past S, and only then sent again."""
    waiting = after(TIMED_OUT, UNCHANGED, staleness=5000)
    assert waiting.call == Wait(5000)
    settled = waiting.resume(None)
    assert settled.call == Read(NAME)
    assert settled.resume(LANDED).outcome == Won(Version("2"))
    resent = settled.resume(UNCHANGED)
    assert (resent.call, resent.sent) == (WRITE, 2)
    assert resent.resume(TIMED_OUT).resume(UNCHANGED).call == Wait(5000)


def test_stale_winner_is_believed_at_once() -> None:
    """Another version that is seen does not go away."""
    assert after(TIMED_OUT, BEATEN, staleness=5000).outcome == Lost()


@pytest.mark.parametrize("refusal", [DOWN, StoreDenied("no update")])
def test_first_refusal_is_the_stores_own(refusal: Exception) -> None:
    """Nothing was sent, so the error says so, and a retry is safe."""
    with pytest.raises(type(refusal)):
        Commitment.of(WRITE, 0).resume(refusal)  # type: ignore[arg-type]


def test_refusal_of_a_second_sending_is_no_outcome() -> None:
    """The first may still have landed: reading tells."""
    refused = after(TIMED_OUT, UNCHANGED, DOWN)
    assert refused.call == Read(NAME)
    assert refused.resume(LANDED).outcome == Won(Version("2"))


def test_unchanged_too_often_is_unknown() -> None:
    """After the last sending it can only be said that the write may still land."""
    commitment = after(*(TIMED_OUT, UNCHANGED) * (MAX_TRIES - 1))
    assert commitment.sent == MAX_TRIES
    with pytest.raises(OutcomeUnknown, match=str(OURS.write_id)):
        commitment.resume(TIMED_OUT).resume(UNCHANGED)


def test_unreadable_too_often_is_unknown() -> None:
    """So many reads are tried; the last may still succeed."""
    patient = after(TIMED_OUT, *(DOWN,) * MAX_TRIES)
    assert patient.resume(LANDED).outcome == Won(Version("2"))
    with pytest.raises(OutcomeUnknown):
        patient.resume(DOWN)


def test_corrupt_document_is_raised() -> None:
    """Bytes that are no document tell nothing of our write."""
    draft = type(WRITE.draft)(WRITE.draft.data[:-9], 2, OURS.write_id)
    with pytest.raises(CorruptDocument):
        after(TIMED_OUT, Versioned(draft, Version("2")))

"""A pass as a value: what it does with documents it can't use, limits, and answers that don't fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest

from keyvault_jwt import base64url, command, document
from keyvault_jwt.attempt import Attempt
from keyvault_jwt.calls import Read, Wait, Write
from keyvault_jwt.errors import (
    ClockBehind,
    Conflict,
    CorruptDocument,
    DocumentError,
    DocumentTooLarge,
    ForeignDocument,
    KeyringFrozen,
    LostRace,
    NewerSchema,
    StoreDenied,
)
from keyvault_jwt.patience import MAX_ROUNDS, require_progress
from keyvault_jwt.report import Report
from keyvault_jwt.store import DocumentKind, DocumentName, Draft, Limits, Version
from tests.model.counted_keys import counted_key
from tests.model.life import settled
from tests.model.model_store import AUTHORITY, PUBLIC, RING, SIGNING, VERIFICATION
from tests.model.scenes import RECONCILE, active, fresh, ready, rotation_due
from tests.model.world import LIMITS, World

ID = UUID(int=1)


def with_bytes(world: World, name: DocumentName, change: Callable[[bytes], bytes]) -> World:
    """Return the world with a document's bytes changed behind everybody's back."""
    there = world.store.read(name)
    assert there is not None
    draft = Draft(change(there.draft.data), there.draft.revision, there.draft.write_id)
    return World(world.store.put(name, draft, world.now), world.witness, world.now, started=50)


CHANGES: dict[str, tuple[Callable[[bytes], bytes], type[DocumentError]]] = {
    "truncated": (lambda data: data[:-1], CorruptDocument),
    "empty": (lambda data: b"", CorruptDocument),
    "flipped": (lambda data: data.replace(b'"revision"', b'"revisiom"'), CorruptDocument),
    "foreign": (lambda data: data.replace(b'"model"', b'"other"'), ForeignDocument),
    "newer": (lambda data: data.replace(b'"schema":1', b'"schema":9'), NewerSchema),
}


@pytest.mark.parametrize("asked", [RECONCILE, command.Revoke("x", "leaked"), command.Recover(RING)])
@pytest.mark.parametrize("change", CHANGES)
def test_an_authority_that_can_not_be_used_is_left_as_it_is(change: str, asked: command.Command) -> None:
    """Each damage has its own error, and no command writes over what may yet be saved."""
    altered, error = CHANGES[change]
    world = with_bytes(ready(), AUTHORITY, altered)
    after = world.run(asked)
    assert isinstance(after.passes[0].attempt.outcome, error)
    assert after.store.key == world.store.key


@pytest.mark.parametrize("name", [PUBLIC, SIGNING, VERIFICATION], ids=str)
@pytest.mark.parametrize("change", ["truncated", "empty", "flipped", "foreign"])
def test_a_damaged_derived_document_is_written_anew(change: str, name: DocumentName) -> None:
    """Nothing is lost with it: the pass alarms, commits a new revision, and writes that."""
    scene = ready("HS256")
    world = with_bytes(scene, name, CHANGES[change][0]).unwatched().run(RECONCILE)
    assert any(name.kind in alarm for alarm in world.report.alarms)
    assert "derived-mismatch" in [entry.action for entry in world.report.entries]
    settled(world)


@pytest.mark.parametrize("name", [PUBLIC, SIGNING], ids=str)
def test_a_derived_document_of_a_newer_version_stops_the_pass(name: DocumentName) -> None:
    """Whoever wrote it knows better: nothing is written over it."""
    world = with_bytes(rotation_due(), name, CHANGES["newer"][0])
    after = world.run(RECONCILE)
    assert isinstance(after.passes[0].attempt.outcome, NewerSchema)
    assert after.store.key == world.store.key


@pytest.mark.parametrize("name", [PUBLIC, SIGNING, VERIFICATION], ids=str)
def test_a_deleted_derived_document_is_written_anew(name: DocumentName) -> None:
    """What is missing is repaired without an alarm."""
    world = ready("HS256").without(name).unwatched().run(RECONCILE)
    assert world.report.alarms == ()
    settled(world)


def test_routine_writes_leave_room_for_a_revocation() -> None:
    """Above three quarters of the limit a rotation is refused, and a revocation goes through."""
    world = rotation_due()
    used = max(len(stored.now.draft.data) for stored in world.store.documents.values() if stored.now)
    tight = Limits(document_bytes=int(used * 1.3))
    refused = world.run(RECONCILE, limits=tight)
    assert isinstance(refused.passes[0].attempt.outcome, DocumentTooLarge)
    assert refused.store.key == world.store.key
    assert world.run(command.Revoke(active(world), "leaked"), limits=tight).report.changed


def test_a_clock_behind_is_refused_only_beyond_the_skew() -> None:
    """The last entry may be up to ε in the future; an urgent command does not ask."""
    world = rotation_due().run(RECONCILE).alone()
    world.later(-100).run(RECONCILE).report  # noqa: B018
    late = world.later(-101)
    assert isinstance(late.run(RECONCILE).passes[0].attempt.outcome, ClockBehind)
    assert isinstance(late.run(RECONCILE).store.key, tuple)
    assert late.run(RECONCILE).store.key == late.store.key
    late.run(command.Revoke(active(late), "leaked")).report  # noqa: B018


def test_a_pass_is_a_value() -> None:
    """Resuming returns another pass; the old one can be answered again, in another way."""
    first = Attempt.begin(RECONCILE, RING, staleness=0, limits=LIMITS)
    assert first.call == Read(AUTHORITY)
    denied = first.resume(StoreDenied("no"), now=1, write_id=ID)
    assert isinstance(denied.outcome, StoreDenied)
    found = first.resume(ready().store.read(AUTHORITY), now=ready().now, write_id=ID)
    assert (first.call, found.call) == (Read(AUTHORITY), Read(PUBLIC))
    assert first.keyring is None
    with pytest.raises(ValueError, match="over"):
        denied.resume(None, now=1, write_id=ID)


def test_a_recovery_first_waits_until_reads_show_what_was_there_when_it_began() -> None:
    """A read may be S old: a recovery that reads at once may not see what a document tells of a key."""
    first = Attempt.begin(command.Recover(RING), RING, staleness=5_000, limits=LIMITS)
    assert first.call == Wait(5_000)
    assert first.resume(None, now=5_000, write_id=ID).call == Read(AUTHORITY)
    assert Attempt.begin(RECONCILE, RING, staleness=5_000, limits=LIMITS).call == Read(AUTHORITY)


def test_an_answer_that_fits_no_call_is_a_programming_error() -> None:
    """A store that answers a read with a version, or a key is not made, is told so by `TypeError`."""
    first = Attempt.begin(RECONCILE, RING, staleness=0, limits=LIMITS)
    with pytest.raises(TypeError, match="str"):
        first.resume(Version("1"), now=1, write_id=ID)
    due = rotation_due().begin(RECONCILE)
    while type(due.passes[0].attempt.call).__name__ != "Generate":
        due = due.step(0)
    with pytest.raises(TypeError, match="NoneType"):
        due.answer(0, None)


def test_a_pass_that_does_not_come_to_rest_gives_up() -> None:
    """The rounds of one pass are bounded."""
    require_progress(RING, races=24, rounds=MAX_ROUNDS - 1)
    with pytest.raises(LostRace, match="did not come to rest"):
        require_progress(RING, races=0, rounds=MAX_ROUNDS)
    with pytest.raises(LostRace, match="25 races"):
        require_progress(RING, races=25, rounds=0)


def test_no_private_half_shows_in_a_pass() -> None:
    """At no step does the repr of a pass, its call or its report hold a private half in any spelling."""
    world = rotation_due().begin(RECONCILE)
    while True:
        attempt = world.passes[0].attempt
        halves = [r.private for r in world.keyring.records if r.private]
        halves += [key.private for key in attempt.fresh if key.private]
        shown = repr(attempt) + repr(attempt.call) + repr(attempt.outcome)
        for half in halves:
            assert base64url.encode(half)[:20] not in shown
            assert repr(half)[2:30] not in shown
        if world.passes[0].over:
            break
        world = world.step(0)
    assert isinstance(attempt.outcome, Report)


def test_freezing_twice_to_one_place_is_once() -> None:
    """A repeated freeze is done; another target is refused, since it lives on at the first."""
    world = ready().run(command.Freeze("vault://a"))
    assert not world.run(command.Freeze("vault://a")).report.changed
    other = world.run(command.Freeze("vault://b"))
    assert isinstance(other.passes[-1].attempt.outcome, KeyringFrozen)


def test_writes_go_out_in_the_safe_order() -> None:
    """Adding: authority, public, then signing; every derived write is of a committed revision."""
    world, order = fresh().later(6000).begin(RECONCILE), []
    while not world.passes[0].over:
        call = world.passes[0].attempt.call
        if isinstance(call, Write):
            order.append((call.name.kind, call.draft.revision))
        world = world.step(0)
    first = order[0][1]
    assert order[:3] == [
        (DocumentKind.AUTHORITY, first),
        (DocumentKind.PUBLIC, first),
        (DocumentKind.SIGNING, first),
    ]
    assert document.derived_kinds(world.keyring) == (DocumentKind.PUBLIC, DocumentKind.SIGNING)


def test_a_race_that_is_always_lost_gives_up() -> None:
    """Where others commit before each of our commits the pass ends as `LostRace`, not as an endless loop."""
    world = fresh().begin(command.Import(counted_key("Ed25519", 599)))
    for number in range(600, 700):
        while not world.passes[0].over and not isinstance(world.passes[0].attempt.call, Write):
            world = world.step(0)
        if world.passes[0].over:
            break
        world = world.run(command.Import(counted_key("Ed25519", number)))
        world = replace(world, passes=world.passes[:1]).step(0)
    outcome = world.passes[0].attempt.outcome
    assert isinstance(outcome, LostRace)
    assert "25 races" in outcome.what


def test_a_derived_document_that_conflicts_for_ever_gives_up() -> None:
    """A document that is never as it was just read ends the pass as `LostRace`."""
    world = rotation_due().begin(RECONCILE)
    while not world.passes[0].over:
        call = world.passes[0].attempt.call
        contended = isinstance(call, Write) and call.name == PUBLIC
        world = world.answer(0, Conflict("taken")) if contended else world.step(0)
    assert isinstance(world.passes[0].attempt.outcome, LostRace)

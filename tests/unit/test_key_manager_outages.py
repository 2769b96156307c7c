"""The manager when stores fail, clocks step and documents are tampered with, and what it then tells."""

from __future__ import annotations

import logging
from datetime import timedelta

import msgspec
import pytest

from keyvault_jwt import base64url
from keyvault_jwt.errors import (
    ClockBehind,
    ClockJumped,
    Conflict,
    KeyringExists,
    KeyringFrozen,
    KeyringNotFound,
    KidNotFound,
    OutcomeUnknown,
    PolicyRefused,
    RemovalUnconfirmed,
    RolledBack,
    StoreFull,
    StoreTimeout,
    StoreUnavailable,
)
from keyvault_jwt.events import Event
from keyvault_jwt.key_manager import KeyManager
from keyvault_jwt.keys import KeyState
from keyvault_jwt.marks import Mark, MemoryMarks
from keyvault_jwt.store import DocumentKind, DocumentName, Draft, Version, Versioned
from keyvault_jwt.stores.memory import MemoryStore
from keyvault_jwt.testing import FakeClock, UncertainStore
from tests.model.counted_keys import CountedKeys, counted_key
from tests.model.scenes import seconds_policy

RING = "unit"
ISSUER = "https://id.example"


class Outages(MemoryStore):
    """A memory store in which writes of some kinds of documents fail while `down` names them."""

    def __init__(self) -> None:
        super().__init__()
        self.down: set[DocumentKind] = set()

    def replace(self, name: DocumentName, draft: Draft, *, expected: Version | None) -> Version:
        """Write, unless documents of this kind are down."""
        if name.kind in self.down:
            raise StoreUnavailable("no route")
        return super().replace(name, draft, expected=expected)


class Told(list[Event]):
    """A listener that keeps what it hears."""

    def __call__(self, event: Event) -> None:
        self.append(event)

    @property
    def names(self) -> list[str]:
        """The events' names."""
        return [event.name for event in self]


@pytest.fixture
def clock() -> FakeClock:
    """A clock that goes when told."""
    return FakeClock()


@pytest.fixture
def store() -> Outages:
    """An empty store."""
    return Outages()


@pytest.fixture
def told() -> Told:
    """What the manager told."""
    return Told()


@pytest.fixture
def marks() -> MemoryMarks:
    """What is remembered outside the store."""
    return MemoryMarks()


@pytest.fixture
def manager(store: Outages, clock: FakeClock, told: Told, marks: MemoryMarks) -> KeyManager:
    """A manager whose waits let the clock go on."""
    return KeyManager(
        store,
        clock=clock,
        key_factory=CountedKeys(),
        marks=marks,
        listener=told,
        wait=lambda seconds: clock.advance(timedelta(seconds=seconds)),
    )


@pytest.fixture
def made(manager: KeyManager, clock: FakeClock) -> KeyManager:
    """The manager of a keyring that has rotated once and has two ready standbys."""
    manager.create(RING, seconds_policy(), issuer=ISSUER)
    for _ in range(2):
        clock.advance(5900)
        manager.reconcile(RING)
        clock.advance(100)
        manager.reconcile(RING)
    clock.advance(3600)
    return manager


def signing(manager: KeyManager) -> str:
    """Return the signing kid."""
    active = manager.keyring(RING).active
    assert active is not None
    return active.kid


def test_a_new_keyring_signs_at_once(manager: KeyManager) -> None:
    """One command makes the keys, publishes them, and signs; the JWKS holds all three."""
    report = manager.create(RING, seconds_policy(), issuer=ISSUER)
    assert report.has_active_key
    assert report.changed
    assert manager.names() == (RING,)
    published = msgspec.json.decode(manager.jwks(RING))
    assert {key["kid"] for key in published["keys"]} == {r.kid for r in manager.keyring(RING).records}
    assert published["keyvault_jwt"]["revision"] == report.keyring.revision
    with pytest.raises(KeyringExists):
        manager.create(RING, seconds_policy(), issuer=ISSUER)


def test_a_refused_policy_leaves_nothing(manager: KeyManager, store: Outages) -> None:
    """A policy over capacity makes no keyring at all."""
    with pytest.raises(PolicyRefused):
        manager.create(RING, seconds_policy(rotate_every="1s"), issuer=ISSUER)
    assert list(store.names()) == []


@pytest.mark.parametrize("asked", ["keyring", "reconcile", "rotate", "rollback", "recover", "plan", "jwks"])
def test_a_keyring_that_is_not_there(manager: KeyManager, asked: str) -> None:
    """Every command names what is missing."""
    with pytest.raises(KeyringNotFound):
        getattr(manager, asked)("absent")


def test_a_plan_writes_nothing(made: KeyManager, store: Outages) -> None:
    """Looking changes no document."""
    before = {name: store.read(name) for name in store.names()}
    made.plan(RING)
    made.export_keys(RING, private=True)
    assert {name: store.read(name) for name in store.names()} == before


def test_rotation_rollback_and_their_repeats(made: KeyManager) -> None:
    """Each names what it acts on, so that a repeat does nothing twice."""
    old = signing(made)
    made.rotate(RING)
    new = signing(made)
    assert not made.rotate(RING, replacing=old).changed
    assert signing(made) == new
    made.rollback(RING)
    assert signing(made) == old
    assert not made.rollback(RING, replacing=new).changed


def test_a_revocation_prints_its_bounds(made: KeyManager, clock: FakeClock) -> None:
    """The hard bound is D + S + C + G + ε after the removal was seen; the usual one far less."""
    kid = signing(made)
    report = made.revoke(RING, kid[:8], reason="leaked")
    assert report.has_active_key
    assert made.revocation_bound(report, kid) == clock.wall() + 3600
    assert made.usual_bound(report, kid) == clock.wall() + 200 + 1000 + 100
    assert made.revocation_bound(report, signing(made)) is None
    assert made.usual_bound(report, signing(made)) is None
    with pytest.raises(KidNotFound):
        made.revoke(RING, "unknown-kid", reason="typo")


def test_an_unconfirmed_removal_is_loud_until_it_is_seen(
    made: KeyManager, store: Outages, told: Told
) -> None:
    """While `public` can't be written the revocation fails, each time, and says that it is committed."""
    kid = signing(made)
    store.down = {DocumentKind.PUBLIC}
    for _ in range(2):
        with pytest.raises(RemovalUnconfirmed, match="repeat the command") as refused:
            made.revoke(RING, kid, reason="leaked")
        assert refused.value.exit_status == 1
    assert made.keyring(RING).record(kid).state is KeyState.COMPROMISED
    assert told[-1].alarm
    store.down = set()
    assert made.revoke(RING, kid, reason="leaked").keyring.record(kid).revoked is not None


def test_a_failure_before_the_commit_is_the_store_s(made: KeyManager, store: Outages) -> None:
    """Where nothing was committed a revocation does not claim to be."""
    store.down = {DocumentKind.AUTHORITY}
    with pytest.raises(StoreUnavailable):
        made.revoke(RING, signing(made), reason="leaked")


def test_what_was_committed_is_remembered_though_the_pass_failed(
    made: KeyManager, store: Outages, marks: MemoryMarks
) -> None:
    """A revocation whose publication failed is in the mark: a store restored now is noticed."""
    kid = signing(made)
    store.down = {DocumentKind.PUBLIC}
    with pytest.raises(RemovalUnconfirmed):
        made.revoke(RING, kid, reason="leaked")
    mark = marks.load(RING)
    assert mark is not None
    assert kid in mark.revoked
    assert mark.revision == made.keyring(RING).revision


class FullMarks(MemoryMarks):
    """Marks on a disk that is full from some time on."""

    full = False

    def save(self, ring: str, mark: Mark) -> Mark:
        """Keep the mark while there is room."""
        if self.full:
            raise StoreFull("no space is left for marks")
        return super().save(ring, mark)


def test_an_unconfirmed_removal_is_louder_than_a_mark_that_can_t_be_kept(
    store: Outages, clock: FakeClock
) -> None:
    """A full disk for marks must not hide that verifiers may still accept the key; alone it is told."""
    marks = FullMarks()
    manager = KeyManager(
        store, clock=clock, key_factory=CountedKeys(), marks=marks, wait=lambda seconds: None
    )
    manager.create(RING, seconds_policy(), issuer=ISSUER)
    kid, marks.full, store.down = signing(manager), True, {DocumentKind.PUBLIC}
    with pytest.raises(RemovalUnconfirmed):
        manager.revoke(RING, kid, reason="leaked")
    store.down = set()
    with pytest.raises(StoreFull):
        manager.revoke(RING, kid, reason="leaked")


def test_a_restored_store_is_noticed_and_recovered(made: KeyManager, store: Outages) -> None:
    """With its mark the manager refuses a restored store, writes nothing, and recovers on command."""
    backup = {name: store.read(name) for name in store.names()}
    kid = signing(made)
    made.revoke(RING, kid, reason="leaked")
    for name, copy in backup.items():
        there = store.read(name)
        assert copy is not None
        assert there is not None
        store.replace(name, copy.draft, expected=there.version)
    with pytest.raises(RolledBack):
        made.reconcile(RING)
    assert {name: store.read(name).draft for name in backup} == {  # type: ignore[union-attr]
        name: copy.draft for name, copy in backup.items() if copy is not None
    }
    report = made.recover(RING)
    assert report.keyring.record(kid).compromised is not None
    assert not made.reconcile(RING).changed


@pytest.mark.parametrize("landed", [True, False])
def test_a_lost_answer_is_found_out(clock: FakeClock, landed: bool) -> None:
    """Whether or not the write landed, the pass comes through, and rotates once."""
    store = UncertainStore(MemoryStore())
    manager = KeyManager(store, clock=clock, key_factory=CountedKeys(), listener=Told())
    manager.create(RING, seconds_policy(), issuer=ISSUER)
    clock.advance(6000)
    store.lose(landed=landed)
    report = manager.reconcile(RING)
    assert [entry.action for entry in report.entries].count("promoted") == 1


def test_a_store_that_never_answers_is_unknown(clock: FakeClock) -> None:
    """After some tries the outcome is unknown, and a repeat finds it out."""
    store = UncertainStore(MemoryStore())
    manager = KeyManager(store, clock=clock, key_factory=CountedKeys(), listener=Told())
    manager.create(RING, seconds_policy(), issuer=ISSUER)
    clock.advance(6000)
    for _ in range(4):
        store.lose(landed=False)
    with pytest.raises(OutcomeUnknown):
        manager.reconcile(RING)
    assert manager.reconcile(RING).changed


def test_every_write_conflicting_gives_up(made: KeyManager, store: Outages, clock: FakeClock) -> None:
    """A race that is always lost ends as an error of exit status 4 or 5, with nothing changed."""

    class Contended(MemoryStore):
        def read(self, name: DocumentName) -> Versioned | None:
            return store.read(name)

        def replace(self, name: DocumentName, draft: Draft, *, expected: Version | None) -> Version:
            raise Conflict("somebody else was first")

    clock.advance(6000)
    before = made.keyring(RING)
    other = KeyManager(Contended(), clock=clock, key_factory=CountedKeys(99), listener=Told())
    with pytest.raises((Conflict, OutcomeUnknown)) as lost:
        other.reconcile(RING)
    assert lost.value.exit_status in {4, 5}
    assert made.keyring(RING) == before


# --- clocks --------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", [101, -101, 3_600_000, -3_600_000])
def test_a_stepped_clock_stops_one_pass(made: KeyManager, clock: FakeClock, told: Told, by: int) -> None:
    """A step of more than ε either way is told, with its size, before any gate may open by it."""
    before = made.keyring(RING)
    clock.step_wall(by)
    with pytest.raises(ClockJumped, match="clock_skew is 100ms") as jumped:
        made.reconcile(RING)
    assert jumped.value.exit_status == 3
    assert made.keyring(RING) == before
    assert told[-1] == Event("clock.jumped", "", {"milliseconds": by}, alarm=True)


def test_a_revocation_goes_through_a_stepped_clock(made: KeyManager, clock: FakeClock, told: Told) -> None:
    """What is urgent does not wait for NTP, but the step is told."""
    kid = signing(made)
    clock.step_wall(3_600_000)
    made.revoke(RING, kid, reason="leaked")
    assert "clock.jumped" in told.names


@pytest.mark.parametrize(("behind", "refused"), [(100, False), (101, True)])
def test_a_clock_behind_the_last_write_waits(
    made: KeyManager, store: Outages, behind: int, refused: bool
) -> None:
    """Up to ε behind the last entry is skew; a millisecond more is refused, except in an emergency."""
    made.rotate(RING)
    last = made.keyring(RING).ledger.entries[-1].at
    late = KeyManager(store, clock=FakeClock(last - behind), key_factory=CountedKeys(99), listener=Told())
    if not refused:
        late.reconcile(RING)
        return
    before = made.keyring(RING)
    with pytest.raises(ClockBehind) as told:
        late.reconcile(RING)
    assert told.value.exit_status == 3
    assert made.keyring(RING) == before
    late.revoke(RING, signing(made), reason="leaked")


# --- moving to another store ---------------------------------------------------------------------


@pytest.fixture
def target(clock: FakeClock) -> KeyManager:
    """The manager of an empty store."""
    return KeyManager(MemoryStore(), clock=clock, key_factory=CountedKeys(500), listener=Told())


def test_a_copy_lives_on_and_the_source_is_frozen(made: KeyManager, target: KeyManager) -> None:
    """Every kid, date and entry is there, the source takes no more changes, and a repeat is harmless."""
    before = made.keyring(RING)
    made.copy_to(target, RING, source="memory:a", target="memory:b")
    copied = target.keyring(RING)
    assert [(r.kid, r.state, r.activated) for r in copied.records] == [
        (r.kid, r.state, r.activated) for r in before.records
    ]
    assert copied.ledger.entries[: len(before.ledger.entries)] == before.ledger.entries
    with pytest.raises(KeyringFrozen, match="memory:b"):
        made.reconcile(RING)
    assert not made.copy_to(target, RING, source="memory:a", target="memory:b").changed
    target.reconcile(RING)


def test_a_copy_over_another_keyring_freezes_nothing(made: KeyManager, target: KeyManager) -> None:
    """A target that is taken is refused before the source is closed for good."""
    target.create(RING, seconds_policy(), issuer=ISSUER)
    with pytest.raises(KeyringExists):
        made.copy_to(target, RING)
    assert made.keyring(RING).frozen_to is None
    made.reconcile(RING)


def test_archives_move_along(made: KeyManager, target: KeyManager, clock: FakeClock) -> None:
    """Listed archives are copied before the keyring, so that an archived kid stays taken."""
    for _ in range(60):
        clock.advance(6000)
        made.reconcile(RING)
    made.copy_to(target, RING)
    ring = target.keyring(RING)
    assert ring.archives
    for ref in ring.archives:
        assert target.store.read(DocumentName(RING, DocumentKind.ARCHIVE, ref.number)) is not None
    target.import_key(RING, counted_key("Ed25519", 900))


# --- what it tells --------------------------------------------------------------------------------


def test_listeners_hear_each_entry_and_alarms(made: KeyManager, told: Told) -> None:
    """A rotation is told entry by entry, a keyring without active key alarms."""
    del told[:]
    made.rotate(RING)
    assert {"keyring.deactivated", "keyring.promoted", "keyring.added"} <= set(told.names)
    assert not any(event.alarm for event in told)
    for record in made.keyring(RING).records:
        if record.state in {KeyState.ACTIVE, KeyState.PRE_ACTIVATION}:
            made.revoke(RING, record.kid, reason="leaked")
    assert "keyring.no-active-key" in told.names


def test_a_tampered_document_is_an_alarm_and_is_written_anew(
    made: KeyManager, store: Outages, told: Told
) -> None:
    """Other bytes at our revision are replaced by a new revision's, and told of."""
    made.reconcile(RING)
    name = DocumentName(RING, DocumentKind.PUBLIC)
    there = store.read(name)
    assert there is not None
    forged = there.draft.data.replace(b"https://id.example", b"https://id.evil.ex")
    assert forged != there.draft.data
    store.replace(name, Draft(forged, there.draft.revision, there.draft.write_id), expected=there.version)
    report = made.reconcile(RING)
    assert report.alarms
    assert "keyring.alarm" in told.names
    mended = store.read(name)
    assert mended is not None
    assert b"evil" not in mended.draft.data
    assert not made.reconcile(RING).changed


def test_no_private_half_is_ever_told(
    made: KeyManager, store: Outages, told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither events, reports, logs nor errors, with their chains, hold a private half in any spelling."""
    caplog.set_level(logging.DEBUG)
    shown: list[str] = [repr(made), repr(made.rotate(RING)), repr(made.plan(RING)), repr(store)]
    store.down = {DocumentKind.PUBLIC}
    try:
        made.revoke(RING, signing(made), reason="leaked")
    except RemovalUnconfirmed as error:
        link: BaseException | None = error
        while link is not None:
            shown += [repr(link), str(link), repr(link.args)]
            link = link.__context__ or link.__cause__
    shown += [repr(event) for event in told] + [caplog.text]
    everything = "\n".join(shown)
    halves = [record.private for record in made.keyring(RING).records if record.private]
    assert halves
    for half in halves:
        for spelt in (
            base64url.encode(half),
            half.hex(),
            repr(half)[2:-1],
            msgspec.json.encode(half).decode()[1:20],
        ):
            assert spelt[:24] not in everything


def test_closing_closes_the_store(clock: FakeClock) -> None:
    """A manager is a context manager of its store, if that can be closed at all."""

    class Closable(MemoryStore):
        closed = False

        def close(self) -> None:
            self.closed = True

    store = Closable()
    with KeyManager(store, clock=clock) as manager:
        assert manager.store is store
    assert store.closed


def test_a_time_out_of_a_read_is_the_store_s(clock: FakeClock) -> None:
    """Without an answer to the first read nothing was done."""

    class Silent(MemoryStore):
        def read(self, name: DocumentName) -> Versioned | None:
            raise StoreTimeout("no answer")

    with pytest.raises(StoreTimeout):
        KeyManager(Silent(), clock=clock, listener=Told()).reconcile(RING)

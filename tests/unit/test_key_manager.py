"""KeyManager over a memory store: a whole life, every repetition, and clocks and stores that go back."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from keyvault_jwt import KeyManager
from keyvault_jwt.errors import (
    ClockBehind,
    ClockJumped,
    KeyringExists,
    KeyringFrozen,
    KeyringNotFound,
    RolledBack,
    StoreUnavailable,
)
from keyvault_jwt.events import Event
from keyvault_jwt.keys import KeyState
from keyvault_jwt.marks import MemoryMarks
from keyvault_jwt.report import Report
from keyvault_jwt.store import DocumentKind, DocumentName
from keyvault_jwt.testing import FakeClock
from tests.canary import spellings
from tests.faulty_store import FaultyStore
from tests.model.counted_keys import CountedKeys, counted_key
from tests.model.scenes import ISSUER, seconds_policy

RING = "ring"
AUTHORITY = DocumentName(RING, DocumentKind.AUTHORITY)


class Office:
    """A manager with all that it works with, so that a test can turn the clock and read the events."""

    def __init__(self, clock: FakeClock, first: int = 0) -> None:
        self.store, self.clock, self.marks = FaultyStore(), clock, MemoryMarks()
        self.events: list[Event] = []
        ids = itertools.count(first + 1)
        self.arguments: dict[str, Any] = {
            "clock": clock,
            "key_factory": CountedKeys(first),
            "listener": self.events.append,
            "wait": lambda seconds: clock.advance(int(seconds * 1000)),
            "write_ids": lambda: UUID(int=next(ids)),
        }
        self.manager = self.another(marks=self.marks)

    def another(self, **changes: Any) -> KeyManager:
        """Return another process's manager of the same store."""
        return KeyManager(self.store, **(self.arguments | changes))

    def create(self) -> Report:
        """Make the keyring with the policy of seconds."""
        return self.manager.create(RING, seconds_policy(), issuer=ISSUER)

    def later(self, by: int) -> Report:
        """Let time pass, and one pass do what is due."""
        self.clock.advance(by)
        return self.manager.reconcile(RING)

    @property
    def active(self) -> str:
        """The signing kid."""
        active = self.manager.keyring(RING).active
        return "" if active is None else active.kid

    @property
    def names(self) -> list[str]:
        """What was told, by name."""
        return [event.name for event in self.events]


@pytest.fixture
def office(clock: FakeClock) -> Office:
    """An empty store."""
    return Office(clock)


@pytest.fixture
def ready(office: Office) -> Office:
    """A keyring whose first rotation is done, with both standbys ready."""
    office.create()
    office.later(6000)
    office.later(3600)
    office.events.clear()
    return office


def test_whole_life_of_a_key(office: Office) -> None:
    """Created, signing, verify-only without private half, gone, and at last in an archive."""
    report = office.create()
    first = office.active
    assert report.has_active_key
    assert len(report.keyring.records) == 3
    seen = [KeyState.ACTIVE]
    held = [True]
    while not office.manager.keyring(RING).archives:
        keyring = office.later(500).keyring
        record = next((r for r in keyring.records if r.kid == first), None)
        if record is not None and (record.state, record.can_sign) != (seen[-1], held[-1]):
            seen.append(record.state)
            held.append(record.can_sign)
        assert office.clock.wall() < report.plan.at + 600_000, "no archive was written"
    retired = [KeyState.DEACTIVATED] * 2
    assert seen == [KeyState.ACTIVE, *retired, KeyState.DESTROYED]
    assert held == [True, True, False, False]
    keyring = office.manager.keyring(RING)
    assert first not in {record.kid for record in keyring.records}
    assert office.store.read(DocumentName(RING, DocumentKind.ARCHIVE, 1)) is not None
    assert first not in office.manager.jwks(RING).decode()
    assert office.active


COMMANDS: dict[str, Callable[[KeyManager, str], Report]] = {
    "reconcile": lambda m, kid: m.reconcile(RING),
    "rotate": lambda m, kid: m.rotate(RING, replacing=kid),
    "rotate in an emergency": lambda m, kid: m.rotate(RING, replacing=kid, emergency=True),
    "revoke": lambda m, kid: m.revoke(RING, kid, reason="leaked"),
    "change the policy": lambda m, kid: m.change_policy(
        RING, seconds_policy(jwks_max_age="2s", rotate_every="9s")
    ),
    "migrate": lambda m, kid: m.migrate(RING, to="ES256", confirm=True),
    "import": lambda m, kid: m.import_key(RING, counted_key("Ed25519", 77)),
}


@pytest.mark.parametrize("asked", COMMANDS)
def test_repeated_command_does_nothing_twice(ready: Office, asked: str) -> None:
    """Asked again, as after a lost answer, it commits nothing and leaves every byte in place."""
    kid = ready.active
    first = COMMANDS[asked](ready.manager, kid)
    assert first.changed is (asked != "reconcile")
    kept = ready.store.backup()
    again = COMMANDS[asked](ready.another(marks=MemoryMarks()), kid)
    assert (again.commits, again.entries) == (0, ())
    assert ready.store.backup() == kept


def test_repeated_rollback_does_not_swing(ready: Office) -> None:
    """The second rollback names a key that no longer signs."""
    old = ready.active
    ready.manager.rotate(RING)
    new = ready.active
    ready.manager.rollback(RING, replacing=new)
    assert ready.active == old
    assert not ready.manager.rollback(RING, replacing=new).changed
    assert ready.active == old


def test_name_is_taken_once(ready: Office) -> None:
    """A second creation is refused, and no byte is touched."""
    kept = ready.store.backup()
    with pytest.raises(KeyringExists):
        ready.create()
    assert ready.store.backup() == kept


def test_looking_writes_nothing(ready: Office) -> None:
    """Plans, sets, exports and names are read."""
    kept = ready.store.backup()
    assert ready.manager.plan(RING).next_due is not None
    assert ready.active in ready.manager.jwks(RING).decode()
    assert "d" not in {name for key in ready.manager.export_keys(RING) for name in key}
    assert ready.manager.names() == (RING,)
    assert ready.store.backup() == kept
    with pytest.raises(KeyringNotFound):
        ready.manager.plan("other")


def test_copy_there_and_back_keeps_everything(ready: Office, clock: FakeClock) -> None:
    """Every kid, date and entry is there, each source is frozen, and the keyring lives on."""
    before, there = ready.manager.keyring(RING), Office(clock, 500)
    ready.manager.copy_to(there.manager, RING, source="memory:1", target="memory:2")
    copied = there.manager.keyring(RING)
    assert copied.records == before.records
    assert copied.ledger.entries[: len(before.ledger.entries)] == before.ledger.entries
    assert (
        there.manager.jwks(RING).split(b'"keyvault_jwt"')[0]
        == ready.manager.jwks(RING).split(b'"keyvault_jwt"')[0]
    )
    with pytest.raises(KeyringFrozen, match="memory:2"):
        ready.manager.reconcile(RING)
    there.manager.copy_to(ready.manager, RING, source="memory:2", target="memory:1")
    back = ready.manager.keyring(RING)
    assert back.records == before.records
    assert [e.action for e in back.ledger.entries[len(before.ledger.entries) :]] == ["frozen", "copied"] * 2
    assert back.frozen_to is None
    assert ready.later(6000).has_active_key
    with pytest.raises(KeyringFrozen):
        there.manager.reconcile(RING)


def test_copy_never_covers_a_living_keyring(ready: Office, clock: FakeClock) -> None:
    """What is alive at the target stays, and the source is not even frozen."""
    there = Office(clock, 500)
    there.create()
    with pytest.raises(KeyringExists):
        ready.manager.copy_to(there.manager, RING)
    assert ready.manager.keyring(RING).frozen_to is None


def test_clock_behind_is_refused(ready: Office) -> None:
    """A machine whose clock is behind the last entry by more than ε changes nothing."""
    last = ready.manager.keyring(RING).ledger.entries[-1].at
    kept = ready.store.backup()
    late = ready.another(clock=FakeClock(last - 101))
    with pytest.raises(ClockBehind):
        late.reconcile(RING)
    assert ready.store.backup() == kept
    assert ready.events[-1].alarm
    ready.another(clock=FakeClock(last - 100)).reconcile(RING)


@pytest.mark.parametrize("step", [100_000, -100_000])
def test_clock_that_was_stepped_is_refused_once(ready: Office, step: int) -> None:
    """No gate opens by a clock's correction; the next pass counts from the new setting."""
    kept = ready.store.backup()
    ready.clock.step_wall(step)
    with pytest.raises(ClockJumped):
        ready.manager.reconcile(RING)
    assert ready.store.backup() == kept
    assert [(event.name, event.facts, event.alarm) for event in ready.events] == [
        ("clock.jumped", {"milliseconds": step}, True)
    ]
    if step > 0:
        assert ready.manager.reconcile(RING).changed
    else:
        with pytest.raises(ClockBehind):
            ready.manager.reconcile(RING)


@pytest.mark.parametrize("step", [100_000, -100_000])
def test_revocation_does_not_wait_for_a_clock(ready: Office, step: int) -> None:
    """A leaked key goes at once, whatever the time is said to be."""
    kid = ready.active
    ready.clock.step_wall(step)
    report = ready.manager.revoke(RING, kid, reason="leaked")
    assert report.keyring.record(kid).revoked is not None
    assert kid not in ready.manager.jwks(RING).decode()


def test_restored_store_is_noticed_by_marks(ready: Office) -> None:
    """The memory outside the store tells; one without memory can't know."""
    kept, kid = ready.store.backup(), ready.active
    ready.manager.revoke(RING, kid, reason="leaked")
    ready.store.restore(kept)
    with pytest.raises(RolledBack):
        ready.manager.reconcile(RING)
    assert ready.store.backup() == kept
    assert ready.events[-1].alarm
    assert not ready.another(marks=MemoryMarks()).reconcile(RING).changed
    recovered = ready.manager.recover(RING)
    assert recovered.keyring.record(kid).compromised is not None
    assert kid not in ready.manager.jwks(RING).decode()
    assert ready.manager.reconcile(RING).keyring.epoch > ready.clock.wall() - 100_000


def test_keyring_without_active_key_raises_an_alarm(office: Office) -> None:
    """A revocation with no ready standby stops signing, and says so each time."""
    office.create()
    office.later(6000)
    assert office.manager.revoke(RING, office.active, reason="leaked").has_active_key
    assert not office.manager.revoke(RING, office.active, reason="leaked").has_active_key
    assert (office.names[-1], office.events[-1].alarm) == ("keyring.no-active-key", True)


def test_revocation_bound_counts_from_the_observed_removal(ready: Office) -> None:
    """D + S + C + G + ε in the worst case, poll + C + ε while all goes well."""
    kid = ready.active
    report = ready.manager.revoke(RING, kid, reason="leaked")
    seen = report.keyring.record(kid).revoked
    assert seen is not None
    assert ready.manager.revocation_bound(report, kid) == seen + 3600
    assert ready.manager.usual_bound(report, kid) == seen + 1300
    assert ready.manager.revocation_bound(report, ready.active) is None
    assert ready.manager.usual_bound(report, ready.active) is None


def test_failed_pass_is_told_and_raised(ready: Office) -> None:
    """A store that is down is the store's own error, told by its code."""
    ready.store.failure = StoreUnavailable("no route")
    with pytest.raises(StoreUnavailable):
        ready.manager.reconcile(RING)
    assert [(event.name, event.facts) for event in ready.events] == [
        ("keyring.pass-failed", {"code": "store_unavailable"})
    ]


def test_events_tell_each_entry_and_no_secret(office: Office) -> None:
    """One event per ledger entry; no spelling of any private half in any of them."""
    office.create()
    office.later(6000)
    office.later(3600)
    office.manager.rotate(RING)
    office.manager.revoke(RING, office.active, reason="leaked")
    entries = office.manager.keyring(RING).ledger.entries
    told = [event.facts["seq"] for event in office.events if "seq" in event.facts]
    assert told == [entry.seq for entry in entries]
    text = repr(office.events)
    for number in range(1, office.arguments["key_factory"].made + 1):
        private = counted_key("Ed25519", number).private
        assert private is not None
        assert not any(spelling in text for spelling in spellings("Ed25519", private))

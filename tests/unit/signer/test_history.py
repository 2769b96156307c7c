"""What a signer makes of a store that was restored, forked or is late."""

from __future__ import annotations

import jwt
import pytest

from keyvault_jwt.errors import (
    RolledBack,
    SignerLeaseExpired,
    StoreError,
    StoreUnavailable,
)
from keyvault_jwt.events import Event
from keyvault_jwt.key_manager import KeyManager
from keyvault_jwt.marks import Mark, MemoryMarks
from keyvault_jwt.policy import RotationPolicy
from keyvault_jwt.signer import Signer
from keyvault_jwt.testing import FakeClock
from tests.faulty_store import FAST, FaultyStore
from tests.unit.signer.conftest import CLAIMS, ISSUER, LEASE_MS, POLL_MS, alarms


def test_a_restored_store_is_not_believed(
    signer: Signer, store: FaultyStore, manager: KeyManager, clock: FakeClock, heard: list[Event]
) -> None:
    """An older document alarms, changes nothing, and confirms nothing: the lease runs out."""
    backup = store.backup()
    clock.advance(100)
    manager.rotate("payments")
    signer.refresh()
    kid = signer.kid
    store.restore(backup)
    for _ in range(2):
        signer.refresh()
    assert signer.kid == kid
    assert jwt.get_unverified_header(signer.sign(CLAIMS))["kid"] == kid
    assert alarms(heard) == ["signer.rolled-back"]
    clock.advance(LEASE_MS + 1)
    with pytest.raises(SignerLeaseExpired, match="document_rolled_back"):
        signer.sign(CLAIMS)


def test_a_fork_of_history_is_not_believed(
    signer: Signer, store: FaultyStore, manager: KeyManager, clock: FakeClock
) -> None:
    """A store restored and then written on shows a higher revision of another line: refused too."""
    backup = store.backup()
    clock.advance(100)
    manager.rotate("payments")
    signer.refresh()
    kid = signer.kid
    store.restore(backup)
    stranger = KeyManager(store, clock=clock)
    clock.advance(100)
    stranger.rotate("payments")
    stranger.change_policy("payments", RotationPolicy(**{**FAST.model_dump(), "signer_poll": "100ms"}))
    signer.refresh()
    assert signer.kid == kid
    assert isinstance(signer._follower.failure, RolledBack)


def test_a_mark_kept_outside_outlives_the_process(
    store: FaultyStore, manager: KeyManager, clock: FakeClock
) -> None:
    """A signer restarted over a restored store knows from its marks that time went back."""
    marks = MemoryMarks()
    backup = store.backup()
    clock.advance(100)
    manager.rotate("payments")
    Signer(store, "payments", clock=clock, marks=marks, background=False).sign(CLAIMS)
    store.restore(backup)
    with pytest.raises(RolledBack):
        Signer(store, "payments", clock=clock, marks=marks, background=False).sign(CLAIMS)


def test_a_recovered_keyring_is_followed(
    signer: Signer, store: FaultyStore, manager: KeyManager, clock: FakeClock
) -> None:
    """After `recover` the new epoch is above everything seen, and signing goes on."""
    backup = store.backup()
    clock.advance(100)
    manager.rotate("payments")
    signer.refresh()
    store.restore(backup)
    clock.advance(4_000)
    KeyManager(store, clock=clock).recover("payments")
    signer.refresh()
    assert signer._follower.failure is None


def test_an_older_answer_is_read_again_before_it_alarms(
    store: FaultyStore, clock: FakeClock, heard: list[Event]
) -> None:
    """With a store whose reads may be S old, an older document is only late until S has passed."""
    store.stale = 300
    manager = KeyManager(store, clock=clock, wait=lambda seconds: clock.advance(round(seconds * 1000)))
    policy = RotationPolicy(**{**FAST.model_dump(), "rotate_every": "10s"})
    manager.create("payments", policy, issuer=ISSUER)
    backup = store.backup()
    signer = Signer(store, "payments", clock=clock, listener=heard.append, background=False, jitter=lambda: 0)
    clock.advance(1_000)
    manager.rotate("payments")
    signer.refresh()
    new = store.backup()
    store.restore(backup)
    signer.refresh()
    clock.advance(299)
    signer.refresh()
    assert isinstance(signer._follower.failure, StoreError)
    assert alarms(heard) == []
    assert signer._follower.next_poll() == min(POLL_MS, 300)
    clock.advance(1)
    signer.refresh()
    assert alarms(heard) == ["signer.rolled-back"]
    store.restore(new)
    signer.refresh()
    assert signer._follower.failure is None


def test_marks_that_cannot_be_read_stop_the_first_token(
    store: FaultyStore, manager: KeyManager, clock: FakeClock
) -> None:
    """A mark that can't be read is never taken for one that isn't there."""

    class Unreadable(MemoryMarks):
        def load(self, ring: str) -> Mark | None:
            raise StoreUnavailable("the state directory is gone")

    with pytest.raises(StoreUnavailable, match="state directory"):
        Signer(store, "payments", clock=clock, marks=Unreadable(), background=False).sign(CLAIMS)


def test_marks_that_cannot_be_written_alarm_and_stop_nothing(
    store: FaultyStore, manager: KeyManager, clock: FakeClock, heard: list[Event]
) -> None:
    """A full disk under the marks is an alarm; tokens are signed all the same."""

    class Full(MemoryMarks):
        def save(self, ring: str, mark: Mark) -> Mark:
            raise OSError(28, "No space left on device")

    signer = Signer(store, "payments", clock=clock, marks=Full(), listener=heard.append, background=False)
    signer.sign(CLAIMS)
    assert alarms(heard) == ["signer.mark-unsaved"]

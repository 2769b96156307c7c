"""What the plan lets one expect."""

from __future__ import annotations

from datetime import timedelta

import pytest

from keyvault_jwt.cli.forecast import Forecast
from keyvault_jwt.cli.phase import Phase
from keyvault_jwt.key_manager import KeyManager
from keyvault_jwt.keyring import Keyring
from keyvault_jwt.policy import RotationPolicy
from keyvault_jwt.stores.memory import MemoryStore
from keyvault_jwt.testing import FakeClock

R = timedelta(hours=12)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def manager(clock: FakeClock) -> KeyManager:
    """A manager with one keyring that rotates twice a day."""
    manager = KeyManager(MemoryStore(), clock=clock)
    manager.create("payments", RotationPolicy(rotate_every=R), issuer="https://id.example")
    return manager


def forecast(manager: KeyManager) -> Forecast:
    """Return the forecast as of the manager's clock."""
    keyring, plan = manager.keyring("payments"), manager.plan("payments")
    return Forecast(keyring, plan, plan.at, keyring.policy.timing(0))


def active(keyring: Keyring) -> str:
    assert keyring.active is not None
    return keyring.active.kid


def test_the_forecast_comes_true(manager: KeyManager, clock: FakeClock) -> None:
    """The key foretold to sign next is the one that does, and not before the instant foretold."""
    for _ in range(3):
        kid, when = forecast(manager).handovers()[0]
        clock.advance(when - clock.wall() - 1)
        manager.reconcile("payments")
        assert active(manager.keyring("payments")) != kid
        clock.advance(1)
        manager.reconcile("payments")
        assert active(manager.keyring("payments")) == kid


def test_a_handover_waits_for_the_standby_behind_it(manager: KeyManager, clock: FakeClock) -> None:
    """I5: with one ready standby a due rotation waits until another is ready, as foretold."""
    due = forecast(manager).handovers()[0][1]
    clock.advance(due - clock.wall() - 60_000)
    manager.revoke("payments", manager.keyring("payments").standbys("ES256")[0].kid, reason="drill")
    kid, when = forecast(manager).handovers()[0]
    assert when > due
    clock.advance(when - clock.wall() - 1)
    manager.reconcile("payments")
    assert active(manager.keyring("payments")) != kid
    clock.advance(1)
    manager.reconcile("payments")
    assert active(manager.keyring("payments")) == kid


def test_a_deactivated_key_goes_when_foretold(manager: KeyManager, clock: FakeClock) -> None:
    """A key that verifies only is gone at the instant foretold, and not before."""
    old = active(manager.keyring("payments"))
    manager.rotate("payments")
    record = manager.keyring("payments").record(old)
    (gone,) = forecast(manager).ahead(record, ())
    assert gone.phase is Phase.GONE
    clock.advance(gone.start - clock.wall() - 1)
    manager.reconcile("payments")
    assert manager.keyring("payments").record(old).state.published
    clock.advance(1)
    manager.reconcile("payments")
    assert not manager.keyring("payments").record(old).state.published


def test_without_a_signing_key_the_first_ready_one_is_next(manager: KeyManager, clock: FakeClock) -> None:
    """After every ready key was revoked, the forecast is the earliest lead of a new one."""
    while (record := manager.keyring("payments").active) is not None:
        manager.revoke("payments", record.kid, reason="drill")
    kid, when = forecast(manager).handovers()[0]
    assert when == clock.wall() + manager.keyring("payments").policy.timing(0).exposure
    clock.advance(when - clock.wall())
    manager.reconcile("payments")
    assert active(manager.keyring("payments")) == kid


def test_a_confirmed_migration_hands_over_to_the_new_algorithm(manager: KeyManager, clock: FakeClock) -> None:
    """Once confirmed, the next to sign is a key of the new algorithm, as soon as it is ready."""
    manager.migrate("payments", to="Ed25519", confirm=True)
    kid, when = forecast(manager).handovers()[0]
    assert manager.keyring("payments").record(kid).algorithm == "Ed25519"
    assert when < clock.wall() + R // timedelta(milliseconds=1)
    clock.advance(when - clock.wall())
    manager.reconcile("payments")
    assert active(manager.keyring("payments")) == kid

"""A keyring's whole life in Secrets Manager, with answers that get lost and writers that race."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

import keyvault_jwt as kj
from keyvault_jwt.errors import Conflict, StoreTimeout, StoreUnavailable
from keyvault_jwt.keys import KeyState
from keyvault_jwt.store import DocumentKind, DocumentName, Draft
from keyvault_jwt_aws import open_url, parse_url
from tests.aws.faults import Answers, Breaks, Stalls
from tests.aws.machine import ISSUER, RING, Machine
from tests.aws.strict_secretsmanager import StrictSecretsManager

QUICK = "&connect_timeout=500ms&read_timeout=1s&deadline=10s"
NO_REPEAT = "&connect_timeout=500ms&read_timeout=5s&deadline=500ms"
WRITES = ("PutSecretValue", "UpdateSecretVersionStage")


@pytest.fixture
def machine(prefix_url: str) -> Iterator[Machine]:
    """A machine with a keyring of the policy of seconds."""
    with Machine.with_keyring(prefix_url + QUICK) as made:
        yield made


def promotions(machine: Machine) -> int:
    """Return how many promotions the ledger tells of."""
    entries = machine.manager.keyring(RING).ledger.entries
    return sum(1 for entry in entries if entry.action == "promoted")


def test_rotate_roll_back_and_revoke(machine: Machine) -> None:
    """Tokens of old and new keys are taken through rotations; those of a revoked key are not."""
    first, token = machine.active(), machine.token()
    assert machine.accepts(token)
    for _ in range(22):
        machine.clock.advance(200)
        machine.manager.reconcile(RING)
    machine.manager.rotate(RING)
    second = machine.active()
    assert second != first
    signed_by_second = machine.token()
    assert machine.accepts(signed_by_second)
    machine.manager.rollback(RING)
    assert machine.active() == first
    machine.manager.revoke(RING, first, reason="leaked in a log", accept_refusals=True)
    assert not machine.accepts(token)
    states = {record.kid: record.state for record in machine.manager.keyring(RING).records}
    assert states[first] is KeyState.COMPROMISED


def test_nothing_private_bears_a_label_past_its_key(
    machine: Machine, strict: StrictSecretsManager, prefix_url: str
) -> None:
    """When a key is gone, no labelled version of a private document is another than the current one."""
    first = machine.active()
    for _ in range(4):
        machine.run_to_rest()
    assert machine.manager.keyring(RING).record(first).state is KeyState.DESTROYED
    for kind in (DocumentKind.AUTHORITY, DocumentKind.SIGNING):
        secret = strict.region().secrets[f"{parse_url(prefix_url).prefix}/{DocumentName(RING, kind)}"]
        assert list(secret.labels()) == [secret.holder("AWSCURRENT")]
        assert not any("AWSPENDING" in version.labels for version in secret.versions.values())


@pytest.mark.parametrize("fault", [Breaks(True), Breaks(False), Stalls(True), Stalls(False)])
@pytest.mark.parametrize("operation", WRITES)
@pytest.mark.parametrize("lost", range(3))
def test_lost_answers_do_nothing_twice(
    machine: Machine, strict: StrictSecretsManager, operation: str, lost: int, fault: Breaks | Stalls
) -> None:
    """Whichever write's request loses its answer, carried out or not, one key is promoted, none lost."""
    machine.run_to_rest()
    before, count = machine.manager.keyring(RING), promotions(machine)
    assert before.active is not None
    strict.next(operation, *[None] * lost, fault)
    machine.manager.rotate(RING, replacing=before.active.kid, emergency=True)
    assert not strict.script[operation]
    after = machine.manager.keyring(RING)
    assert after.active is not None
    assert after.active.kid != before.active.kid
    assert promotions(machine) == count + 1
    assert machine.accepts(machine.token())
    assert {record.kid for record in before.records} <= {record.kid for record in after.records}


@pytest.mark.parametrize("carried_out", [True, False])
def test_a_lost_answer_without_repetition(
    prefix_url: str, strict: StrictSecretsManager, carried_out: bool
) -> None:
    """Without time to repeat it, a move whose answer is lost is a time-out; a Put replaces nothing."""
    name, first = DocumentName(RING, DocumentKind.AUTHORITY), Draft(b"1", 1, uuid4())
    with open_url(prefix_url + NO_REPEAT) as store:
        version = store.replace(name, first, expected=None)
        strict.next("UpdateSecretVersionStage", Breaks(carried_out))
        with pytest.raises(StoreTimeout):
            store.replace(name, Draft(b"2", 2, uuid4()), expected=version)
        seen = store.read(name)
        assert seen is not None
        assert seen.draft.data == (b"2" if carried_out else b"1")
        strict.next("PutSecretValue", Breaks(carried_out))
        with pytest.raises(StoreUnavailable):
            store.replace(name, Draft(b"3", 3, uuid4()), expected=seen.version)
        assert store.read(name) == seen


@pytest.mark.parametrize("fault", [Breaks(True), Breaks(False), Answers("InternalServiceError", status=500)])
@pytest.mark.parametrize("operation", WRITES)
def test_a_lost_answer_that_the_sdk_repeats(
    prefix_url: str, strict: StrictSecretsManager, operation: str, fault: Breaks | Answers
) -> None:
    """A write that the SDK sent twice has won, for the label that it can't take twice is on its version."""
    name = DocumentName(RING, DocumentKind.AUTHORITY)
    with open_url(prefix_url + QUICK) as store:
        version = store.replace(name, Draft(b"1", 1, uuid4()), expected=None)
        strict.next(operation, fault)
        version = store.replace(name, Draft(b"2", 2, uuid4()), expected=version)
        seen = store.read(name)
        assert seen is not None
        assert (seen.draft.data, seen.version) == (b"2", version)


@pytest.mark.parametrize("carried_out", [True, False])
def test_a_lost_answer_to_a_creation(
    prefix_url: str, strict: StrictSecretsManager, carried_out: bool
) -> None:
    """The SDK's repetition of a creation that was carried out finds its own version there, and has won."""
    name = DocumentName(RING, DocumentKind.AUTHORITY)
    with open_url(prefix_url + QUICK) as store:
        strict.next(
            "CreateSecret", Breaks(carried_out), Answers("ResourceExistsException") if carried_out else None
        )
        version = store.replace(name, Draft(b"1", 1, uuid4()), expected=None)
        seen = store.read(name)
        assert seen is not None
        assert seen.version == version


def test_the_service_fails_for_a_moment(machine: Machine, strict: StrictSecretsManager) -> None:
    """A 500 after the label moved is repeated, finds the label on our version, and has won."""
    machine.run_to_rest()
    before = machine.active()
    strict.next("UpdateSecretVersionStage", Answers("InternalServiceError", status=500))
    machine.manager.rotate(RING, emergency=True)
    assert machine.active() != before


def test_managers_that_race(machine: Machine, prefix_url: str) -> None:
    """Eight managers that rotate the same key at once promote one key, and all end in the same state."""
    machine.run_to_rest()
    replaced, before = machine.active(), promotions(machine)
    start = threading.Barrier(8)

    def rotate(number: int) -> str:
        with open_url(prefix_url) as store:
            manager = kj.KeyManager(store, clock=machine.clock, listener=lambda event: None)
            start.wait()
            try:
                manager.rotate(RING, replacing=replaced, emergency=True)
            except Conflict:
                return "lost"
            return "done"

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(rotate, range(8)))
    assert "done" in outcomes
    assert machine.active() != replaced
    assert promotions(machine) == before + 1


def test_last_good_set_serves_while_nothing_answers(machine: Machine, strict: StrictSecretsManager) -> None:
    """A verifier goes on with what it has while the service fails; a manager says why it can't."""
    token = machine.token()
    with kj.JWKSCache.from_store(machine.store, RING, clock=machine.clock) as cache:
        verifier = kj.Verifier(
            cache, issuer=ISSUER, audience="api", algorithms=["ES256"], clock=machine.clock
        )
        verifier.verify(token)
        strict.next("GetSecretValue", *[Answers("InternalServiceError", status=500)] * 50)
        verifier.verify(token)
        with pytest.raises(StoreUnavailable):
            machine.manager.keyring(RING)

"""A keyring's whole life with `private_halves=separate`: keys that are dropped are nowhere."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from keyvault_jwt.keyring import Keyring
from keyvault_jwt.keys import KeyState
from keyvault_jwt.policy import RotationPolicy
from keyvault_jwt.store import DocumentKind, DocumentName
from tests.aws.machine import ISSUER, RING, Machine
from tests.aws.separate.remains import Remains
from tests.faulty_store import FAST

KINDS = (DocumentKind.AUTHORITY, DocumentKind.SIGNING, DocumentKind.VERIFICATION)
POLICIES = {"ES256": FAST, "HS256": FAST.model_copy(update={"algorithm": "HS256"})}


@pytest.fixture(params=sorted(POLICIES))
def policy(request: pytest.FixtureRequest) -> RotationPolicy:
    """A policy of seconds, of an asymmetric and of a symmetric algorithm."""
    return POLICIES[request.param]


@pytest.fixture
def machine(separate_url: str, policy: RotationPolicy) -> Iterator[Machine]:
    """A machine with a keyring of that policy."""
    with Machine(separate_url) as made:
        made.manager.create(RING, policy, issuer=ISSUER)
        yield made


def halves(keyring: Keyring) -> dict[str, bytes]:
    """Return the private halves that there are, by kid."""
    return {record.kid: record.private for record in keyring.records if record.private}


def test_a_life(machine: Machine, remains: Remains) -> None:
    """Through rotations and a revocation, what opens is the current version, and no key that was dropped."""
    seen = halves(machine.manager.keyring(RING))
    first = machine.active()
    for _ in range(4):
        machine.run_to_rest()
        seen |= halves(machine.manager.keyring(RING))
    assert machine.manager.keyring(RING).record(first).state is KeyState.DESTROYED
    machine.manager.revoke(RING, machine.active(), reason="leaked in a log", accept_refusals=True)
    now = halves(machine.manager.keyring(RING))
    dropped = {kid: half for kid, half in seen.items() if kid not in now}
    assert dropped
    readable = b""
    for kind in KINDS:
        name = DocumentName(RING, kind)
        if kind is DocumentKind.VERIFICATION and not machine.manager.keyring(RING).symmetric:
            continue
        assert len(remains.readable(name)) == 1
        readable += b"".join(remains.readable(name).values())
    assert all(_spelt(half) in readable for half in now.values())
    assert not any(_spelt(half) in readable + remains.everything() for half in dropped.values())


def _spelt(half: bytes) -> bytes:
    """Return a half as documents spell it."""
    return msgspec.json.encode(half)[1:-1]


def test_tokens_pass(separate_url: str) -> None:
    """Signers and verifiers notice nothing: tokens of the old key and of the new one pass."""
    with Machine.with_keyring(separate_url) as machine:
        for _ in range(12):
            machine.clock.advance(200)
            machine.manager.reconcile(RING)
        old = machine.token()
        machine.manager.rotate(RING)
        assert machine.accepts(old)
        assert machine.accepts(machine.token())

"""A keyring's whole life in OpenBao, and what it costs in requests."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

import keyvault_jwt as kj
from keyvault_jwt.errors import Conflict, StoreUnavailable
from keyvault_jwt.keys import KeyState
from keyvault_jwt.store import DocumentKind, DocumentName
from keyvault_jwt.testing import FakeClock
from keyvault_jwt.testing.bao_server import BaoServer
from keyvault_jwt_vault import open_url
from tests.faulty_store import FAST
from tests.vault.store.fault_proxy import Answers, Breaks, FaultProxy

ISSUER, RING = "https://id.example", "payments"


class Machine:
    """A clock in this process, and what a service makes of the store by it."""

    def __init__(self, url: str) -> None:
        self.clock = FakeClock()
        self.store = open_url(url)
        self.manager = kj.KeyManager(
            self.store,
            clock=self.clock,
            listener=lambda event: None,
            wait=lambda seconds: self.clock.advance(int(seconds * 1000)),
        )

    def token(self) -> str:
        """Return a token by whatever key signs now."""
        with kj.Signer(self.store, RING, issuer=ISSUER, clock=self.clock, background=False) as signer:
            return signer.sign({"sub": "u1", "aud": "api"}, ttl=timedelta(seconds=2))

    def accepts(self, token: str) -> bool:
        """Return whether a verifier that reads the published set now takes the token."""
        with kj.JWKSCache.from_store(self.store, RING, clock=self.clock) as cache:
            verifier = kj.Verifier(
                cache, issuer=ISSUER, audience="api", algorithms=["ES256"], clock=self.clock
            )
            try:
                verifier.verify(token)
            except kj.VerificationError:
                return False
            return True

    def active(self) -> str:
        """Return the kid that signs."""
        found = self.manager.keyring(RING).active
        assert found is not None
        return found.kid

    def run_to_rest(self) -> None:
        """Let time pass in steps of 200 ms until a rotation is over and everything is stamped."""
        for _ in range(60):
            self.clock.advance(200)
            self.manager.reconcile(RING)


def promotions(machine: Machine) -> int:
    """Return how many promotions the ledger tells of."""
    entries = machine.manager.keyring(RING).ledger.entries
    return sum(1 for entry in entries if entry.action == "promoted")


@pytest.fixture
def machine(proxy: FaultProxy, prefix_url: str) -> Iterator[Machine]:
    """A machine with a keyring of the policy of seconds, whose requests the proxy sees."""
    made = Machine(prefix_url)
    with made.manager:
        made.manager.create(RING, FAST, issuer=ISSUER)
        yield made


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
    machine.manager.revoke(RING, second, reason="leaked in a log", accept_refusals=True)
    assert not machine.accepts(signed_by_second)
    states = {record.kid: record.state for record in machine.manager.keyring(RING).records}
    assert states[second] is KeyState.COMPROMISED


def test_nothing_private_outlives_its_key(machine: Machine, bao: BaoServer, prefix_url: str) -> None:
    """When a private half was dropped, no version of any document in the server holds it."""
    first = machine.active()
    for _ in range(4):
        machine.run_to_rest()
    assert machine.manager.keyring(RING).record(first).state is KeyState.DESTROYED
    prefix = prefix_url.rsplit("/", 1)[1]
    for kind in (DocumentKind.AUTHORITY, DocumentKind.SIGNING):
        path = f"{prefix}/{DocumentName(RING, kind)}"
        told = bao.request("GET", f"secret/metadata/{path}")["data"]
        assert len(told["versions"]) == 1


def test_requests_of_a_rotation(
    machine: Machine, proxy: FaultProxy, capsys: pytest.CaptureFixture[str]
) -> None:
    """From due to the last stamp a rotation takes at most ten requests, and an idle pass four."""
    counts, active = [], machine.active()
    for _ in range(90):
        machine.clock.advance(200)
        proxy.requests.clear()
        machine.manager.reconcile(RING)
        counts.append((len(proxy.requests), machine.active()))
    rotations = []
    for count, kid in counts:
        if kid != active:
            rotations.append(count)
            active = kid
    idle = min(count for count, _ in counts)
    with capsys.disabled():
        print(f"\nvault_requests_per_rotation={max(rotations)} vault_requests_per_idle_pass={idle}")
    assert len(rotations) > 1
    assert max(rotations) <= 10
    assert idle <= 4


def test_lost_answers_do_nothing_twice(machine: Machine, proxy: FaultProxy) -> None:
    """Whichever write of a rotation loses its answer, applied or not, one key is promoted and none lost."""
    for lost in range(6):
        for carried_out in (True, False):
            machine.run_to_rest()
            before = machine.manager.keyring(RING)
            assert before.active is not None
            proxy.next("POST", *[None] * lost, Breaks(carried_out))
            machine.manager.rotate(RING, replacing=before.active.kid, emergency=True)
            proxy.script.clear()
            after = machine.manager.keyring(RING)
            assert after.active is not None
            assert after.active.kid != before.active.kid
            assert machine.accepts(machine.token())
            assert {record.kid for record in before.records} <= {record.kid for record in after.records}


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


def test_last_good_set_serves_while_sealed(machine: Machine, proxy: FaultProxy) -> None:
    """A verifier goes on with what it has while the server is sealed; a manager says why it can't."""
    token = machine.token()
    with kj.JWKSCache.from_store(machine.store, RING, clock=machine.clock) as cache:
        verifier = kj.Verifier(
            cache, issuer=ISSUER, audience="api", algorithms=["ES256"], clock=machine.clock
        )
        verifier.verify(token)
        sealed = Answers(503, b'{"errors":["Vault is sealed"]}')
        proxy.next("GET", *[sealed] * 50)
        verifier.verify(token)
        with pytest.raises(StoreUnavailable):
            machine.manager.keyring(RING)

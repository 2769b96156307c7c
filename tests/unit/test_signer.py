"""The signer: what it mints, what it refuses to, and when it stops."""

from __future__ import annotations

import json
import math
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import msgspec
import pytest
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import KeySet

from keyvault_jwt import document
from keyvault_jwt.algorithms import ALGORITHMS
from keyvault_jwt.errors import (
    IssuerMismatch,
    KeyMismatch,
    KeyringNotFound,
    MissingExtra,
    NoActiveKey,
    RolledBack,
    SignerLeaseExpired,
    StoreError,
    StoreUnavailable,
    TokenRefused,
    UsageError,
)
from keyvault_jwt.events import Event
from keyvault_jwt.key_factory import FreshKey, LocalKeyFactory, load_private
from keyvault_jwt.key_manager import KeyManager
from keyvault_jwt.marks import Mark, MemoryMarks
from keyvault_jwt.policy import RotationPolicy
from keyvault_jwt.signer import Signer
from keyvault_jwt.store import DocumentKind, DocumentName
from keyvault_jwt.testing import FakeClock
from tests.faulty_store import FAST, FaultyStore
from tests.waiting import until

ISSUER = "https://id.example"
SIGNING = DocumentName("payments", DocumentKind.SIGNING)
CLAIMS = {"sub": "u1", "aud": "api"}
LEASE_MS, POLL_MS = 1500, 200


@pytest.fixture
def clock() -> FakeClock:
    """A clock that the test moves."""
    return FakeClock()


@pytest.fixture
def store() -> FaultyStore:
    """An empty store that can be broken."""
    return FaultyStore()


@pytest.fixture
def manager(store: FaultyStore, clock: FakeClock) -> KeyManager:
    """A manager whose keyring `payments` has the policy of seconds."""
    manager = KeyManager(store, clock=clock)
    manager.create("payments", FAST, issuer=ISSUER)
    return manager


@pytest.fixture
def heard() -> list[Event]:
    """The events that the signer told."""
    return []


@pytest.fixture
def signer(store: FaultyStore, manager: KeyManager, clock: FakeClock, heard: list[Event]) -> Iterator[Signer]:
    """A signer without a thread: the test refreshes it."""
    with Signer(store, "payments", clock=clock, listener=heard.append, background=False) as signer:
        yield signer


@pytest.fixture
def opened(manager: KeyManager, clock: FakeClock) -> Callable[[str], dict[str, Any]]:
    """Verify a token with PyJWT against the manager's JWKS, at the fake time, and return its claims."""

    def verify(token: str) -> dict[str, Any]:
        keys = jwt.PyJWKSet.from_json(manager.jwks("payments").decode())
        key = keys[jwt.get_unverified_header(token)["kid"]]
        claims: dict[str, Any] = jwt.decode(
            token, key, options={"verify_exp": False, "verify_iat": False, "verify_aud": False}
        )
        return claims

    return verify


def alarms(heard: list[Event]) -> list[str]:
    return [event.name for event in heard if event.alarm]


# --- minting -----------------------------------------------------------------------------------


def test_a_token_carries_issuer_times_and_kid(
    signer: Signer, clock: FakeClock, manager: KeyManager, opened: Callable[[str], dict[str, Any]]
) -> None:
    """iss is the keyring's, iat the floor of now, exp iat + L, and the header names alg, kid and typ."""
    clock.advance(700)
    signer.refresh()
    token = signer.sign(CLAIMS)
    now = clock.wall() // 1000
    assert opened(token) == {**CLAIMS, "iss": ISSUER, "iat": now, "exp": now + 2}
    active = manager.keyring("payments").active
    assert active is not None
    assert jwt.get_unverified_header(token) == {"alg": "ES256", "kid": active.kid, "typ": "JWT"}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_signs_what_its_verifier_takes(
    algorithm: str, store: FaultyStore, clock: FakeClock
) -> None:
    """A keyring of each algorithm mints tokens that its verifier accepts, and joserfc where it can."""
    manager = KeyManager(store, clock=clock)
    manager.create("ring", RotationPolicy(algorithm=algorithm), issuer=ISSUER)
    token = Signer(store, "ring", clock=clock, background=False).sign(CLAIMS)
    signing_input, _, signature = token.rpartition(".")
    active = manager.keyring("ring").active
    assert active is not None
    assert active.private is not None
    key = load_private(algorithm, active.private)
    row = ALGORITHMS[algorithm]
    public = key if row.symmetric else key.public_key()  # type: ignore[union-attr]
    raw = jwt.utils.base64url_decode(signature)
    assert row.verifier(public)(raw, signing_input.encode())
    assert not row.verifier(public)(raw, signing_input.encode() + b"x")
    if not row.symmetric and row.kty != "AKP":
        keys = KeySet.import_key_set(json.loads(manager.jwks("ring")))
        decoded = joserfc_jwt.decode(token, keys, algorithms=[algorithm])
        assert decoded.claims["sub"] == "u1"


def test_a_ttl_shortens_the_life(signer: Signer, opened: Callable[[str], dict[str, Any]]) -> None:
    """ttl sets exp; a fraction of a second is cut off, never added."""
    claims = opened(signer.sign(CLAIMS, ttl=timedelta(milliseconds=1900)))
    assert claims["exp"] - claims["iat"] == 1


def test_the_longest_life_is_allowed_to_the_millisecond(
    signer: Signer, clock: FakeClock, opened: Callable[[str], dict[str, Any]]
) -> None:
    """exp − iat may be L exactly, by ttl or by the caller's exp, whole or not, and no more."""
    now = clock.wall() // 1000
    assert opened(signer.sign(CLAIMS, ttl=timedelta(seconds=2)))["exp"] == now + 2
    assert opened(signer.sign({**CLAIMS, "exp": now + 2}))["exp"] == now + 2
    assert opened(signer.sign({**CLAIMS, "exp": now + 1.5}))["exp"] == now + 1.5
    for life in ({"ttl": timedelta(milliseconds=2001)}, {"claims": {"exp": now + 2.001}}):
        claims: dict[str, Any] = CLAIMS | life.get("claims", {})  # type: ignore[operator]
        with pytest.raises(TokenRefused, match="longer than 2s"):
            signer.sign(claims, ttl=life.get("ttl"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "claims",
    [
        {"iat": 1_700_000_000},
        {"iat": None},
        {"iss": "https://other.example"},
        {"iss": None},
        {"exp": True},
        {"exp": "1900000000"},
        {"exp": math.inf},
        {"exp": math.nan},
        {"exp": None},
        {"exp": datetime(2026, 1, 1, tzinfo=UTC)},
        pytest.param({"exp": 10**400}, id="exp-400-digits"),
        pytest.param({"nbf": -(10**400)}, id="nbf-400-digits"),
        {"exp": 0},
        {"exp": -5},
        {"nbf": False},
        {"nbf": "soon"},
        {"nbf": -math.inf},
        {"sub": 7},
        {"jti": 7},
        {"aud": 7},
        {"aud": ["api", 7]},
        {"x": math.nan},
        {"x": [1, {"y": math.inf}]},
        pytest.param({"x": object()}, id="an object"),
        {"x": "\ud800"},
        {1: "x"},
    ],
    ids=repr,
)
def test_claims_that_no_verifier_should_see_are_refused(signer: Signer, claims: dict[Any, Any]) -> None:
    """A caller's iat or another issuer, dates that are no numbers, and what has no JSON form."""
    with pytest.raises(TokenRefused):
        signer.sign({**CLAIMS, **claims})


def test_claims_that_hold_themselves_are_refused(signer: Signer) -> None:
    """A claim that contains itself is a refusal, not a crash."""
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(TokenRefused):
        signer.sign({"x": loop})


@pytest.mark.parametrize("claims", [None, [], "sub", 7])
def test_claims_that_are_no_mapping_are_refused(signer: Signer, claims: Any) -> None:
    """Claims of another type are a typed refusal."""
    with pytest.raises(TokenRefused):
        signer.sign(claims)


def test_no_refusal_quotes_a_value(signer: Signer) -> None:
    """Refusals name the claim and never what it held, since claims may be personal."""
    for claims in ({"exp": "canary"}, {"x": ["canary", object()]}, {"sub": ["canary"]}, {"iss": "canary"}):
        with pytest.raises(TokenRefused) as refused:
            signer.sign(claims)
        error: BaseException | None = refused.value
        while error is not None:
            assert "canary" not in f"{error!s}{error!r}"
            error = error.__cause__


def test_null_and_finite_values_pass(signer: Signer, opened: Callable[[str], dict[str, Any]]) -> None:
    """A claim that is None stays null: only numbers that JSON lacks are refused."""
    claims = {"x": None, "y": [None, 1.5, {"z": "null"}], "iss": ISSUER}
    assert claims.items() <= opened(signer.sign(claims)).items()


def test_the_callers_claims_are_left_alone(signer: Signer) -> None:
    """Signing doesn't change the mapping that it was given."""
    claims = dict(CLAIMS)
    signer.sign(claims)
    assert claims == CLAIMS


@pytest.mark.parametrize("ttl", [timedelta(0), timedelta(seconds=-1), timedelta(milliseconds=999), 60, True])
def test_a_ttl_that_is_no_time_is_refused(signer: Signer, ttl: Any) -> None:
    """A life of under a second can't be told in whole seconds, and a number is no timedelta."""
    with pytest.raises(TokenRefused):
        signer.sign(CLAIMS, ttl=ttl)


def test_a_ttl_and_an_exp_are_refused(signer: Signer, clock: FakeClock) -> None:
    """Two answers to one question are refused."""
    with pytest.raises(TokenRefused, match="both"):
        signer.sign({"exp": clock.wall() // 1000 + 1}, ttl=timedelta(seconds=1))


def test_a_caller_may_set_typ_and_members_of_its_own(signer: Signer) -> None:
    """RFC 9068's at+jwt and a private member go into the header beside alg and kid."""
    header = jwt.get_unverified_header(signer.sign(CLAIMS, headers={"typ": "at+jwt", "tenant": "t1"}))
    assert (header["typ"], header["tenant"], header["kid"]) == ("at+jwt", "t1", signer.kid)


@pytest.mark.parametrize(
    "name", ["alg", "kid", "crit", "b64", "jku", "jwk", "x5u", "x5c", "x5t", "x5t#S256", "enc", "zip"]
)
def test_a_caller_may_not_say_how_the_token_is_verified(signer: Signer, name: str) -> None:
    """The header members that pick the key or the algorithm are the signer's."""
    with pytest.raises(TokenRefused, match=name):
        signer.sign(CLAIMS, headers={name: "none"})


@pytest.mark.parametrize("headers", [{"typ": 7}, {"x": math.nan}, {7: "x"}], ids=repr)
def test_a_header_without_json_form_is_refused(signer: Signer, headers: dict[Any, Any]) -> None:
    """A header is held to the same rules as claims."""
    with pytest.raises(TokenRefused):
        signer.sign(CLAIMS, headers=headers)


# --- the lease ---------------------------------------------------------------------------------


def test_the_first_use_reads(store: FaultyStore, manager: KeyManager, clock: FakeClock) -> None:
    """Making a signer reads nothing; its first token does."""
    signer = Signer(store, "payments", clock=clock, background=False)
    store.reads.clear()
    signer.sign(CLAIMS)
    assert store.reads == {SIGNING: 1}


def test_signing_goes_on_to_the_end_of_the_lease_and_no_further(
    signer: Signer, store: FaultyStore, clock: FakeClock, heard: list[Event]
) -> None:
    """At P exactly a token is signed without a read; a millisecond later, with the store down, none is."""
    store.failure = StoreUnavailable("down")
    reads = store.reads.total()
    clock.advance(LEASE_MS)
    signer.sign(CLAIMS)
    assert store.reads.total() == reads
    clock.advance(1)
    with pytest.raises(SignerLeaseExpired, match="store_unavailable"):
        signer.sign(CLAIMS)
    assert "signer.lease-expired" in alarms(heard)


def test_past_the_lease_one_read_is_tried_and_mends_it(
    signer: Signer, store: FaultyStore, clock: FakeClock
) -> None:
    """With the store up, a signer that slept past its lease reads once and signs."""
    clock.advance(60_000)
    reads = store.reads.total()
    signer.sign(CLAIMS)
    assert store.reads.total() == reads + 1


def test_a_dead_store_is_not_asked_again_by_every_caller(
    signer: Signer, store: FaultyStore, clock: FakeClock
) -> None:
    """Callers past the lease share the failure for a while, so that an outage isn't made worse."""
    store.failure = StoreUnavailable("down")
    clock.advance(LEASE_MS + 1)
    reads = store.reads.total()
    for _ in range(5):
        with pytest.raises(SignerLeaseExpired):
            signer.sign(CLAIMS)
    assert store.reads.total() == reads + 1
    clock.advance(POLL_MS)
    store.failure = None
    signer.sign(CLAIMS)


def test_the_lease_counts_from_when_the_request_was_sent(
    store: FaultyStore, manager: KeyManager, clock: FakeClock
) -> None:
    """A slow answer has used up its lease on the way: what it says may be as old as the request."""

    class SlowStore(FaultyStore):
        def read(self, name: DocumentName) -> Any:
            clock.advance(LEASE_MS)
            return store.read(name)

    signer = Signer(SlowStore(), "payments", clock=clock, background=False)
    signer.sign(CLAIMS)
    store.failure = StoreUnavailable("down")
    clock.advance(1)
    with pytest.raises(SignerLeaseExpired):
        signer.sign(CLAIMS)


def test_an_answer_slower_than_the_lease_is_worth_nothing(
    store: FaultyStore, manager: KeyManager, clock: FakeClock
) -> None:
    """A first read that took longer than P leaves nothing to sign under."""

    class SlowStore(FaultyStore):
        def read(self, name: DocumentName) -> Any:
            clock.advance(LEASE_MS + 1)
            return store.read(name)

    with pytest.raises(SignerLeaseExpired):
        Signer(SlowStore(), "payments", clock=clock, background=False).sign(CLAIMS)


@pytest.mark.parametrize("step", [-3_600_000, 3_600_000])
def test_a_stepped_wall_clock_never_stretches_the_lease(
    signer: Signer, store: FaultyStore, clock: FakeClock, step: int
) -> None:
    """The larger of both clocks counts: set back, the monotonic one ends the lease; set forward, the wall."""
    store.failure = StoreUnavailable("down")
    clock.step_wall(step)
    clock.advance(LEASE_MS + 1 if step < 0 else 0)
    with pytest.raises(SignerLeaseExpired):
        signer.sign(CLAIMS)


def test_iat_is_an_instant_under_the_lease(
    store: FaultyStore, manager: KeyManager, opened: Callable[[str], dict[str, Any]]
) -> None:
    """A clock that jumps between the check and the token can't date a token past the lease."""

    class Jumping(FakeClock):
        looks = 0

        def wall(self) -> int:
            self.looks += 1
            return super().wall() + self.looks

    jumping = Jumping(wall=FakeClock().wall() + 900)
    signer = Signer(store, "payments", clock=jumping, background=False)
    signer.refresh()
    sent = jumping.wall()
    seen = {opened(signer.sign(CLAIMS, ttl=timedelta(seconds=1)))["iat"] for _ in range(40)}
    assert max(seen) * 1000 <= sent + LEASE_MS


def test_a_failed_read_keeps_the_last_good_key(signer: Signer, store: FaultyStore, clock: FakeClock) -> None:
    """Inside the lease an outage, a vanished and a corrupt document change nothing."""
    kid, good = signer.kid, store.backup()
    found = good[SIGNING]
    torn = replace(found, draft=replace(found.draft, data=found.draft.data[:-9]))
    for broken in ({}, {SIGNING: torn}):
        store.restore(broken)
        signer.refresh()
        assert jwt.get_unverified_header(signer.sign(CLAIMS))["kid"] == kid
    store.restore(good)
    store.failure = StoreUnavailable("down")
    clock.advance(LEASE_MS)
    signer.refresh()
    assert jwt.get_unverified_header(signer.sign(CLAIMS))["kid"] == kid


def test_a_store_that_raises_anything_is_a_failed_read(signer: Signer, store: FaultyStore) -> None:
    """An exception outside our tree, of a store of anyone's, ends neither the signer nor leaks its text."""
    store.failure = RuntimeError("canary")
    signer.refresh()
    signer.sign(CLAIMS)
    assert "canary" not in repr(signer._follower.failure)


def test_before_the_first_read_the_stores_own_error_is_raised(
    store: FaultyStore, manager: KeyManager, clock: FakeClock
) -> None:
    """A keyring that isn't there, or a store that is down, is said as it is; a second try may succeed."""
    with pytest.raises(KeyringNotFound):
        Signer(store, "nobody", clock=clock, background=False).sign(CLAIMS)
    store.failure = StoreUnavailable("down")
    signer = Signer(store, "payments", clock=clock, background=False)
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            signer.sign(CLAIMS)
    store.failure = None
    clock.advance(1_000)
    signer.sign(CLAIMS)


def test_a_bad_ring_name_is_refused_at_once(store: FaultyStore) -> None:
    """A name that no keyring can have never reaches the store."""
    with pytest.raises(UsageError):
        Signer(store, "../payments")


# --- what the document says --------------------------------------------------------------------


def test_the_key_switches_at_the_next_read(
    signer: Signer, manager: KeyManager, clock: FakeClock, heard: list[Event]
) -> None:
    """After a rotation the next read signs with the new key, and says so once."""
    old = signer.kid
    clock.advance(100)
    new = manager.rotate("payments").keyring.active
    assert new is not None
    assert signer.kid == old
    heard.clear()
    signer.refresh()
    signer.refresh()
    assert signer.kid == new.kid != old
    assert [(event.name, event.facts["kid"]) for event in heard] == [("signer.changed", new.kid)]


def test_without_an_active_key_nothing_is_signed(
    signer: Signer, manager: KeyManager, clock: FakeClock, heard: list[Event]
) -> None:
    """A document whose key is None stops the signer at once, loudly, and a later key starts it again."""
    for record in manager.keyring("payments").records:
        manager.revoke("payments", record.kid, reason="leaked")
    signer.refresh()
    with pytest.raises(NoActiveKey):
        signer.sign(CLAIMS)
    assert signer.kid is None
    assert "signer.changed" in alarms(heard)
    clock.advance(4_000)
    manager.reconcile("payments")
    signer.refresh()
    signer.sign(CLAIMS)


def test_an_issuer_that_is_not_the_keyrings_is_refused(
    store: FaultyStore, manager: KeyManager, clock: FakeClock
) -> None:
    """A signer made for another issuer signs nothing, and says which issuer the keyring has."""
    Signer(store, "payments", issuer=ISSUER, clock=clock, background=False).sign(CLAIMS)
    with pytest.raises(IssuerMismatch, match=ISSUER):
        Signer(store, "payments", issuer=ISSUER + "/", clock=clock, background=False).sign(CLAIMS)


def test_a_policy_change_is_obeyed_at_the_next_read(
    signer: Signer, manager: KeyManager, clock: FakeClock
) -> None:
    """A shorter L holds from the next read on."""
    manager.change_policy("payments", RotationPolicy(**{**FAST.model_dump(), "token_ttl": "1s"}))
    signer.refresh()
    with pytest.raises(TokenRefused, match="longer than 1s"):
        signer.sign(CLAIMS, ttl=timedelta(seconds=2))


def test_a_private_half_of_another_key_is_never_used(
    store: FaultyStore, manager: KeyManager, clock: FakeClock
) -> None:
    """A signing document whose halves don't match is refused."""
    keyring = manager.keyring("payments")
    signing = document.derive(DocumentKind.SIGNING, keyring)
    assert isinstance(signing, document.SigningDocument)
    assert signing.key is not None
    other = LocalKeyFactory().make("ES256")
    wrong = msgspec.structs.replace(signing, key=msgspec.structs.replace(signing.key, private=other.private))
    found = store.read(SIGNING)
    assert found is not None
    store.replace(SIGNING, document.derived_draft(DocumentKind.SIGNING, wrong), expected=found.version)
    with pytest.raises(KeyMismatch):
        Signer(store, "payments", clock=clock, background=False).sign(CLAIMS)


# --- history -----------------------------------------------------------------------------------


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


# --- remote signers ----------------------------------------------------------------------------


class RemoteStore(FaultyStore):
    """A store that keeps private halves to itself and signs by reference."""

    def __init__(self) -> None:
        super().__init__()
        self.keys: dict[str, FreshKey] = {}

    def make(self, algorithm: str) -> FreshKey:
        fresh = LocalKeyFactory().make(algorithm)
        self.keys[f"transit/{fresh.kid}"] = fresh
        return FreshKey(
            kid=fresh.kid, algorithm=algorithm, public=fresh.public, reference=f"transit/{fresh.kid}"
        )

    def sign(self, reference: str, algorithm: str, data: bytes) -> bytes:
        fresh = self.keys[reference]
        assert fresh.private is not None
        return ALGORITHMS[algorithm].signer(load_private(algorithm, fresh.private))(data)


def test_a_key_held_remotely_signs_through_the_store(clock: FakeClock) -> None:
    """With a reference in place of the private half, the store signs and PyJWT accepts."""
    store = RemoteStore()
    manager = KeyManager(store, clock=clock, key_factory=store)
    manager.create("payments", FAST, issuer=ISSUER)
    token = Signer(store, "payments", clock=clock, background=False).sign(CLAIMS)
    keys = jwt.PyJWKSet.from_json(manager.jwks("payments").decode())
    jwt.api_jws.decode(token, keys[jwt.get_unverified_header(token)["kid"]], algorithms=["ES256"])


def test_a_reference_without_a_remote_signer_is_said(clock: FakeClock) -> None:
    """The same keyring through a store that can't sign is one clear error."""
    remote, plain = RemoteStore(), FaultyStore()
    KeyManager(remote, clock=clock, key_factory=remote).create("payments", FAST, issuer=ISSUER)
    plain.restore(remote.backup())
    with pytest.raises(MissingExtra, match="remote signer"):
        Signer(plain, "payments", clock=clock, background=False).sign(CLAIMS)


# --- threads, forks and secrets ----------------------------------------------------------------


def test_no_thread_is_left_after_close(store: FaultyStore, manager: KeyManager) -> None:
    """The poller lives from the first use to `close`; a closed signer signs nothing."""
    before = set(threading.enumerate())
    signer = Signer(store, "payments", clock=FakeClock())
    signer.sign(CLAIMS)
    (thread,) = set(threading.enumerate()) - before
    assert thread.daemon
    assert "payments" in thread.name
    signer.close()
    assert set(threading.enumerate()) <= before
    with pytest.raises(UsageError, match="closed"):
        signer.sign(CLAIMS)
    assert set(threading.enumerate()) <= before


def test_a_forgotten_signer_takes_its_thread_along(store: FaultyStore, manager: KeyManager) -> None:
    """A signer that nobody holds any more doesn't poll for ever."""
    before = set(threading.enumerate())
    signer = Signer(store, "payments", clock=FakeClock())
    signer.sign(CLAIMS)
    (thread,) = set(threading.enumerate()) - before
    del signer
    thread.join(10)
    assert not thread.is_alive()


def test_a_silent_store_does_not_hang_callers(store: FaultyStore, manager: KeyManager) -> None:
    """Callers wait for a store that doesn't answer as long as their patience says, and so does `close`."""
    store.open.clear()
    store.reads.clear()
    signer = Signer(store, "payments", patience=timedelta(milliseconds=50))
    try:
        for _ in range(3):
            with pytest.raises(StoreError, match="did not answer within 50ms"):
                signer.sign(CLAIMS)
        assert store.reads.total() == 1
        signer.close()
    finally:
        store.open.set()


def test_past_the_lease_the_poller_is_woken(store: FaultyStore, clock: FakeClock) -> None:
    """A caller past the lease doesn't wait for the next poll, half a minute away: it is read at once."""
    KeyManager(store, clock=clock).create("slow", RotationPolicy(), issuer=ISSUER)
    with Signer(store, "slow", clock=clock) as signer:
        clock.advance(timedelta(hours=2))
        signer.sign(CLAIMS)


def test_many_threads_share_one_first_read(store: FaultyStore, manager: KeyManager) -> None:
    """Twenty threads that sign at once cause one read, and all get their token."""
    store.open.clear()
    store.reads.clear()
    tokens: list[str] = []
    signer = Signer(store, "payments", clock=FakeClock())
    threads = [threading.Thread(target=lambda: tokens.append(signer.sign(CLAIMS))) for _ in range(20)]
    for thread in threads:
        thread.start()
    until(store.reads.total)
    store.open.set()
    for thread in threads:
        thread.join(10)
    signer.close()
    assert len(tokens) == 20
    assert store.reads.total() <= 2


def test_a_listener_that_fails_does_not_end_the_polling(
    store: FaultyStore, manager: KeyManager, caplog: pytest.LogCaptureFixture
) -> None:
    """An observer's bug is logged, and the key is switched all the same."""

    def broken(event: Event) -> None:
        raise ValueError("a bug")

    with Signer(store, "payments", listener=broken) as signer:
        old = signer.kid
        KeyManager(store).rotate("payments", emergency=True)
        until(lambda: signer.kid != old)
    assert "the listener of a signer failed" in caplog.text


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_signs_with_a_poller_of_its_own(store: FaultyStore, manager: KeyManager) -> None:
    """A child forked while the parent's read hangs, its lock held, reads and signs by itself."""
    signer = Signer(store, "payments", clock=(clock := FakeClock()))
    signer.sign(CLAIMS)
    clock.advance(LEASE_MS + 1)
    hung, reads = store.open, store.reads.total()
    hung.clear()
    until(lambda: store.reads.total() > reads)
    store.open = threading.Event()
    store.open.set()
    child = os.fork()
    if child == 0:
        try:
            signer.sign(CLAIMS)
            signer.close()
            os._exit(0 if threading.active_count() == 1 else 3)
        except BaseException:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    hung.set()
    signer.close()
    assert os.waitstatus_to_exitcode(status) == 0


def test_no_representation_shows_a_secret(
    store: FaultyStore, manager: KeyManager, signer: Signer, caplog: pytest.LogCaptureFixture
) -> None:
    """The private half is in no repr of the signer or of anything it holds."""
    active = manager.keyring("payments").active
    assert active is not None
    assert active.private is not None
    signer.sign(CLAIMS)
    held = signer._follower.held
    assert held is not None
    shown = f"{signer!r}{signer._follower!r}{held!r}{held.reading!r}{held.reading.value!r}{caplog.text}"
    for secret in (active.private, active.private[-40:]):
        assert secret.hex() not in shown
        assert repr(secret)[2:-1] not in shown

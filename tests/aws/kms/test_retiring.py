"""Keys that no document needs are scheduled for deletion; one that is needed, or may be, never is."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from contextlib import suppress
from uuid import uuid4

import pytest

import keyvault_jwt as kj
from keyvault_jwt import document
from keyvault_jwt.errors import StoreTimeout, StoreUnavailable
from keyvault_jwt.key_factory import FreshKey
from keyvault_jwt.remote_signer import RemoteKey
from keyvault_jwt.store import DocumentKind, DocumentName
from keyvault_jwt_aws.errors import Denied
from tests.aws.faults import Answers, Breaks
from tests.aws.kms.conftest import ISSUER, RING, Workshop, opened
from tests.aws.strict_secretsmanager import StrictSecretsManager
from tests.faulty_store import FAST


def require_rest(workshop: Workshop) -> None:
    """Fail unless the keys that can sign are exactly those that the authority names."""
    assert workshop.kms.usable(workshop.keyring_tag) == workshop.named
    assert all(workshop.kms.of(arn).state == "Enabled" for arn in workshop.named)


def told(workshop: Workshop, **options: str | None) -> list[RemoteKey]:
    """Return the keys as a manager tells the store of them."""
    records = workshop.manager.keyring(RING).records
    return [RemoteKey(r.algorithm, r.fingerprint, options.get("reference", r.reference)) for r in records]


def test_a_rotation_lets_the_old_key_go(workshop: Workshop) -> None:
    """Rotation after rotation, just the keys that documents name can sign; the rest is going, in 7 days."""
    workshop.create()
    first = workshop.kms.of(workshop.active.reference)
    for _ in range(2):
        token = workshop.token()
        workshop.pass_by(1000)
        assert workshop.claims(token)["sub"] == "u1"
        workshop.pass_by(6500)
    assert (first.state, first.window) == ("PendingDeletion", 7)
    require_rest(workshop)
    assert first.tags == {"keyvault-jwt-keyring": workshop.keyring_tag, "keyvault-jwt-algorithm": "ES256"}


def test_the_window_and_tags_of_the_url(workshop: Workshop) -> None:
    """`kms_window` and `tags` are given to KMS as they are to Secrets Manager."""
    with opened(f"{workshop.url}&kms_window=30d&tags=team%3Dpayments") as store:
        made = store.key_factory(RING).make("ES256")
        key = workshop.kms.of(made.reference)
        store.keep(RING, [RemoteKey("ES256", made.kid, None)])
    assert (key.state, key.window, key.tags["team"]) == ("PendingDeletion", 30, "payments")


def test_a_revoked_key_goes_at_once(workshop: Workshop) -> None:
    """Be it the newest of all, a key whose reference was dropped is known by its public half."""
    workshop.create()
    newest = max(workshop.manager.keyring(RING).records, key=lambda r: workshop.kms.of(r.reference).made)
    key = workshop.kms.of(newest.reference)
    workshop.manager.revoke(RING, newest.kid, reason="tried out", accept_refusals=True)
    assert key.state == "PendingDeletion"
    require_rest(workshop)


def test_nothing_is_left_of_a_keyring_without_references(workshop: Workshop) -> None:
    """When nothing is referred to any more, all goes; telling it again does no harm."""
    workshop.create()
    for _ in range(2):
        workshop.store.keep(RING, told(workshop, reference=None))
        assert not workshop.kms.usable(workshop.keyring_tag)


def test_fresh_keys_of_others_stay(workshop: Workshop) -> None:
    """What another rotator has just made is newer than all that is named, and is kept."""
    workshop.create()
    with opened(workshop.url) as other:
        fresh = other.key_factory(RING).make("ES256")
        workshop.kms.seconds += 86_400
        workshop.store.keep(RING, told(workshop))
        workshop.store.keep(RING, told(workshop, reference=None))
        assert fresh.reference is not None
        assert other.sign(fresh.reference, "ES256", b"x")


def test_what_is_told_late_does_no_harm(workshop: Workshop) -> None:
    """A rotator that still believes in an older state takes no key that was committed since."""
    workshop.create()
    before = told(workshop)
    workshop.pass_by(12_000)
    rest = workshop.named
    with pytest.raises(kj.KeyvaultJWTError, match="scheduled for deletion"):
        workshop.store.keep(RING, before)
    assert workshop.named == rest
    require_rest(workshop)


def test_another_keyrings_keys_stay(workshop: Workshop) -> None:
    """Keys of another keyring or place, or with a tag alone, are none of this keyring's business."""
    workshop.create()
    workshop.manager.create("users", FAST, issuer=ISSUER)
    stranger = workshop.kms.of(opened(workshop.url).key_factory("third").make("ES256").reference)
    stranger.tags = {"keyvault-jwt-keyring": workshop.keyring_tag}
    workshop.pass_by(12_000)
    assert len(workshop.kms.usable(workshop.keyring_tag.replace(RING, "users"))) == 3
    assert stranger.state == "Enabled"


@pytest.mark.parametrize("fault", [Breaks(True), Answers("KMSInternalException", status=500)])
def test_a_lost_answer_to_a_creation(workshop: Workshop, fault: Breaks) -> None:
    """The SDK asks again; the key that nobody heard of goes when a newer one is named."""
    workshop.kms.next("CreateKey", fault)
    workshop.create()
    assert len(workshop.kms.keys) == 3 + (fault == Breaks(True))
    workshop.pass_by(12_000)
    require_rest(workshop)


def test_a_key_that_got_into_no_document_is_used_next(
    workshop: Workshop, strict: StrictSecretsManager
) -> None:
    """While writes fail, each pass takes up the key that the one before made: no heap of keys is left."""
    workshop.create()
    workshop.pass_by(4000)
    known = set(workshop.kms.keys)
    strict.next("PutSecretValue", *[Answers("AccessDeniedException")] * 20)
    for _ in range(4):
        with pytest.raises(Denied):
            workshop.manager.rotate(RING)
    strict.script.clear()
    made = set(workshop.kms.keys) - known
    assert len(made) == 1
    workshop.manager.rotate(RING)
    assert set(workshop.kms.keys) - known == made
    assert workshop.kms.keys[made.pop()].arn in workshop.named


def test_the_loser_of_a_race_takes_its_key_back(workshop: Workshop) -> None:
    """A rotator whose key lost the race schedules it for deletion when it sees who won."""
    workshop.create()
    workshop.pass_by(8000)
    with opened(workshop.url) as other:
        winner = workshop.manages(other)
        replaced = workshop.active.kid
        interrupted = Interrupted(workshop, lambda: winner.rotate(RING, replacing=replaced, emergency=True))
        workshop.manages(interrupted).rotate(RING, replacing=replaced, emergency=True)
    lost = workshop.kms.of(interrupted.made[0].reference)
    assert lost.state == "PendingDeletion"
    require_rest(workshop)


@pytest.mark.parametrize("carried_out", [True, False])
@pytest.mark.parametrize("lost", [0, 2])
def test_no_key_goes_while_it_is_unknown_whether_it_was_committed(
    workshop: Workshop, strict: StrictSecretsManager, lost: int, carried_out: bool
) -> None:
    """Whichever write of a pass loses its answer, what that pass made meanwhile stays, and is named."""
    workshop.create()
    workshop.pass_by(4000)
    with opened(workshop.url.replace("deadline=60s", "deadline=500ms")) as store:
        manager = workshop.manages(store)
        strict.next("UpdateSecretVersionStage", *[None] * lost, Breaks(carried_out))
        with suppress(StoreTimeout):
            manager.revoke(RING, workshop.active.kid, reason="leaked", accept_refusals=True)
        assert not strict.script["UpdateSecretVersionStage"]
        manager.reconcile(RING)
    assert all(workshop.kms.of(arn).state == "Enabled" for arn in workshop.named)
    require_rest(workshop)


def test_a_key_made_after_a_pass_has_written(workshop: Workshop) -> None:
    """It was made on what the pass wrote: reading that back, as after a lost answer, lets it not go."""
    workshop.create()
    name = DocumentName(RING, DocumentKind.AUTHORITY)
    found = workshop.store.read(name)
    assert found is not None
    following = document.decode_authority(RING, found.draft.data).committed(uuid4())
    workshop.store.replace(name, document.authority_draft(following), expected=found.version)
    fresh = workshop.store.key_factory(RING).make("ES256")
    workshop.store.read(name)
    assert workshop.kms.of(fresh.reference).state == "Enabled"


class Interrupted:
    """A store in whose first making of a key something happens before it can be committed."""

    def __init__(self, workshop: Workshop, happening: object) -> None:
        self._store, self._happening = workshop.store, happening
        self.made: list[FreshKey] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    def key_factory(self, ring: str) -> Interrupted:
        return self

    def make(self, algorithm: str) -> FreshKey:
        self.made.append(self._store.key_factory(RING).make(algorithm))
        if len(self.made) == 1:
            self._happening()  # type: ignore[operator]
        return self.made[-1]


def test_a_rotator_that_slept_with_a_fresh_key(workshop: Workshop) -> None:
    """Its key is older than some that were committed since, and goes; it commits none that is going."""
    workshop.create()
    workshop.pass_by(4000)
    with opened(workshop.url) as other:

        def rotations() -> None:
            awake = workshop.manages(other)
            for _ in range(32):
                workshop.clock.advance(500)
                workshop.kms.seconds += 60
                awake.reconcile(RING)

        interrupted = Interrupted(workshop, rotations)
        workshop.manages(interrupted).rotate(RING, emergency=True)
    assert workshop.kms.of(interrupted.made[0].reference).state == "PendingDeletion"
    require_rest(workshop)


def test_a_denied_deletion_is_an_alarm_until_it_is_allowed(workshop: Workshop) -> None:
    """A pass succeeds without that right, says what is missing, and a later one lets the key go."""
    workshop.create()
    first = workshop.kms.of(workshop.active.reference)
    workshop.kms.denied = {"ScheduleKeyDeletion"}
    workshop.pass_by(12_000)
    assert first.arn not in workshop.named
    alarms = [event.facts["what"] for event in workshop.events if event.name == "keyring.alarm"]
    assert any("kms:ScheduleKeyDeletion" in str(what) for what in alarms)
    workshop.kms.denied = set()
    assert not workshop.manager.reconcile(RING).alarms
    require_rest(workshop)


def test_requests_of_signers_and_passes(workshop: Workshop) -> None:
    """A token costs one request, an idle pass none of KMS, a new key two, a key's first use two more."""
    workshop.create()
    workshop.kms.requests.clear()
    with workshop.signer() as signer:
        signer.sign({"sub": "u1", "aud": "api"})
        assert workshop.kms.count() == {"GetPublicKey": 1, "ListResourceTags": 1, "Sign": 1}
        workshop.kms.requests.clear()
        for _ in range(5):
            signer.sign({"sub": "u1", "aud": "api"})
            signer.refresh()
        assert workshop.kms.count() == {"Sign": 5}
    workshop.kms.requests.clear()
    workshop.manager.reconcile(RING)
    assert not workshop.kms.requests
    workshop.pass_by(4000)
    workshop.kms.requests.clear()
    workshop.manager.rotate(RING)
    assert workshop.kms.count() == {"CreateKey": 1, "GetPublicKey": 1}


CRASH = """
    import os, signal, sys
    import keyvault_jwt as kj
    from keyvault_jwt.testing import FakeClock
    def die(*anything, **more):
        os.kill(os.getpid(), signal.SIGKILL)
    store = kj.open_store(sys.argv[1])
    clock = FakeClock(wall=int(sys.argv[2]))
    manager = kj.KeyManager(store, clock=clock, wait=lambda seconds: None)
    if sys.argv[4] == "keep":
        manager.reconcile(sys.argv[3])
    setattr(type(store), sys.argv[4], die)
    while True:
        clock.advance(500)
        manager.reconcile(sys.argv[3])
"""


@pytest.mark.parametrize("before", ["replace", "keep"])
def test_killed_between_kms_and_the_document(workshop: Workshop, before: str) -> None:
    """After kill -9 with a key made and not committed, or dropped and not let go, another mends it."""
    workshop.create()
    workshop.pass_by(4000)
    if before == "replace":
        workshop.clock.advance(6000)  # a rotation is due: the first write after the first key is made
    known = set(workshop.kms.keys)
    script = textwrap.dedent(CRASH)
    words = [sys.executable, "-c", script, workshop.url, str(workshop.clock.wall()), RING, before]
    died = subprocess.run(words, capture_output=True, check=False, timeout=60)
    assert died.returncode == -9, died.stderr
    assert workshop.kms.usable(workshop.keyring_tag) > workshop.named
    if before == "replace":
        assert len(set(workshop.kms.keys) - known) == 1
    workshop.clock.advance(20_000)
    workshop.kms.seconds += 600
    workshop.manager = workshop.manages(workshop.store)
    workshop.pass_by(12_000)
    require_rest(workshop)
    assert workshop.claims(workshop.token())["sub"] == "u1"


def test_a_creation_that_fails_is_not_an_outage(workshop: Workshop) -> None:
    """While KMS makes no keys, signing goes on, and an emergency takes a standby and says what is missing."""
    workshop.create()
    workshop.pass_by(4000)
    before = workshop.active.kid
    workshop.kms.next("CreateKey", *[Answers("KMSInternalException", status=500)] * 50)
    with opened(workshop.url.replace("deadline=60s", "deadline=1s")) as store:
        manager = workshop.manages(store)
        report = manager.revoke(RING, before, reason="leaked")
        assert any("no new key could be made" in alarm for alarm in report.alarms)
        with pytest.raises(StoreUnavailable):
            manager.reconcile(RING)
    assert workshop.active.kid != before
    assert workshop.claims(workshop.token())["sub"] == "u1"

"""The states of a keyring drive the versions of its Transit key."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from collections import Counter
from datetime import timedelta

import jwt
import pytest

import keyvault_jwt as kj
from keyvault_jwt.remote_signer import RemoteKey
from keyvault_jwt_vault import open_url
from keyvault_jwt_vault.errors import NoSuchVersion, VersionTrimmed
from tests.faulty_store import FAST
from tests.vault.store.fault_proxy import FaultProxy
from tests.vault.transit.conftest import ISSUER, MOUNT, RING, Workshop, name, version

MINIMUMS = ("min_available_version", "min_decryption_version", "min_encryption_version")


def minimums(workshop: Workshop, reference: str) -> set[int]:
    """Return the lowest versions that can sign, verify, and are there."""
    told = workshop.key(reference)
    return {told[minimum] for minimum in MINIMUMS}


def test_tokens_are_taken_through_rotations(workshop: Workshop) -> None:
    """Over several rotations every token is accepted for its life, and each key is another version."""
    workshop.create()
    signed = []
    for _ in range(4):
        token = workshop.token()
        signed.append(version(workshop.active.reference or ""))
        workshop.pass_by(1000)
        assert workshop.claims(token)["sub"] == "u1"
        workshop.pass_by(6400)
    assert len(set(signed)) == 4
    assert signed == sorted(signed)


def test_destroyed_keys_are_trimmed(workshop: Workshop) -> None:
    """When a key's reference is dropped, its version can't sign any more and is gone from the server."""
    workshop.create()
    first = workshop.active.reference or ""
    workshop.pass_by(16_000)
    assert first not in workshop.references
    lowest = version(workshop.references[0])
    assert version(first) < lowest
    assert minimums(workshop, first) == {lowest}
    assert min(map(int, workshop.key(first)["keys"])) == lowest
    with pytest.raises(VersionTrimmed):
        workshop.store.sign(first, "ES256", b"x")


def test_a_signature_is_by_the_version_of_the_kid(workshop: Workshop) -> None:
    """When somebody rotates the Transit key by hand, signers go on with the version that was published."""
    workshop.create()
    reference = workshop.active.reference or ""
    with workshop.signer() as signer:
        for _ in range(2):
            workshop.bao.request("POST", f"{MOUNT}/keys/{name(reference)}/rotate", {})
            token = signer.sign({"sub": "u1", "aud": "api"}, ttl=timedelta(seconds=2))
            assert workshop.claims(token)["sub"] == "u1"
            assert jwt.get_unverified_header(token)["kid"] == workshop.active.kid
    workshop.pass_by(16_000)
    assert workshop.claims(workshop.token())["sub"] == "u1"


def test_a_revoked_version_waits_for_lower_ones(workshop: Workshop) -> None:
    """A revoked version above one that is in use can't be trimmed alone; it goes with the lower one."""
    workshop.create()
    records = workshop.manager.keyring(RING).records
    highest = max(records, key=lambda record: version(record.reference or ""))
    reference = highest.reference or ""
    workshop.manager.revoke(RING, highest.kid, reason="tried out", accept_refusals=True)
    assert reference not in workshop.references
    assert workshop.store.sign(reference, "ES256", b"still there")
    for record in records:
        if record is not highest:
            workshop.manager.revoke(RING, record.kid, reason="all are suspect", accept_refusals=True)
    with pytest.raises(VersionTrimmed):
        workshop.store.sign(reference, "ES256", b"x")
    assert version(reference) < version(workshop.references[0])


def test_nothing_is_left_of_a_keyring_without_references(workshop: Workshop) -> None:
    """When nothing is referred to any more, the last version goes, too: one that nobody uses follows it."""
    workshop.create()
    records = workshop.manager.keyring(RING).records
    last = workshop.references[-1]
    gone = [RemoteKey("ES256", record.fingerprint, None) for record in records]
    for _ in range(2):
        workshop.store.keep(RING, gone)
        assert minimums(workshop, last) == {version(last) + 1}
        assert workshop.key(last)["latest_version"] == version(last) + 1, "the second time finds it done"


def test_fresh_versions_of_others_stay(workshop: Workshop) -> None:
    """What another rotator has just made, and no document names yet, is newer than all, and is kept."""
    workshop.create()
    fresh = workshop.store.key_factory(RING).make("ES256")
    records = workshop.manager.keyring(RING).records
    gone = [RemoteKey("ES256", record.fingerprint, None) for record in records]
    workshop.store.keep(RING, gone)
    assert fresh.reference is not None
    assert workshop.store.sign(fresh.reference, "ES256", b"x")
    with pytest.raises(VersionTrimmed):
        workshop.store.sign(records[0].reference or "", "ES256", b"x")


def test_minimums_are_only_raised(workshop: Workshop) -> None:
    """A rotator that still believes in older keys brings none back, and harms none."""
    workshop.create()
    records = workshop.manager.keyring(RING).records
    everything = [RemoteKey("ES256", record.fingerprint, record.reference) for record in records]
    ordered = sorted(everything, key=lambda key: version(key.reference or ""))
    workshop.store.keep(RING, ordered[1:])
    reference = ordered[1].reference or ""
    workshop.store.keep(RING, everything)
    assert minimums(workshop, reference) == {version(reference)}
    assert workshop.store.sign(reference, "ES256", b"x")


def test_a_lost_version_is_an_alarm(workshop: Workshop) -> None:
    """A keyring that names a version which Transit never had (an older state restored) is told so."""
    workshop.create()
    missing = workshop.references[-1].replace("#4", "#40")
    with pytest.raises(NoSuchVersion, match="no version 40"):
        workshop.store.keep(RING, [RemoteKey("ES256", "x", missing)])
    with pytest.raises(NoSuchVersion):
        workshop.store.sign(missing, "ES256", b"x")


def test_keys_that_never_were_in_transit_cost_a_look(workshop: Workshop) -> None:
    """A keyring from before Transit has nothing to trim there, and nothing is made for it."""
    workshop.store.keep(RING, [RemoteKey("ES256", "x", None)])
    listed = workshop.bao.request("LIST", f"{MOUNT}/keys/")["data"]["keys"]
    prefix = re.search(r"test-\w+", workshop.url)
    assert prefix is not None
    assert not [key for key in listed if prefix[0] in key]


def test_requests_of_signers_and_idle_passes(proxy: FaultProxy, url: str, bao: object) -> None:
    """A token costs one request, an idle pass none of Transit, a new key one."""
    workshop = Workshop(bao, url)  # type: ignore[arg-type]
    with workshop.store:
        workshop.create()
        with workshop.signer() as signer:
            signer.sign({"sub": "u1", "aud": "api"})
            proxy.requests.clear()
            for _ in range(5):
                signer.sign({"sub": "u1", "aud": "api"})
            assert [request.split("/")[3] for request in proxy.requests] == ["sign"] * 5
        proxy.requests.clear()
        workshop.manager.reconcile(RING)
        assert not [request for request in proxy.requests if f"/{MOUNT}/" in request]
        workshop.pass_by(4000)
        proxy.requests.clear()
        workshop.manager.rotate(RING)
        asked = Counter(request.rsplit("/", 1)[1] for request in proxy.requests if f"/{MOUNT}/" in request)
        assert asked == {"rotate": 1}


def test_a_denied_trim_is_an_alarm_until_it_is_allowed(
    workshop: Workshop, environment: pytest.MonkeyPatch
) -> None:
    """A pass succeeds without the right to trim, says what is missing, and a later one trims."""
    workshop.create()
    first = workshop.active.reference or ""
    policy = 'path "*" { capabilities = ["create", "read", "update", "list"] }\n'
    trim = f'path "{MOUNT}/keys/{name(first)}/trim" {{ capabilities = ["deny"] }}\n'
    token = workshop.bao.token_for(policy + trim)
    policies = workshop.bao.request("POST", "auth/token/lookup", {"token": token})["data"]["policies"]
    mine = next(one for one in policies if one.startswith("test-"))
    environment.setenv("BAO_TOKEN", token)
    with open_url(workshop.url) as denied:
        manager = workshop.manages(denied)
        reports = []
        for _ in range(80):
            workshop.clock.advance(200)
            reports.append(manager.reconcile(RING))
        assert "vault_denied" in reports[-1].alarms[-1]
        assert first not in workshop.references
        workshop.bao.request("PUT", f"sys/policies/acl/{mine}", {"policy": policy})
        assert not manager.reconcile(RING).alarms
    assert minimums(workshop, first) == {version(workshop.references[0])}


def test_the_pass_after_a_crash_trims(workshop: Workshop) -> None:
    """Killed between the commit that drops a reference and the trim, the next process trims."""
    workshop.create()
    first = workshop.active.reference or ""
    crash = """
        import os, signal, sys
        import keyvault_jwt as kj
        from keyvault_jwt.testing import FakeClock
        store = kj.open_store(sys.argv[1])
        clock = FakeClock(wall=int(sys.argv[2]))
        manager = kj.KeyManager(store, clock=clock)
        manager.reconcile(sys.argv[3])
        type(store).keep = lambda *what: os.kill(os.getpid(), signal.SIGKILL)
        while True:
            clock.advance(200)
            manager.reconcile(sys.argv[3])
    """
    words = [sys.executable, "-c", textwrap.dedent(crash), workshop.url, str(workshop.clock.wall()), RING]
    died = subprocess.run(words, capture_output=True, check=False, timeout=60)
    assert died.returncode == -9, died.stderr
    assert first not in workshop.references
    assert workshop.store.sign(first, "ES256", b"it can still sign")
    workshop.clock.advance(20_000)
    kj.KeyManager(workshop.store, clock=workshop.clock, listener=lambda event: None).reconcile(RING)
    assert minimums(workshop, first) == {version(workshop.references[0])}
    with pytest.raises(VersionTrimmed):
        workshop.store.sign(first, "ES256", b"x")


def test_turning_to_transit(workshop: Workshop) -> None:
    """A keyring from before moves by rotation: old halves leave the documents, and no token is refused."""
    with open_url(workshop.url.partition("?")[0]) as plain:
        workshop.manages(plain).create(RING, FAST, issuer=ISSUER)
    for _ in range(4):
        token = workshop.token()
        workshop.pass_by(1000)
        assert workshop.claims(token)["sub"] == "u1"
        workshop.pass_by(6400)
    records = workshop.manager.keyring(RING).records
    assert not [record for record in records if record.private]
    assert workshop.active.reference

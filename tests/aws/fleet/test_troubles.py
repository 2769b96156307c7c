"""Troubles of the service's under a crew at work: it says what is wrong, and goes on by itself."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest

from keyvault_jwt.errors import Conflict
from keyvault_jwt.store import DocumentKind, DocumentName, Draft
from keyvault_jwt_aws import AwsStore, parse_url
from tests.aws.faults import THROTTLED, Breaks, Fault
from tests.aws.fleet.crew import RING, Crew
from tests.aws.strict_secretsmanager import StrictSecretsManager

OPERATIONS = ("GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage", "ListSecretVersionIds")
KEY = "AKIAIOSFODNN7EXAMPLE"
MANY = 1000


@pytest.fixture
def crew(prefix_url: str) -> Iterator[Crew]:
    """A crew that has been at work for a second."""
    with Crew(prefix_url) as crew:
        crew.live(1000)
        crew.require_all_accepted()
        yield crew


def all_meet(strict: StrictSecretsManager, fault: Fault) -> None:
    """Let this befall every request until the script is cleared."""
    for operation in OPERATIONS:
        strict.next(operation, *[fault] * MANY)


def secret(url: str, kind: DocumentKind) -> str:
    """Return the name of a document's secret."""
    return f"{parse_url(url).prefix}/{DocumentName(RING, kind)}"


def test_a_burst_of_throttling(crew: Crew, strict: StrictSecretsManager) -> None:
    """Throttled for a second nobody stops; for longer than the lease the signer does; then all go on."""
    all_meet(strict, THROTTLED)
    crew.live(1000)
    assert set(crew.failures) == {"aws_throttled"}
    assert not crew.unsigned
    crew.live(1000)
    assert set(crew.unsigned) == {"signer_lease_expired"}
    strict.script.clear()
    crew.goes_on()
    assert set(crew.failures) == {"aws_throttled"}
    crew.require_all_accepted()


def test_denied_amid_a_run(crew: Crew, strict: StrictSecretsManager) -> None:
    """Rights that are withdrawn are told by type; with them back all go on, and the last good set served."""
    before = crew.keyring
    strict.grants.limit(KEY, lambda *_: False)
    crew.live(1000)
    assert set(crew.failures) == {"aws_denied"}
    assert crew.publisher.status().failure
    assert not crew.unsigned
    strict.grants.limit(KEY, lambda *_: True)
    crew.goes_on()
    assert {record.kid for record in before.records} <= {record.kid for record in crew.keyring.records}
    crew.require_all_accepted()


@pytest.mark.parametrize("kind", [DocumentKind.AUTHORITY, DocumentKind.SIGNING])
def test_scheduled_for_deletion(
    crew: Crew, strict: StrictSecretsManager, prefix_url: str, kind: DocumentKind
) -> None:
    """A deleted secret is missed by name and taken for absent by nobody; restored, all go on."""
    asked = {"SecretId": secret(prefix_url, kind), "RecoveryWindowInDays": 7}
    assert strict.answer("DeleteSecret", asked, strict.unsigned("us-east-1"))[0] == 200
    strict.requests.clear()
    crew.live(1000)
    assert set(crew.failures) == {"aws_deleted"}
    assert not crew.unsigned
    assert strict.count()["CreateSecret"] == strict.count()["PutSecretValue"] == 0
    asked = {"SecretId": secret(prefix_url, kind)}
    assert strict.answer("RestoreSecret", asked, strict.unsigned("us-east-1"))[0] == 200
    crew.goes_on()
    crew.require_all_accepted()


def test_two_current_versions(crew: Crew, strict: StrictSecretsManager, prefix_url: str) -> None:
    """A second current version stops the rotation with an alarm, and nobody else; nothing is written."""
    name = secret(prefix_url, DocumentKind.AUTHORITY)
    there = strict.region().secrets[name]
    value = there.versions[there.holder("AWSCURRENT") or ""].value.removeprefix("text ")
    strict.region().plant(name)
    planted = {"SecretId": name, "SecretString": value, "ClientRequestToken": str(uuid4())}
    assert strict.ask("PutSecretValue", planted, strict.unsigned("us-east-1"))[0] == 200
    strict.requests.clear()
    crew.live(8000)
    assert crew.failures["aws_two_current"] > 0
    assert set(crew.failures) == {"aws_two_current"}
    alarms = [event for event in crew.events if event.alarm]
    assert {event.facts["code"] for event in alarms} == {"aws_two_current"}
    assert strict.count()["PutSecretValue"] == strict.count()["UpdateSecretVersionStage"] == 0
    assert not crew.unsigned
    crew.require_all_accepted()


def test_a_region_that_is_down(prefix_url: str, strict: StrictSecretsManager) -> None:
    """Without the primary region everybody but the scheduler reads the replica; it waits and goes on."""
    url = f"{prefix_url}&replicas=eu-west-1".replace("staleness=0", "staleness=100ms")
    with Crew(url, f"{url}&read_from=eu-west-1") as crew:
        crew.live(1000)
        strict.down.add("us-east-1")
        crew.live(4000)
        assert set(crew.failures) == {"aws_unreachable"}
        assert not crew.unsigned
        assert not crew.publisher.status().failure
        strict.down.clear()
        crew.goes_on()
        assert set(crew.failures) == {"aws_unreachable"}
        crew.require_all_accepted()


def test_a_version_that_is_pruned_under_us(
    store: AwsStore, strict: StrictSecretsManager, prefix_url: str
) -> None:
    """A version that is gone since we read it can't be replaced: a conflict, and a fresh read wins."""
    name = DocumentName(RING, DocumentKind.AUTHORITY)
    read = store.replace(name, Draft(b"1", 1, uuid4()), expected=None)
    newer = store.replace(name, Draft(b"2", 2, uuid4()), expected=read)
    secret_there = strict.region().secrets[secret(prefix_url, name.kind)]
    del secret_there.versions[read]
    with pytest.raises(Conflict):
        store.replace(name, Draft(b"3", 2, uuid4()), expected=read)
    seen = store.read(name)
    assert seen is not None
    assert (seen.draft.data, seen.version) == (b"2", newer)
    store.replace(name, Draft(b"3", 3, uuid4()), expected=seen.version)


def test_replies_that_are_lost(crew: Crew, strict: StrictSecretsManager) -> None:
    """Of every second write the reply is lost: who wrote finds out by reading, and no key is made twice."""
    for operation in ("PutSecretValue", "UpdateSecretVersionStage"):
        strict.next(operation, *[Breaks(True), None] * MANY)
    crew.live(8000)
    strict.script.clear()
    crew.live(400)
    keyring = crew.keyring
    added = [entry.kid for entry in keyring.ledger.entries if entry.action == "added"]
    assert len(added) == len(set(added))
    assert len(keyring.standbys(keyring.algorithm)) <= keyring.policy.standbys
    won = [event.facts["seq"] for event in crew.events if "seq" in event.facts]
    assert len(won) == len(set(won))
    crew.require_all_accepted()

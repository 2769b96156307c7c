"""What versions and labels a secret is left with, and what is made of those that others left."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest

from keyvault_jwt.check import CapacityBroken
from keyvault_jwt.errors import Conflict
from keyvault_jwt.policy import RotationPolicy
from keyvault_jwt.store import DocumentKind, DocumentName, Draft
from keyvault_jwt_aws import AwsStore, Service, parse_url
from keyvault_jwt_aws.errors import TwoCurrentVersions, VersionsSpent
from keyvault_jwt_aws.write_quota import MOST_VERSIONS, RESERVE
from tests.aws.documented_secret import DocumentedSecret
from tests.aws.faults import Breaks
from tests.aws.machine import ISSUER, RING, Machine
from tests.aws.strict_secretsmanager import StrictSecretsManager
from tests.faulty_store import FAST

NAME = DocumentName(RING, DocumentKind.AUTHORITY)
PUBLIC = DocumentName(RING, DocumentKind.PUBLIC)
UNHURRIED = RotationPolicy(standbys=2)


def draft(data: bytes = b"{}", revision: int = 1) -> Draft:
    """Return a draft of a write of its own."""
    return Draft(data, revision, uuid4())


def secret_of(strict: StrictSecretsManager, url: str, name: DocumentName) -> DocumentedSecret:
    """Return what is documented to be in a document's secret now."""
    return strict.region().secrets[f"{parse_url(url).prefix}/{name}"]


def labels(strict: StrictSecretsManager, url: str, name: DocumentName) -> dict[str, list[str]]:
    """Return the labels of a document's secret by version."""
    return secret_of(strict, url, name).labels()


def plant_second_current(strict: StrictSecretsManager, url: str, name: DocumentName) -> None:
    """Let moto, behind the layer's back, keep AWSCURRENT on a second version with the same document."""
    secret, there = f"{parse_url(url).prefix}/{name}", secret_of(strict, url, name)
    document = there.versions[there.holder("AWSCURRENT") or ""].value.removeprefix("text ")
    strict.region().plant(secret)
    asked = {"SecretId": secret, "SecretString": document, "ClientRequestToken": str(uuid4())}
    assert strict.ask("PutSecretValue", asked, strict.unsigned("us-east-1"))[0] == 200


@pytest.mark.parametrize("name", [NAME, PUBLIC])
def test_labels_after_writes(
    store: AwsStore, strict: StrictSecretsManager, prefix_url: str, name: DocumentName
) -> None:
    """The last version is current; of a private document, the one before keeps no label and may go."""
    first = store.replace(name, draft(), expected=None)
    second = store.replace(name, draft(b"2", 2), expected=first)
    third = store.replace(name, draft(b"3", 3), expected=second)
    current = {third: ["AWSCURRENT", "keyvault-jwt-candidate"]}
    previous = {} if name.kind.is_private else {second: ["AWSPREVIOUS"]}
    assert labels(strict, prefix_url, name) == current | previous


def test_the_parent_is_in_the_document(
    store: AwsStore, strict: StrictSecretsManager, prefix_url: str
) -> None:
    """Each version tells which one it replaced, so that history can be followed without labels."""
    first = store.replace(NAME, draft(), expected=None)
    second = store.replace(NAME, draft(b"2", 2), expected=first)
    versions = secret_of(strict, prefix_url, NAME).versions
    heads = {
        made: json.loads(versions[made].value.removeprefix("text ").splitlines()[0]) for made in versions
    }
    assert heads[first]["parent"] is None
    assert heads[second]["parent"] == first


def test_a_writer_that_died_before_the_label_moved(
    store: AwsStore, strict: StrictSecretsManager, prefix_url: str
) -> None:
    """Its candidate is read by nobody, stands in nobody's way, and loses its label to the next write."""
    first = store.replace(NAME, draft(b"one"), expected=None)
    strict.next("UpdateSecretVersionStage", *[Breaks(carried_out=False)] * 5)
    with pytest.raises(Exception, match="not known"):
        store.replace(NAME, draft(b"never current", 2), expected=first)
    strict.script.clear()
    assert sorted(labels(strict, prefix_url, NAME).values()) == [["AWSCURRENT"], ["keyvault-jwt-candidate"]]
    seen = store.read(NAME)
    assert seen is not None
    assert (seen.draft.data, seen.version) == (b"one", first)
    second = store.replace(NAME, draft(b"two", 2), expected=first)
    assert labels(strict, prefix_url, NAME) == {second: ["AWSCURRENT", "keyvault-jwt-candidate"]}


def test_a_loser_that_looks_first_spends_no_version(
    store: AwsStore, strict: StrictSecretsManager, prefix_url: str
) -> None:
    """Who finds the label moved before its pass's first write conflicts without a Put."""
    first = store.replace(NAME, draft(), expected=None)
    store.read(NAME)
    AwsStore(Service(parse_url(prefix_url))).replace(NAME, draft(b"other", 2), expected=first)
    strict.requests.clear()
    with pytest.raises(Conflict):
        store.replace(NAME, draft(b"late", 2), expected=first)
    assert strict.count()["PutSecretValue"] == 0


def test_the_same_write_makes_one_version(
    store: AwsStore, strict: StrictSecretsManager, prefix_url: str
) -> None:
    """A write that is repeated bytes for bytes is the same version, however often it is sent."""
    first = store.replace(NAME, draft(), expected=None)
    mine = draft(b"mine", 2)
    store.replace(NAME, mine, expected=first)
    for _ in range(3):
        with pytest.raises(Conflict):
            store.replace(NAME, mine, expected=first)
    assert len(secret_of(strict, prefix_url, NAME).versions) == 2


def test_two_current_versions(prefix_url: str, strict: StrictSecretsManager) -> None:
    """Two versions that are both current are an alarm; nothing is written and none is guessed."""
    with Machine.with_keyring(prefix_url) as machine:
        machine.run_to_rest()
        plant_second_current(strict, prefix_url, NAME)
        strict.requests.clear()
        with pytest.raises(TwoCurrentVersions):
            machine.manager.rotate(RING, emergency=True)
        assert strict.count()["PutSecretValue"] == strict.count()["UpdateSecretVersionStage"] == 0
        last = machine.events[-1]
        assert (last.name, last.facts["code"], last.alarm) == ("keyring.pass-failed", "aws_two_current", True)


def test_a_secret_that_was_made_without_a_value(
    store: AwsStore, strict: StrictSecretsManager, prefix_url: str
) -> None:
    """A secret that somebody made for us without a value is absent until it is first written."""
    made = {"Name": f"{parse_url(prefix_url).prefix}/{NAME}"}
    assert strict.answer("CreateSecret", made, strict.unsigned("us-east-1"))[0] == 200
    assert store.read(NAME) is None
    version = store.replace(NAME, draft(b"first"), expected=None)
    seen = store.read(NAME)
    assert seen is not None
    assert (seen.draft.data, seen.version) == (b"first", version)
    with pytest.raises(Conflict):
        store.replace(NAME, draft(b"second"), expected=None)


def test_the_last_versions_are_for_a_revocation(prefix_url: str, strict: StrictSecretsManager) -> None:
    """With few versions left for the day a rotation is refused before it spends one; a revocation is not."""
    url = prefix_url.replace("&quota=off", "")
    with Machine.with_keyring(prefix_url) as fast, Machine(url) as machine:
        fast.run_to_rest()
        machine.clock.advance(fast.clock.wall() - machine.clock.wall())
        strict.region().hours += 25
        secret = secret_of(strict, prefix_url, NAME)
        version = secret.holder("AWSCURRENT")
        assert version is not None
        for _ in range(MOST_VERSIONS - RESERVE):
            seen = fast.store.read(NAME)
            assert seen is not None
            again = Draft(seen.draft.data, seen.draft.revision, uuid4())
            version = fast.store.replace(NAME, again, expected=seen.version)
        kid = machine.active()
        with pytest.raises(VersionsSpent, match="revocation"):
            machine.manager.rotate(RING, emergency=True, accept_refusals=True)
        assert machine.active() == kid
        machine.manager.revoke(RING, kid, reason="leaked", accept_refusals=True)
        assert machine.active() != kid


def test_a_policy_that_writes_too_often(prefix_url: str, strict: StrictSecretsManager) -> None:
    """A policy that would use its secrets' versions up is refused, with the numbers; nothing is written."""
    with Machine(prefix_url.replace("&quota=off", "")) as machine:
        with pytest.raises(CapacityBroken, match="50m"):
            machine.manager.create(RING, FAST, issuer=ISSUER)
        assert machine.manager.names() == ()
        machine.manager.create(RING, UNHURRIED, issuer=ISSUER)
        before = machine.store.read(NAME)
        with pytest.raises(CapacityBroken, match="50m"):
            machine.manager.change_policy(RING, FAST)
        assert machine.store.read(NAME) == before
    assert strict.count()["PutSecretValue"] > 0

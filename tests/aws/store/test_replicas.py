"""Documents replicated to other regions: read nearby, written in the primary region alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import pytest

from keyvault_jwt.errors import BadStoreURL
from keyvault_jwt.store import DocumentKind, DocumentName, Draft
from keyvault_jwt_aws import AwsStore, Service, open_url, parse_url
from keyvault_jwt_aws.errors import WrongRegion
from tests.aws.machine import RING, Machine
from tests.aws.strict_secretsmanager import StrictSecretsManager

PUBLIC = DocumentName(RING, DocumentKind.PUBLIC)
AUTHORITY = DocumentName(RING, DocumentKind.AUTHORITY)


def draft(data: bytes = b"{}", revision: int = 1) -> Draft:
    """Return a draft of a write of its own."""
    return Draft(data, revision, uuid4())


@pytest.fixture
def replicated(prefix_url: str) -> str:
    """The URL of a prefix whose secrets are replicated to Ireland."""
    return f"{prefix_url}&replicas=eu-west-1"


@pytest.fixture
def reader(replicated: str) -> Iterator[AwsStore]:
    """The store as a service in Ireland opens it."""
    with open_url(f"{replicated}&read_from=eu-west-1") as opened:
        yield opened


def regions(strict: StrictSecretsManager) -> Counter[str]:
    """Return how many requests came for each region."""
    return Counter(strict.regions_asked)


def test_readers_ask_nearby(replicated: str, reader: AwsStore, strict: StrictSecretsManager) -> None:
    """Derived documents come from the replica, what rotation is decided from from the primary region."""
    with open_url(replicated) as store:
        version = store.replace(PUBLIC, draft(b"1"), expected=None)
        store.replace(AUTHORITY, draft(b"a"), expected=None)
        version = store.replace(PUBLIC, draft(b"2", 2), expected=version)
    strict.requests.clear()
    strict.regions_asked.clear()
    seen = reader.read(PUBLIC)
    assert seen is not None
    assert (seen.draft.data, seen.version) == (b"2", version)
    assert regions(strict) == {"eu-west-1": 1}
    assert reader.read(AUTHORITY) is not None
    assert regions(strict) == {"eu-west-1": 1, "us-east-1": 1}


def test_a_reader_that_writes_writes_in_the_primary_region(
    reader: AwsStore, strict: StrictSecretsManager
) -> None:
    """A rotator that reads nearby keeps the compare-and-swap where there is one."""
    version = reader.replace(PUBLIC, draft(b"1"), expected=None)
    strict.regions_asked.clear()
    reader.replace(PUBLIC, draft(b"2", 2), expected=version)
    assert set(strict.regions_asked) == {"us-east-1"}


def test_what_has_not_reached_the_replica(prefix_url: str, strict: StrictSecretsManager) -> None:
    """A document that is not there yet is asked for in the primary region."""
    with open_url(prefix_url) as store, open_url(f"{prefix_url}&read_from=eu-west-1") as reader:
        version = store.replace(PUBLIC, draft(b"1"), expected=None)
        seen = reader.read(PUBLIC)
    assert seen is not None
    assert seen.version == version


@pytest.mark.parametrize("down", ["us-east-1", "eu-west-1"])
def test_a_region_that_is_down(replicated: str, down: str) -> None:
    """With either region down, readers have their document from the other."""
    with Machine.with_keyring(replicated) as machine:
        there = machine.store.read(PUBLIC)
    primary = parse_url(replicated)
    replica = replace(primary, region="eu-west-1")
    nobody = replace(primary, endpoint_url="http://127.0.0.1:9", deadline=1_000)
    near, far = (replica, nobody) if down == "us-east-1" else (nobody, primary)
    with AwsStore(Service(far), replica=Service(near)) as reader:
        assert reader.read(PUBLIC) == there


def test_a_replica_takes_no_writes(replicated: str, strict: StrictSecretsManager) -> None:
    """A store URL that names the replica's region is told to name the primary one; nothing is written."""
    with open_url(replicated) as store, open_url(replicated.replace("us-east-1", "eu-west-1")) as wrong:
        version = store.replace(PUBLIC, draft(b"1"), expected=None)
        with pytest.raises(WrongRegion, match="primary"):
            wrong.replace(PUBLIC, draft(b"2", 2), expected=version)
        assert store.read(PUBLIC) == wrong.read(PUBLIC)


def test_a_lag_that_is_not_declared() -> None:
    """Reading from a replica needs a word on how far it may lag, since AWS says none."""
    with pytest.raises(BadStoreURL, match="staleness"):
        open_url("awssm://us-east-1/jwt?read_from=eu-west-1")
    with pytest.raises(BadStoreURL, match="regions"):
        open_url("awssm://us-east-1/jwt?replicas=mars")

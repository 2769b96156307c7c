"""What a keyring's life costs in requests and versions, through the strict layer."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

import keyvault_jwt as kj
from keyvault_jwt.invariants import WRITES_PER_ROTATION
from tests.aws.machine import ISSUER, RING, Machine
from tests.aws.strict_secretsmanager import StrictSecretsManager


@dataclass(frozen=True)
class Pass:
    """What one pass asked for, the clean-up apart, and the key that signed after it."""

    counts: Counter[str]
    clean_ups: int
    puts: Counter[str]
    active: str

    @classmethod
    def of(cls, requests: list[tuple[str, dict[str, Any]]], active: str) -> Pass:
        """Return what these requests are; a label that is only taken off is clean-up."""
        clean_ups = [it for it in requests if it[0].startswith("Update") and "MoveToVersionId" not in it[1]]
        kept = [it for it in requests if it not in clean_ups]
        puts = Counter(asked["SecretId"] for operation, asked in kept if operation == "PutSecretValue")
        return cls(Counter(operation for operation, _ in kept), len(clean_ups), puts, active)


@pytest.fixture
def machine(prefix_url: str) -> Iterator[Machine]:
    """A machine with a keyring of the policy of seconds."""
    with Machine.with_keyring(prefix_url) as made:
        yield made


@pytest.fixture
def passes(machine: Machine, strict: StrictSecretsManager) -> list[Pass]:
    """Every pass of 18 seconds: three rotations, of which the first is of the founding keys."""
    found = []
    for _ in range(91):
        machine.clock.advance(200)
        strict.requests.clear()
        machine.manager.reconcile(RING)
        asked = strict.requests.copy()
        found.append(Pass.of(asked, machine.active()))
    return found


def test_requests_of_a_rotation(passes: list[Pass], capsys: pytest.CaptureFixture[str]) -> None:
    """From due to the last stamp a rotation takes at most 16 requests, one of them a look at the versions."""
    rotations = [after for before, after in itertools.pairwise(passes) if before.active != after.active]
    most, cleaned = max(it.counts.total() for it in rotations), max(it.clean_ups for it in rotations)
    with capsys.disabled():
        print(f"\naws_requests_per_rotation={most} aws_clean_up_requests_per_rotation={cleaned}")
    assert len(rotations) > 1
    assert most <= 16
    assert all(it.counts["ListSecretVersionIds"] == 1 for it in rotations)


def test_an_idle_pass(passes: list[Pass]) -> None:
    """A pass with nothing to do is one Get of each document that it looks at."""
    assert Counter({"GetSecretValue": 3}) in [it.counts for it in passes]
    assert all(it.counts["ListSecretVersionIds"] == 0 for it in passes if not it.puts)


def test_versions_of_a_rotation(passes: list[Pass], capsys: pytest.CaptureFixture[str]) -> None:
    """No secret gets more versions in a rotation's whole course than the policy's check counts on."""
    courses: dict[str, Counter[str]] = {}
    for it in passes:
        courses.setdefault(it.active, Counter()).update(it.puts)
    whole = list(courses.values())[1:-1]
    most = max(max(puts.values()) for puts in whole)
    with capsys.disabled():
        print(f"\naws_versions_per_rotation={most}")
    assert len(whole) > 0
    assert most == WRITES_PER_ROTATION


def test_every_get_says_which_version(passes: list[Pass], strict: StrictSecretsManager) -> None:
    """No Get leaves it to the service which version it is answered with."""
    gets = [asked for operation, asked in strict.requests if operation == "GetSecretValue"]
    assert gets
    assert all("VersionStage" in asked or "VersionId" in asked for asked in gets)


def test_an_idle_signer(machine: Machine, strict: StrictSecretsManager) -> None:
    """A signer asks once per poll, however many tokens it signs."""
    with kj.Signer(machine.store, RING, issuer=ISSUER, clock=machine.clock, background=False) as signer:
        signer.sign({"sub": "u1"}, ttl=timedelta(seconds=1))
        for _ in range(5):
            machine.clock.advance(200)
            strict.requests.clear()
            for _ in range(3):
                signer.sign({"sub": "u1"}, ttl=timedelta(seconds=1))
            assert not strict.requests
            signer.refresh()
            assert strict.count() == Counter({"GetSecretValue": 1})

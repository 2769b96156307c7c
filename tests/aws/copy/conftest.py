"""A keyring with a long past in a real Vault, and its command line."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias
from uuid import uuid4

import pytest

import keyvault_jwt as kj
from keyvault_jwt.testing import FakeClock
from keyvault_jwt.testing.bao_server import BaoServer
from tests.aws.strict_secretsmanager import StrictSecretsManager
from tests.faulty_store import FAST

ISSUER, RING = "https://id.example", "payments"
ROTATIONS = 45
"""So many leave archives, tombstones and a ledger that Secrets Manager can't hold in one document."""

CommandLine: TypeAlias = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def bao() -> Iterator[BaoServer]:
    """One server for all tests here."""
    with BaoServer() as server:
        yield server


@pytest.fixture
def variables(
    bao: BaoServer, strict: StrictSecretsManager, environment: pytest.MonkeyPatch
) -> Mapping[str, str]:
    """What tells of both servers, here and in child processes."""
    told = {"BAO_ADDR": bao.url, "BAO_TOKEN": bao.token, **strict.environment}
    for name, value in told.items():
        environment.setenv(name, value)
    return told


@pytest.fixture
def vault_url(variables: Mapping[str, str]) -> str:
    """The URL of an empty place in Vault."""
    return f"vault://secret/copy-{uuid4().hex}"


@pytest.fixture
def aws_url(variables: Mapping[str, str], strict: StrictSecretsManager) -> str:
    """The URL of an empty place in Secrets Manager."""
    return f"awssm://us-east-1/copy-{uuid4().hex}?endpoint_url={strict.url}&quota=off&staleness=0"


@pytest.fixture
def old_keyring(vault_url: str) -> str:
    """The URL of a store in Vault with a keyring that has rotated often, and lost a key."""
    clock = FakeClock()
    with kj.KeyManager(kj.open_store(vault_url), clock=clock, listener=lambda event: None) as manager:
        now = time.time_ns() // 1_000_000
        clock.advance(now - clock.wall() - (ROTATIONS + 2) * 6000)
        manager.create(RING, FAST, issuer=ISSUER)
        for number in range(ROTATIONS):
            clock.advance(6000)
            manager.reconcile(RING)
            manager.reconcile(RING)
            active = manager.keyring(RING).active
            if number == 20 and active is not None:
                manager.revoke(RING, active.kid, reason="leaked")
    return vault_url


@pytest.fixture
def command_line(variables: Mapping[str, str], tmp_path: Path) -> CommandLine:
    """Run `keyvault-jwt` in a process of its own."""

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "keyvault_jwt", *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return run

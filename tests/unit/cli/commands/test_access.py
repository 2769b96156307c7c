"""`access`: what a role must be granted, ready to be applied."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

import pytest

from keyvault_jwt.cli.access import ROLES
from keyvault_jwt.cli.file_access import MODES
from keyvault_jwt.store_url import open_store
from keyvault_jwt.stores.file_name import file_name
from tests.unit.cli.conftest import Cli


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("ring", ["payments", "*"])
def test_each_role_gets_commands_that_a_shell_understands(cli: Cli, role: str, ring: str) -> None:
    """stdout is a script and nothing else: `sh -n` reads it, and every path in it is of this store."""
    cli.create()
    result = cli.run("access", role, "--ring", ring)
    subprocess.run(["sh", "-n"], input=result.stdout, text=True, check=True)
    place = cli.store.removeprefix("file:")
    assert (place if ring == "*" else f"{place}/{ring}") in result.stdout
    assert "KEYVAULT_JWT_STORE=" in result.stderr


def test_only_roles_that_open_sealed_documents_get_the_master_key(cli: Cli) -> None:
    """A publisher, a verifier and an auditor are told to do without."""
    cli.create()
    with_key = {role for role in ROLES if ".key" in cli.run("access", role).stdout}
    assert with_key == {"rotator", "signer"}
    assert "must not be given one" in cli.run("access", "publisher").stderr


def test_the_modes_are_those_that_the_store_gives(cli: Cli) -> None:
    """What is said of modes is what the store writes."""
    cli.create("payments")
    cli.create("shared", "--alg", "HS256")
    store = Path(cli.store.removeprefix("file:"))
    seen = {
        name.kind: stat.S_IMODE((store / name.ring / file_name(name)).stat().st_mode)
        for name in open_store(cli.store).names()
    }
    assert len(seen) == 4
    assert seen.items() <= MODES.items()


def test_a_path_with_spaces_is_quoted(cli: Cli, tmp_path: Path) -> None:
    """A strange directory can't turn into other commands."""
    odd = f"file:{tmp_path / 'my keys; true'}"
    assert (
        f"'{tmp_path}/my keys; true'/payments"
        in cli.run("access", "signer", "--ring", "payments", "--store", odd).stdout
    )


def test_a_store_without_roles_says_so(cli: Cli) -> None:
    """Nobody else can reach a memory store, and a scheme that no one offers is named."""
    assert cli.error("access", "signer", "--store", "memory:", status=2)["code"] == "usage"
    assert cli.error("access", "signer", "--store", "ftp://x", status=2)["code"] == "bad_store_url"
    assert cli.error("access", "king", status=2)["code"] == "usage"
    assert cli.error("access", "signer", "--ring", "../x", status=2)["code"] == "bad_ring_name"

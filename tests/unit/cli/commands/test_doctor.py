"""`doctor`: each fault is found, and a sound installation has none."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from keyvault_jwt.cli.machine_check import check_clock
from keyvault_jwt.clock import SystemClock
from keyvault_jwt.key_manager import KeyManager
from keyvault_jwt.store_url import open_store
from keyvault_jwt.testing import FakeClock
from tests.unit.cli.conftest import ISSUER, Cli


def findings(told: Any, *, level: str) -> dict[str, str]:
    """Return what was seen at a level, by check."""
    return {one["check"]: one["seen"] for one in told["findings"] if one["level"] == level}


def path_of(cli: Cli, name: str) -> Path:
    return Path(cli.store.removeprefix("file:")) / "payments" / name


def test_a_sound_installation_is_all_well(cli: Cli) -> None:
    """Exit 0, and every part was looked at."""
    cli.create()
    told = cli.json("doctor")
    assert told["ok"] is True
    assert {"python", "extras", "clock", "state", "store", "master key", "keyring payments"} <= set(
        findings(told, level="ok")
    )
    assert findings(told, level="warn") == {}
    assert "ok    clock:" in cli.run("doctor").stdout


def test_nothing_is_made_by_looking(cli: Cli) -> None:
    """Neither a store nor a key comes to be."""
    cli.run("doctor", status=None)
    assert not Path(cli.store.removeprefix("file:")).exists()


def test_a_missing_master_key_fails(cli: Cli) -> None:
    """Each keyring that can't be opened without it says so, too."""
    cli.create()
    (key,) = Path(os.environ["KEYVAULT_JWT_STATE"]).rglob("*.key")
    key.unlink()
    told = cli.json("doctor", status=1)
    assert "master_key" in findings(told, level="fail")["master key"]
    assert "master_key" in findings(told, level="warn")["keyring payments"]


def test_a_master_key_that_others_can_read_fails(cli: Cli) -> None:
    """With the command that mends it."""
    cli.create()
    (key,) = Path(os.environ["KEYVAULT_JWT_STATE"]).rglob("*.key")
    key.chmod(0o644)
    assert f"chmod 600 {key}" in cli.run("doctor", status=1).stdout


def test_a_document_that_others_can_read_is_a_warning(cli: Cli) -> None:
    """With the mode it should have."""
    cli.create()
    path_of(cli, "signing.sealed").chmod(0o644)
    assert "0644" in findings(cli.json("doctor"), level="warn")["modes"]


def test_a_derived_document_that_differs_is_a_warning(cli: Cli) -> None:
    """A missing and an older one are seen, and the pass that repairs them is named."""
    cli.create()
    older = path_of(cli, "public.json").read_bytes()
    cli.run("rotate", "payments")
    path_of(cli, "public.json").write_bytes(older)
    assert "public" in findings(cli.json("doctor"), level="warn")["keyring payments"]
    path_of(cli, "signing.sealed").unlink()
    assert "do: keyvault-jwt reconcile payments" in cli.run("doctor").stdout
    cli.run("reconcile", "payments")
    assert findings(cli.json("doctor"), level="warn") == {}


def test_a_damaged_keyring_fails_and_the_others_are_still_looked_at(cli: Cli) -> None:
    """One keyring's fault does not hide another's health."""
    cli.create()
    cli.create("users")
    path = path_of(cli, "authority.sealed")
    path.write_bytes(path.read_bytes()[:-20])
    told = cli.json("doctor", status=1)
    assert "document_corrupt" in findings(told, level="fail")["keyring payments"]
    assert "keyring users" in findings(told, level="ok")


def test_a_keyring_that_signs_with_nothing_fails(cli: Cli) -> None:
    """After the last ready key was revoked."""
    active = cli.create()["active"]
    while active is not None:
        active = cli.json("revoke", "payments", active, "--reason", "drill", status=None)["active"]
    assert "no key is signing" in findings(cli.json("doctor", status=1), level="fail")["keyring payments"]


def test_a_clock_behind_the_keyring_fails(cli: Cli) -> None:
    """What the keyring remembers of the future says that this clock is wrong."""
    cli.run("create", "users", "--issuer", ISSUER)
    ahead = FakeClock(wall=SystemClock().wall())
    ahead.advance(timedelta(hours=1))
    KeyManager(open_store(cli.store), clock=ahead).create("payments", issuer=ISSUER)
    assert "this machine's clock" in findings(cli.json("doctor", status=1), level="fail")["keyring payments"]


def test_an_overdue_rotation_is_a_warning(cli: Cli) -> None:
    """A keyring made a period ago, and left alone since, wants a scheduler."""
    cli.run("create", "users", "--issuer", ISSUER)
    behind = FakeClock(wall=SystemClock().wall() - 31 * 86_400_000)
    KeyManager(open_store(cli.store), clock=behind).create("payments", issuer=ISSUER)
    told = cli.json("doctor")
    assert "rotation was due" in findings(told, level="warn")["keyring payments"]
    assert "scheduler" in str(told["findings"])


@pytest.mark.parametrize(
    ("clock", "seen"), [(FakeClock(wall=1_000), "1970"), (SystemClock(), "in step"), ("stepping", "moved")]
)
def test_the_clock_is_judged(clock: Any, seen: str) -> None:
    """One that was never set and one that is stepped fail; this machine's does not."""
    assert seen in check_clock(SteppingClock() if clock == "stepping" else clock).seen


class SteppingClock(SystemClock):
    """A wall clock that is put forward an hour at each look."""

    __slots__ = ("looks",)

    def __init__(self) -> None:
        super().__init__()
        self.looks = 0

    def wall(self) -> int:
        self.looks += 1
        return super().wall() + self.looks * 3_600_000


def test_an_unwritable_state_directory_is_a_warning(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Marks could not be kept."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("KEYVAULT_JWT_STATE", str(tmp_path / "file" / "state"))
    assert "state" in findings(cli.json("doctor", status=None), level="warn")


def test_no_store_is_a_warning(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine can be looked at before it has a store."""
    monkeypatch.delenv("KEYVAULT_JWT_STORE")
    assert "store" in findings(cli.json("doctor"), level="warn")

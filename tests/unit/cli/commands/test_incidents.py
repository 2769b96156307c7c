"""`revoke` and `recover`: what an operator does when something is wrong."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from tests.unit.cli.conftest import SECONDS, Cli


def test_revoke_prints_the_bound_and_the_usual_one(cli: Cli) -> None:
    """The last instant of acceptance, in the worst case and usually; another key signs on."""
    first = cli.create()["active"]
    outcome = cli.json("revoke", "payments", first[:8], "--reason", "leaked")
    told = outcome["revocation"]
    assert told["kid"] == first
    assert told["removed"] < told["usual_bound"] < told["bound"]
    assert outcome["active"] not in {None, first}
    assert first not in cli.run("jwks", "payments").stdout
    text = cli.run("revoke", "payments", first, "--reason", "leaked").stdout
    assert f"no verifier accepts it after {told['bound']}" in text


def test_the_last_ready_key_revoked_is_said_with_when_another_is_ready(cli: Cli) -> None:
    """Exit 3, no_ready_key, with the earliest time; what was done is on stdout all the same."""
    active = cli.create()["active"]
    for _ in range(2):
        active = cli.json("revoke", "payments", active, "--reason", "drill")["active"]
    result = cli.run("revoke", "payments", active, "--reason", "drill", "--json", status=3)
    assert json.loads(result.stdout)["active"] is None
    told = json.loads(result.stderr)["error"]
    assert told["code"] == "no_ready_key"
    assert " is ready at 20" in told["fix"]


def test_accepting_refusals_signs_on(cli: Cli) -> None:
    """The cost is said, a key that verifiers may not know takes over, and the status is 0."""
    active = cli.create()["active"]
    for _ in range(2):
        active = cli.json("revoke", "payments", active, "--reason", "drill")["active"]
    cli.run("revoke", "payments", active, "--reason", "drill", status=3)
    result = cli.run("revoke", "payments", active, "--reason", "drill", "--accept-refusals")
    assert "refuses every new token" in result.stderr
    assert cli.json("list")["keyrings"][0]["active"]


def test_an_unknown_key_is_said(cli: Cli) -> None:
    """A prefix of no key, and one too short, name none; a revocation needs a reason."""
    first = cli.create()["active"]
    assert (
        cli.error("revoke", "payments", "nothing-like-it", "--reason", "x", status=1)["code"]
        == "kid_not_found"
    )
    assert cli.error("revoke", "payments", first[:7], "--reason", "x", status=1)["code"] == "kid_not_found"
    assert "--reason" in cli.error("revoke", "payments", first, status=2)["what"]


def test_a_removal_that_was_not_read_back_is_loud(cli: Cli) -> None:
    """When the public document can't be replaced, the revocation is committed, and the run fails."""
    first = cli.create()["active"]
    in_the_way = Path(cli.store.removeprefix("file:")) / "payments" / ".public.json.tmp"
    in_the_way.mkdir()
    told = cli.error("revoke", "payments", first, "--reason", "leaked", status=1)
    assert told["code"] == "removal_unconfirmed"
    assert "may accept" in told["fix"]
    in_the_way.rmdir()
    assert cli.json("revoke", "payments", first, "--reason", "leaked")["revocation"]["bound"]


def test_a_restored_store_is_noticed_and_recovered(cli: Cli, tmp_path: Path) -> None:
    """A backup put back is refused by the next run; after `recover` the revoked key stays revoked."""
    first = cli.create()["active"]
    store = Path(cli.store.removeprefix("file:"))
    shutil.copytree(store, tmp_path / "backup", copy_function=shutil.copy2)
    cli.run("revoke", "payments", first, "--reason", "leaked")
    shutil.rmtree(store)
    shutil.copytree(tmp_path / "backup", store, copy_function=shutil.copy2)
    assert cli.error("reconcile", "payments", status=1)["code"] == "document_rolled_back"
    outcome = cli.json("recover", "payments")
    assert outcome["active"] != first
    assert first not in cli.run("jwks", "payments").stdout


def test_a_missing_home_does_not_stop_a_revocation(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where no state can be kept, the run warns and goes on."""
    first = cli.create()["active"]
    state = Path(os.environ["KEYVAULT_JWT_STATE"])
    (key,) = state.rglob("*.key")
    monkeypatch.setenv("KEYVAULT_JWT_MASTER_KEY_FILE", str(key))
    (tmp_path / "nowhere").touch()
    monkeypatch.setenv("KEYVAULT_JWT_STATE", str(tmp_path / "nowhere" / "state"))
    result = cli.run("revoke", "payments", first, "--reason", "leaked")
    assert "KEYVAULT_JWT_STATE" in result.stderr
    assert cli.json("list")["keyrings"][0]["active"] != first


def test_with_a_policy_of_seconds_the_bound_is_seconds(cli: Cli) -> None:
    """The bound printed is removal + D + S + C + G + ε."""
    first = cli.create("payments", *SECONDS)["active"]
    told = cli.json("revoke", "payments", first, "--reason", "drill")["revocation"]
    removed, bound = (float(told[name][-7:-1]) for name in ("removed", "bound"))
    assert (bound - removed) % 60 == pytest.approx(3.6)

"""`create`: a keyring from the command line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.unit.cli.conftest import ISSUER, SECONDS, Cli


def test_a_new_store_is_made_and_said(cli: Cli) -> None:
    """The master key lies outside the store with mode 0600, and stderr says where; stdout is data alone."""
    result = cli.run("create", "payments", "--issuer", ISSUER)
    found = re.search(r"made the master key (\S+)", result.stderr)
    assert found
    key = Path(found[1])
    assert key.stat().st_mode & 0o777 == 0o600
    assert not key.is_relative_to(cli.store.removeprefix("file:"))
    assert "master key" not in result.stdout
    assert result.stdout.startswith("payments: revision ")


def test_the_outcome_is_one_object(cli: Cli) -> None:
    """JSON has the revision, the signing key, what was done, and when the next thing is due."""
    outcome = cli.create()
    assert set(outcome) == {
        *("ring", "epoch", "revision", "changed", "active", "entries", "alarms", "next_due", "rotation_due")
    }
    assert outcome["changed"] is True
    assert outcome["active"] in [entry["kid"] for entry in outcome["entries"]]
    assert outcome["rotation_due"].endswith("Z")


def test_every_parameter_reaches_the_policy(cli: Cli) -> None:
    """What is said on the command line is what the keyring lives by."""
    cli.create("payments", "--alg", "Ed25519", "--standbys", "3", *SECONDS)
    policy = cli.json("policy", "payments")["policy"]
    assert policy["algorithm"] == "Ed25519"
    assert policy["standbys"] == 3
    assert policy["rotate_every"] == "6s"
    assert policy["leeway"] == "100ms"


def test_a_policy_that_contradicts_itself_is_refused_with_the_numbers(cli: Cli) -> None:
    """Exit 3, code policy_refused, and nothing is made."""
    told = cli.error("create", "payments", "--issuer", ISSUER, "--clock-skew", "1m", status=3)
    assert told["code"] == "policy_refused"
    assert "1m > 30s" in told["why"]
    assert cli.json("list") == {"keyrings": []}


def test_a_period_too_short_for_a_handover_is_refused(cli: Cli) -> None:
    """I6: the numbers of both sides are in the error."""
    told = cli.error("create", "payments", "--issuer", ISSUER, "--rotate-every", "1h", status=3)
    assert told["code"] == "i6_capacity"
    assert "1h < 3h" in told["why"]


def test_what_is_no_duration_is_wrong_usage(cli: Cli) -> None:
    """Exit 2, with how a duration is written."""
    told = cli.error("create", "payments", "--issuer", ISSUER, "--rotate-every", "monthly", status=2)
    assert told["code"] == "bad_duration"
    assert "90d" in told["fix"]


def test_a_bad_name_and_a_taken_one_are_refused(cli: Cli) -> None:
    """A name becomes a path, so it is checked; a keyring is never made over another."""
    cli.create()
    assert cli.error("create", "../x", "--issuer", ISSUER, status=2)["code"] == "bad_ring_name"
    assert cli.error("create", "payments", "--issuer", ISSUER, status=1)["code"] == "keyring_exists"


def test_no_store_and_an_unknown_one_are_wrong_usage(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 2, and the schemes that there are."""
    monkeypatch.delenv("KEYVAULT_JWT_STORE")
    assert cli.error("create", "x", "--issuer", ISSUER, status=2)["code"] == "bad_store_url"
    told = cli.error("create", "x", "--issuer", ISSUER, "--store", "ftp://x", status=2)
    assert "file" in told["fix"]

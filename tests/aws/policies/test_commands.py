"""The command line in each role's hands, with the policy that it printed for the role."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from keyvault_jwt.cli import main
from tests.aws.machine import ISSUER, RING
from tests.aws.policies.conftest import Houses
from tests.aws.policies.house import SYMMETRIC, House


def run(url: str, *words: str) -> Result:
    """Run the command line over that store."""
    return CliRunner().invoke(main, [*words, "--store", url])


def answer(url: str, *words: str) -> Any:
    """Return the object that a run prints."""
    done = run(url, *words, "--json")
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def url_of(house: House, role: str, ring: str = "*") -> str:
    """Return the store URL of the role."""
    return house.url_of(house.policy(role, ring))


@pytest.mark.parametrize("ring", ["*", RING])
def test_rotator(houses: Houses, ring: str) -> None:
    """It makes a keyring, rotates, revokes, reconciles and shows; one of every keyring also lists."""
    url = url_of(houses(), "rotator", ring)
    made = answer(url, "create", RING, "--issuer", ISSUER)
    rotated = answer(url, "rotate", RING)
    assert rotated["revision"] > made["revision"]
    [kid] = [key["kid"] for key in answer(url, "show", RING)["keys"] if key["state"] == "active"]
    answer(url, "revoke", RING, kid, "--reason", "leaked")
    answer(url, "reconcile", RING)
    listed = run(url, "list", "--json")
    assert (listed.exit_code, "aws_denied" in listed.stderr) == ((0, False) if ring == "*" else (4, True))


@pytest.mark.parametrize("ring", ["*", RING])
def test_signer(house: House, ring: str) -> None:
    """A token is signed by who reads `signing` alone; who signs reads nothing else."""
    url = url_of(house, "signer", ring)
    done = run(url, "token", "sign", RING, "--sub", "u1", "--aud", "api", "--ttl", "1s")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.strip().count(".") == 2
    assert "authority" in run(url, "show", RING).stderr


@pytest.mark.parametrize("role", ["publisher", "verifier", "auditor"])
@pytest.mark.parametrize("ring", ["*", RING])
def test_who_reads_what_is_public_changes_nothing(house: House, role: str, ring: str) -> None:
    """What needs the authority is denied, by an error that names the action as policies do."""
    url = url_of(house, role, ring)
    for words in (("plan", RING), ("rotate", RING), ("reconcile", RING), ("export", RING)):
        done = run(url, *words)
        assert (done.exit_code, "aws_denied" in done.stderr) == (4, True), words
        assert "grant secretsmanager:GetSecretValue" in done.stderr


@pytest.mark.parametrize("ring", ["*", RING])
def test_auditor_shows(house: House, ring: str) -> None:
    """Keys, ages and recent events are shown, and as from the public document."""
    url = url_of(house, "auditor", ring)
    shown, keyring = answer(url, "show", RING), house.owner.manager.keyring(RING)
    assert shown["source"] == "public"
    assert {key["kid"] for key in shown["keys"]} == {record.kid for record in keyring.records}
    assert "(aws_denied)" in run(url, "show", RING).stderr


def test_auditor_of_every_keyring_lists_and_doctors(house: House) -> None:
    """Both keyrings have a row and a finding, by their public documents alone."""
    url = url_of(house, "auditor")
    assert {one["ring"]: one["source"] for one in answer(url, "list")["keyrings"]} == {
        RING: "public",
        SYMMETRIC: "public",
    }
    seen = {one["check"]: one["seen"] for one in reversed(answer(url, "doctor")["findings"])}
    for ring in (RING, SYMMETRIC):
        assert "only its public document" in seen[f"keyring {ring}"]

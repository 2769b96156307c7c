"""The command line in an auditor's hands, on a real server: it reads no authority, and works."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from keyvault_jwt.cli import main
from tests.vault.policies.conftest import RING, SYMMETRIC, House


@pytest.fixture(params=["*", RING])
def url(request: pytest.FixtureRequest, house: House) -> str:
    """The store URL of an auditor of every keyring, and of one."""
    return house.url + house.approle("auditor", request.param)


@pytest.fixture
def auditors_url(house: House) -> str:
    """The store URL of an auditor of every keyring."""
    return house.url + house.approle("auditor", "*")


def run(url: str, *words: str) -> Result:
    """Run the command line over that store."""
    return CliRunner().invoke(main, [*words, "--store", url])


def answer(url: str, *words: str) -> Any:
    """Return the object that a run prints."""
    done = run(url, *words, "--json")
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def test_show(house: House, url: str) -> None:
    """Keys, ages and recent events are shown, without a private half, and as what they are."""
    shown = answer(url, "show", RING)
    keyring = house.manager.keyring(RING)
    assert shown["source"] == "public"
    assert {key["kid"]: key["state"] for key in shown["keys"]} == {
        record.kid: record.state.value for record in keyring.records
    }
    assert [event["seq"] for event in shown["events"]] == [one.seq for one in keyring.ledger.entries]
    done = run(url, "show", RING)
    assert "from the public document" in done.stdout
    assert "(vault_denied)" in done.stderr


def test_list(house: House, auditors_url: str) -> None:
    """Both keyrings have a row; of the symmetric one only its public document was read."""
    listed = {one["ring"]: one for one in answer(auditors_url, "list")["keyrings"]}
    assert set(listed) == {RING, SYMMETRIC}
    active = house.manager.keyring(SYMMETRIC).active
    assert active is not None
    assert listed[SYMMETRIC]["active"] == active.kid
    assert {one["source"] for one in listed.values()} == {"public"}


def test_doctor(auditors_url: str) -> None:
    """Nothing fails; each keyring's finding says that the public document was all that was seen."""
    told = answer(auditors_url, "doctor")
    seen = {one["check"]: one["seen"] for one in reversed(told["findings"])}
    for ring in (RING, SYMMETRIC):
        assert "only its public document" in seen[f"keyring {ring}"]
        assert "vault_denied" in seen[f"keyring {ring}"]


def test_what_needs_the_authority_is_still_denied(auditors_url: str) -> None:
    """A plan, or anything that is written, is no way round."""
    for words in (("plan", RING), ("rotate", RING), ("reconcile", RING), ("export", RING)):
        done = run(auditors_url, *words)
        assert done.exit_code == 4, done.stdout
        assert "vault_denied" in done.stderr


def test_a_role_that_reads_neither_is_told_of_the_first(house: House) -> None:
    """A signer has no business with either document: the denial names the authority."""
    done = run(house.url + house.approle("signer", "*"), "show", RING)
    assert done.exit_code == 4
    assert "payments/authority" in done.stderr

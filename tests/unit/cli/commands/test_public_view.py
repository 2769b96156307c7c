"""`list`, `show` and `doctor` of a reader to whom the authority is closed: what the public document tells."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.unit.cli.commands.test_doctor import findings, path_of
from tests.unit.cli.conftest import Cli


@pytest.fixture
def active(cli: Cli) -> str:
    """The kid that signs in a keyring whose master key is not at hand."""
    kid: str = cli.create()["active"]
    (key,) = Path(os.environ["KEYVAULT_JWT_STATE"]).rglob("*.key")
    key.unlink()
    return kid


def test_show_tells_keys_ages_and_events(cli: Cli, active: str) -> None:
    """Everything of the record but halves and plans, the latest events, and where it was read."""
    shown = cli.json("show", "payments")
    assert shown["source"] == "public"
    (key,) = (key for key in shown["keys"] if key["kid"] == active)
    assert key["state"] == "active"
    assert key["published"] <= key["activated"] <= shown["at"] < shown["rotation_due"]
    assert {key["private_half"], key["gone_from"], shown["next_due"]} == {None}
    assert [event["action"] for event in shown["events"]][-1] == "promoted"


def test_show_for_people(cli: Cli, active: str) -> None:
    """A table, the events, and on both streams that it comes from the public document, with the reason."""
    done = cli.run("show", "payments")
    assert "from the public document" in done.stdout
    assert "(master_key); it may be one pass behind" in done.stderr
    assert done.stdout.count("pre-activation") == 2
    assert "promoted" in done.stdout
    assert "rotation due" in done.stdout


def test_list_tells_each_keyring(cli: Cli, active: str) -> None:
    """A keyring has its row, and says when its key will be replaced."""
    (ring,) = cli.json("list")["keyrings"]
    assert (ring["active"], ring["source"], ring["next_due"]) == (active, "public", None)
    assert ring["states"]["pre-activation"] == 2
    done = cli.run("list")
    assert "rotation in 30d" in done.stdout
    assert "public document" in done.stderr


def test_doctor_says_how_little_it_saw(cli: Cli, active: str) -> None:
    """The keyring is looked at through its public document, a warning; the missing key still fails."""
    told = cli.json("doctor", status=1)
    assert set(findings(told, level="fail")) == {"master key"}
    assert "only its public document" in findings(told, level="warn")["keyring payments"]


def test_the_owner_sees_the_authority(cli: Cli) -> None:
    """Nothing changes for who may read it."""
    cli.create()
    shown = cli.json("show", "payments")
    assert shown["source"] == "authority"
    assert all(key["private_half"] for key in shown["keys"])
    assert [event["seq"] for event in shown["events"]] == [1, 2, 3, 4, 5]
    assert cli.json("list")["keyrings"][0]["source"] == "authority"


def test_a_frozen_keyring_is_frozen_there_too(cli: Cli, tmp_path: Path) -> None:
    """Where it lives on is the last of its events."""
    cli.create()
    other = f"file:{tmp_path / 'other'}"
    cli.run("copy", "payments", "--to", other)
    for key in Path(os.environ["KEYVAULT_JWT_STATE"]).rglob("*.key"):
        key.unlink()
    assert cli.json("show", "payments")["frozen_to"] == other
    assert "moved away" in cli.run("list").stdout


def test_a_damaged_public_document_is_an_error(cli: Cli, active: str) -> None:
    """Digest and chain of events are checked as for any reader; nothing of such a document is shown."""
    path = path_of(cli, "public.json")
    path.write_bytes(path.read_bytes().replace(b'"promoted"', b'"approved"'))
    assert cli.error("show", "payments", status=1)["code"] == "document_corrupt"


def test_without_a_public_document_the_reason_is_told(cli: Cli, active: str) -> None:
    """What closed the authority is the error, not the way round it."""
    path_of(cli, "public.json").unlink()
    assert cli.error("show", "payments", status=1)["code"] == "master_key"

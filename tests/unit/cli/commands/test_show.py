"""`show`: the keys of a keyring, as a table and as lanes."""

from __future__ import annotations

import pytest

from tests.unit.cli.conftest import Cli


def test_every_key_is_shown_by_state_and_by_plain_word(cli: Cli) -> None:
    """The NIST state, the word people read, and a kid long enough to be used."""
    active = cli.create()["active"]
    shown = cli.run("show", "payments").stdout
    (row,) = (line for line in shown.splitlines() if line.startswith(active[:8]) and "ES256" in line)
    assert "active" in row
    assert "signing" in row
    assert "rests in 30d" in row
    assert shown.count("pre-activation") == 2


def test_the_table_fits_eighty_columns_and_uses_more(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kids are cut to the room there is, and whole where there is room."""
    active = cli.create()["active"]
    assert max(map(len, cli.run("show", "payments").stdout.splitlines())) <= 80
    monkeypatch.setenv("COLUMNS", "200")
    assert active in cli.run("show", "payments").stdout


def test_the_json_has_every_fact_of_a_key_and_no_private_half(cli: Cli) -> None:
    """States, stamps and what is planned; of a private half only whether there is one."""
    active = cli.create()["active"]
    shown = cli.json("show", "payments")
    (key,) = (key for key in shown["keys"] if key["kid"] == active)
    assert key["state"] == "active"
    assert key["private_half"] is True
    assert key["published"] <= key["activated"] <= shown["at"] < key["gone_from"]
    assert {"revoked", "removed", "stopped", "reason", "ready_from", "signs_from"} <= set(key)


def test_a_keyring_that_is_not_there_is_said(cli: Cli) -> None:
    """Exit 1 and where to look."""
    cli.create()
    told = cli.error("show", "nothing", status=1)
    assert told["code"] == "keyring_not_found"
    assert "list" in told["fix"]
